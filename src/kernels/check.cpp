#include "kernels/check.h"

#include <algorithm>

#include "base/checked.h"
#include "tensor/type.h"

namespace planish {
namespace {

constexpr int64_t kFar = int64_t{1} << 58;     // offsets in elements stay below this
constexpr int64_t kWidest = int64_t{1} << 31;  // kernels, strides, dilations and pads of a window

std::string type_text(const TensorView& view) { return TensorType{view.dtype, Shape::of(view.extents())}.str(); }

std::string span_text(size_t least, size_t most) {
  return least == most ? std::to_string(least) : fmt::format("{} to {}", least, most);
}

void check_count(size_t found, size_t least, size_t most, const char* what) {
  if (found < least || found > most)
    fail(Code::invalid_plan, "{} {}, {} are accepted", found, what, span_text(least, most));
}

const TensorView kAbsent;

}  // namespace

void Slot::misfit(std::string_view accepted) const {
  const char* what = is_result_ ? "result" : "operand";
  if (!present()) fail(Code::invalid_plan, "{} {} is absent", what, index_);
  fail(Code::invalid_plan, "{} {} is {}, {} is accepted", what, index_, type_text(*view_), accepted);
}

int64_t Slot::extent(int axis) const {
  const int at = axis < 0 ? axis + view_->rank : axis;
  return at < 0 || at >= view_->rank ? 1 : view_->dims[static_cast<size_t>(at)];
}

size_t Slot::axis(int64_t axis) const {
  if (axis < -view_->rank || axis >= view_->rank) misfit(fmt::format("a tensor that has an axis {}", axis));
  return static_cast<size_t>(axis < 0 ? axis + view_->rank : axis);
}

const Slot& Slot::is(std::initializer_list<DataType> accepted) const {
  if (!present() || std::find(accepted.begin(), accepted.end(), view_->dtype) != accepted.end()) return *this;
  std::string names;
  for (DataType dtype : accepted) names += (names.empty() ? "" : ", ") + std::string(data_type_name(dtype));
  misfit(names);
}

const Slot& Slot::integers() const {
  if (present() && !is_integer(view_->dtype) && view_->dtype != DataType::boolean) misfit("an integer type");
  return *this;
}

const Slot& Slot::type_of(const Slot& other) const { return present() ? is({other.view_->dtype}) : *this; }

const Slot& Slot::rank(int least, int most) const {
  if (present() && (view_->rank < least || view_->rank > most))
    misfit("rank " + span_text(static_cast<size_t>(least), static_cast<size_t>(most)));
  return *this;
}

const Slot& Slot::shape(std::span<const int64_t> accepted) const {
  const auto found = extents();
  if (present() && !std::equal(found.begin(), found.end(), accepted.begin(), accepted.end()))
    misfit(Shape::of(accepted).str());
  return *this;
}

const Slot& Slot::spreads_over(std::span<const int64_t> accepted) const {
  const auto rank = static_cast<int>(accepted.size());
  for (int i = 0; present() && i < view_->rank; ++i) {
    const int at = rank - view_->rank + i;
    const int64_t found = view_->dims[static_cast<size_t>(i)];
    if (found != 1 && (at < 0 || found != accepted[static_cast<size_t>(at)]))
      misfit("what spreads over " + Shape::of(accepted).str());
  }
  return *this;
}

const Slot& Slot::elements(int64_t count) const {
  if (present() && view_->element_count() != count) misfit(fmt::format("{} elements", count));
  return *this;
}

const Slot& Slot::list(int64_t least) const {
  if (present() && (view_->rank > 1 || view_->element_count() < least))
    misfit(fmt::format("a row of at least {} elements", least));
  return *this;
}

const Slot& Slot::dense() const {
  if (present() && !view_->is_dense()) misfit("one whose elements lie row-major without gaps");
  return *this;
}

const Slot& Slot::adjacent(int axis) const {
  const auto at = static_cast<size_t>(axis < 0 ? axis + view_->rank : axis);
  if (present() && extent(axis) > 1 && view_->strides[at] != 1)
    misfit(fmt::format("one whose elements are adjacent along axis {}", at));
  return *this;
}

Operands::Operands(const KernelArgs& args, size_t least, size_t most, size_t results, size_t most_results)
    : args_(args) {
  check_count(args.inputs.size(), least, most, "operands");
  check_count(args.outputs.size(), results, most_results, "results");
  for (size_t i = 0; i < least; ++i)
    if (!in(i).present()) in(i).misfit("");
  for (size_t i = 0; i < results; ++i)
    if (!out(i).present()) out(i).misfit("");
}

Slot Operands::in(size_t i) const { return {i < args_.inputs.size() ? args_.inputs[i] : kAbsent, i, false}; }
Slot Operands::out(size_t i) const { return {i < args_.outputs.size() ? args_.outputs[i] : kAbsent, i, true}; }

void check_pad_extent(int64_t pad) { require(pad > -kWidest && pad < kWidest, "a pad of {}", pad); }

void check_window(const WindowReach& w) {
  for (int64_t value : {w.kernel, w.stride, w.dilation})
    require(value >= 1 && value < kWidest, "a kernel, stride or dilation of {}, at least 1 is accepted", value);
  check_pad_extent(w.pad);
  const int64_t positions = checked_mul(std::max({w.in, w.out, int64_t{1}}), w.stride);
  const int64_t reach = checked_add(positions, (w.kernel - 1) * w.dilation + (w.pad < 0 ? -w.pad : w.pad));
  const int64_t step = std::clamp(w.step, -kFar, kFar);
  require(checked_mul(reach, step < 0 ? -step : std::max<int64_t>(step, 1)) < kFar, "a window that reaches {} elements",
          reach);
}

void check_nothing(const KernelArgs&) {}

void check_unary(const KernelArgs& args) {
  const Operands o(args, 1, 1);
  o.out().like(o.in(0));
}

}  // namespace planish
