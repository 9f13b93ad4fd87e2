// extents.*: the extents of results that operands' elements decide on, for steps that bind symbols to them. Each row
// has the operands and parameters of the operator that it is named after, and no results.

#include <cmath>

#include "kernels/reference/contracts.h"
#include "kernels/reference/move.h"
#include "kernels/reference/reduce.h"
#include "kernels/reference/select.h"

namespace planish::kernels::reference {
namespace {

std::vector<int64_t> operand_extents(const KernelArgs& args) {
  const auto extents = args.inputs[0].extents();
  return {extents.begin(), extents.end()};
}

// The axes that operand i names, or the first `count`; each once.
std::vector<size_t> extents_axes(const KernelArgs& args, size_t i, size_t count, int64_t rank) {
  std::vector<int64_t> named = extents_list(args, i);
  if (!args.has_input(i))
    for (size_t k = 0; k < count; ++k) named.push_back(static_cast<int64_t>(k));
  std::vector<size_t> axes;
  for (int64_t axis : named) {
    axes.push_back(static_cast<size_t>(normalize_axis(axis, static_cast<int>(rank))));
    if (std::count(axes.begin(), axes.end(), axes.back()) > 1)
      fail(Code::invalid_argument, "axis {} is named twice", axes.back());
  }
  if (axes.size() != count) fail(Code::invalid_argument, "{} axes for {} values", axes.size(), count);
  return axes;
}

// --- contracts: lists of integers beside an operand

// `first`: the operand after which only lists come.
template <size_t kFirst, size_t kLeast, size_t kMost>
void check_lists(const KernelArgs& args) {
  const Operands o(args, kLeast, kMost, 0, 0);
  for (size_t i = kFirst; i < kMost; ++i) o.in(i).integers().list();
}

// --- the operators

struct ExtentsReshape {
  int64_t allowzero = 0;
  template <class V>
  void fields(V& v) {
    v("allowzero", allowzero);
  }
};

// 0 copies the operand's extent, -1 takes what is left.
void extents_reshape(const KernelArgs& args) {
  std::vector<int64_t> wanted = extents_list(args, 1);
  const auto in = args.inputs[0].extents();
  const int64_t count = args.inputs[0].element_count();
  int64_t product = 1;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == 0 && args.as<ExtentsReshape>().allowzero == 0 && i < in.size()) wanted[i] = in[i];
    if (wanted[i] != -1 && __builtin_mul_overflow(product, wanted[i], &product)) product = -1;
  }
  if (std::count(wanted.begin(), wanted.end(), -1) > 1)
    fail(Code::invalid_argument, "a reshape with two extents of -1");
  for (int64_t& extent : wanted)
    if (extent == -1) {
      extent = product == 0 ? 0 : count / product;
      product = product == 0 ? 0 : product * extent;
    }
  if (product != count)
    fail(Code::invalid_argument, "{} into {}", Shape::of(in).str(), Shape::of(extents_list(args, 1)).str());
  bind_extents(args, wanted);
}

void extents_squeeze(const KernelArgs& args) {
  const auto in = operand_extents(args);
  const std::vector<int64_t> named = extents_list(args, 1);
  const auto axes = extents_axes(args, 1, named.size(), static_cast<int64_t>(in.size()));
  std::vector<int64_t> kept;
  for (size_t i = 0; i < in.size(); ++i) {
    const bool gone = std::find(axes.begin(), axes.end(), i) != axes.end();
    if (gone && in[i] != 1) fail(Code::invalid_argument, "axis {} of {} is not 1", i, Shape::of(in).str());
    if (!gone) kept.push_back(in[i]);
  }
  bind_extents(args, kept);
}

void extents_unsqueeze(const KernelArgs& args) {
  const auto in = args.inputs[0].extents();
  const size_t fresh = extents_list(args, 1).size(), rank = in.size() + fresh;
  const auto axes = extents_axes(args, 1, fresh, static_cast<int64_t>(rank));
  std::vector<int64_t> extents;
  size_t from = 0;
  for (size_t i = 0; i < rank; ++i)
    extents.push_back(std::find(axes.begin(), axes.end(), i) != axes.end() ? 1 : in[from++]);
  bind_extents(args, extents);
}

void extents_reduce(const KernelArgs& args) {
  const auto attrs = args.as<ReduceAttrs>();
  const auto in = args.inputs[0].extents();
  std::array<bool, kMaxRank> gone{};
  const auto axes = extents_list(args, 1);
  for (int64_t axis : axes) gone[static_cast<size_t>(normalize_axis(axis, static_cast<int>(in.size())))] = true;
  if (axes.empty() && attrs.noop_with_empty_axes == 0) gone.fill(true);
  std::vector<int64_t> extents;
  for (size_t i = 0; i < in.size(); ++i)
    if (!gone[i] || attrs.keepdims != 0) extents.push_back(gone[i] ? 1 : in[i]);
  bind_extents(args, extents);
}

void extents_expand(const KernelArgs& args) {
  std::vector<int64_t> wanted = extents_list(args, 1), in = operand_extents(args);
  const size_t rank = std::max(wanted.size(), in.size());
  wanted.insert(wanted.begin(), rank - wanted.size(), 1);
  in.insert(in.begin(), rank - in.size(), 1);
  for (size_t i = 0; i < rank; ++i) {
    if (wanted[i] == 1) wanted[i] = in[i];
    if (in[i] != 1 && in[i] != wanted[i])
      fail(Code::invalid_argument, "{} does not expand to {}", Shape::of(operand_extents(args)).str(),
           Shape::of(extents_list(args, 1)).str());
  }
  bind_extents(args, wanted);
}

void extents_tile(const KernelArgs& args) {
  auto extents = operand_extents(args);
  const auto repeats = extents_list(args, 1);
  if (repeats.size() != extents.size())
    fail(Code::invalid_argument, "{} repeats for rank {}", repeats.size(), extents.size());
  for (size_t i = 0; i < extents.size(); ++i)
    if (repeats[i] < 0 || __builtin_mul_overflow(extents[i], repeats[i], &extents[i]))
      fail(Code::invalid_argument, "{} repeats along axis {}", repeats[i], i);
  bind_extents(args, extents);
}

// Positions begin, begin + step, … before end, of an axis of `extent`; bounds below 0 count from its end.
int64_t slice_count(int64_t begin, int64_t end, int64_t step, int64_t extent) {
  if (step == 0 || step == INT64_MIN) fail(Code::invalid_argument, "a step of {}", step);
  const int64_t low = step > 0 ? 0 : -1, high = step > 0 ? extent : extent - 1;
  const auto inside = [&](int64_t at, int64_t least) {
    return std::clamp(at < 0 ? at + extent : at, least, std::max(least, high));
  };
  const int64_t first = inside(begin, 0), last = end < -extent ? low : inside(end, low);
  const int64_t span = step > 0 ? last - first : first - last, pace = step > 0 ? step : -step;
  return span <= 0 || extent == 0 ? 0 : (span - 1) / pace + 1;
}

void extents_slice(const KernelArgs& args) {
  auto extents = operand_extents(args);
  const auto starts = extents_list(args, 1), ends = extents_list(args, 2), steps = extents_list(args, 4);
  const auto axes = extents_axes(args, 3, starts.size(), static_cast<int64_t>(extents.size()));
  if (ends.size() != starts.size() || (args.has_input(4) && steps.size() != starts.size()))
    fail(Code::invalid_argument, "{} starts, {} ends and {} steps", starts.size(), ends.size(), steps.size());
  for (size_t i = 0; i < axes.size(); ++i)
    extents[axes[i]] = slice_count(starts[i], ends[i], steps.empty() ? 1 : steps[i], extents[axes[i]]);
  bind_extents(args, extents);
}

void extents_pad(const KernelArgs& args) {
  auto extents = operand_extents(args);
  const auto pads = extents_list(args, 1);
  if (pads.size() % 2 != 0) fail(Code::invalid_argument, "{} pads; two for each axis are accepted", pads.size());
  const auto axes = extents_axes(args, 3, pads.size() / 2, static_cast<int64_t>(extents.size()));
  for (size_t i = 0; i < axes.size(); ++i)
    for (int64_t pad : {pads[i], pads[i + axes.size()]})
      if (__builtin_add_overflow(extents[axes[i]], pad, &extents[axes[i]]))
        fail(Code::invalid_argument, "a pad of {} along axis {}", pad, axes[i]);
  bind_extents(args, extents);
}

void check_extents_pad(const KernelArgs& args) {
  const Operands o(args, 2, 4, 0, 0);
  for (size_t i : {1, 3}) o.in(i).integers().list();
}

void extents_split(const KernelArgs& args) { bind_extents(args, extents_list(args, 1)); }

void check_extents_range(const KernelArgs& args) {
  const Operands o(args, 3, 3, 0, 0);
  for (size_t i : {0, 1, 2}) o.in(i).type_of(o.in(0)).elements(1);
}

// start, limit, delta: max(ceil((limit - start) / delta), 0)
void extents_range(const KernelArgs& args) {
  if (is_float(args.inputs[0].dtype)) {
    const double start = load_double(args.inputs[0], 0), limit = load_double(args.inputs[1], 0),
                 delta = load_double(args.inputs[2], 0), count = std::ceil((limit - start) / delta);
    if (!(count < 1e15)) fail(Code::invalid_argument, "from {} to {} in steps of {}", start, limit, delta);
    return bind_extents(args, {static_cast<int64_t>(std::max(count, 0.0))});
  }
  const int64_t start = load_int(args.inputs[0], 0), limit = load_int(args.inputs[1], 0),
                delta = load_int(args.inputs[2], 0);
  int64_t span = 0;
  if (delta == 0 || delta == INT64_MIN || __builtin_sub_overflow(limit, start, &span) || span == INT64_MIN)
    fail(Code::invalid_argument, "from {} to {} in steps of {}", start, limit, delta);
  if (delta < 0) span = -span;
  bind_extents(args, {span <= 0 ? 0 : (span - 1) / std::abs(delta) + 1});
}

void extents_constant_of_shape(const KernelArgs& args) { bind_extents(args, extents_list(args, 0)); }

void check_extents_topk(const KernelArgs& args) {
  const Operands o(args, 2, 2, 0, 0);
  o.in(0).axis(args.as<TopKAttrs>().axis);
  o.in(1).integers().elements(1);
}

void extents_topk(const KernelArgs& args) {
  const TensorView& x = args.inputs[0];
  const int64_t extent = x.dims[static_cast<size_t>(normalize_axis(args.as<TopKAttrs>().axis, x.rank))],
                k = load_int(args.inputs[1], 0);
  if (k < 0 || k > extent) fail(Code::invalid_argument, "K is {}, 0 to {} are accepted", k, extent);
  bind_extents(args, {k});
}

// The values themselves: the runtime has evaluated them.
struct ExtentsValues {
  std::vector<int64_t> values;
  template <class V>
  void fields(V& v) {
    v("values", values);
  }
};

void extents_values(const KernelArgs& args) { bind_extents(args, args.as<ExtentsValues>().values); }

// Those of the rows that a loop stacks: what the first iteration says, the others repeat.
struct ExtentsRows {
  std::vector<int64_t> values, before, iteration;
  template <class V>
  void fields(V& v) {
    v("values", values);
    v("before", before);
    v("iteration", iteration);
  }
};

void check_extents_rows(const KernelArgs& args) {
  const Operands o(args, 0, 0, 0, 0);
  const auto& params = args.as<ExtentsRows>();
  require(params.values.size() == params.before.size() && params.iteration.size() == 1,
          "{} extents where there were {}, iteration of {} values", params.values.size(), params.before.size(),
          params.iteration.size());
}

void extents_rows(const KernelArgs& args) {
  const auto& params = args.as<ExtentsRows>();
  if (params.iteration[0] > 0 && params.values != params.before)
    fail(Code::invalid_argument, "rows of {} in iteration {}, of {} before; rows of one shape are accepted",
         Shape::of(params.values).str(), params.iteration[0], Shape::of(params.before).str());
  bind_extents(args, params.values);
}

}  // namespace

std::vector<int64_t> extents_list(const KernelArgs& args, size_t i) {
  std::vector<int64_t> values;
  if (!args.has_input(i)) return values;
  const TensorView& view = args.inputs[i];
  for (int64_t k = 0; k < view.element_count(); ++k)
    values.push_back(load_int(view, view.rank == 0 ? 0 : k * view.strides[0]));
  return values;
}

void bind_extents(const KernelArgs& args, const std::vector<int64_t>& extents) {
  if (extents.size() != args.bound_symbols.size())
    fail(Code::invalid_argument, "a result of rank {} where rank {} was planned for", extents.size(),
         args.bound_symbols.size());
  for (int64_t extent : extents)
    if (extent < 0)
      fail(Code::invalid_argument, "a result of {}; extents of 0 and more are accepted", Shape::of(extents).str());
  std::copy(extents.begin(), extents.end(), args.bound_symbols.begin());
}

void register_extents(KernelTable& table) {
  table.add(make_kernel<ExtentsValues>("extents.values", check_lists<0, 0, 0>, extents_values));
  table.add(make_kernel<ExtentsRows>("extents.rows", check_extents_rows, extents_rows));
  table.add(make_kernel<ExtentsReshape>("extents.reshape", check_lists<1, 2, 2>, extents_reshape));
  table.add(make_kernel<NoAttrs>("extents.squeeze", check_lists<1, 2, 2>, extents_squeeze));
  table.add(make_kernel<NoAttrs>("extents.unsqueeze", check_lists<1, 2, 2>, extents_unsqueeze));
  for (const char* kind : {"sum", "mean", "max", "min", "prod", "l1", "l2", "sum_square", "log_sum", "log_sum_exp"})
    table.add(make_kernel<ReduceAttrs>(std::string("extents.reduce_") + kind, check_lists<1, 2, 2>, extents_reduce));
  table.add(make_kernel<NoAttrs>("extents.expand", check_lists<1, 2, 2>, extents_expand));
  table.add(make_kernel<NoAttrs>("extents.tile", check_lists<1, 2, 2>, extents_tile));
  table.add(make_kernel<NoAttrs>("extents.slice", check_lists<1, 3, 5>, extents_slice));
  table.add(make_kernel<PadAttrs>("extents.pad", check_extents_pad, extents_pad));
  table.add(make_kernel<MoveAxisAttrs>("extents.split", check_lists<1, 2, 2>, extents_split));
  table.add(make_kernel<NoAttrs>("extents.range", check_extents_range, extents_range));
  table.add(make_kernel<FillAttrs>("extents.constant_of_shape", check_lists<0, 1, 1>, extents_constant_of_shape));
  table.add(make_kernel<TopKAttrs>("extents.topk", check_extents_topk, extents_topk));
}

}  // namespace planish::kernels::reference
