#include <sys/mman.h>

#include <cstring>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22  // Linux 5.14; older kernels refuse it, which does no harm
#endif

#include "base/checked.h"
#include "base/file.h"
#include "gen/plan_generated.h"
#include "plan/header.h"
#include "plan/plan.h"

namespace planish {
namespace {

constexpr const char* kRebuild = "rebuild it with: planish build MODEL -o PLAN";
constexpr int kDeepestBody = 64;

template <class... Args>
[[noreturn]] void damaged(fmt::format_string<Args...> text, Args&&... args) {
  fail(Code::invalid_plan, "the plan is damaged: {}; {}", fmt::format(text, std::forward<Args>(args)...), kRebuild);
}

// The one bounds check: [offset, offset + bytes) lies inside `size`.
void check_range(uint64_t offset, uint64_t bytes, uint64_t size, const char* what) {
  if (offset > size || bytes > size - offset) damaged("{} at {} of {} bytes in {}", what, offset, bytes, size);
}

uint8_t check_enum(uint8_t value, uint8_t last, const char* what) {
  if (value > last) damaged("{} {}, at most {} is known", what, value, last);
  return value;
}

PlanHeader read_header(std::span<const std::byte> file, const LoadOptions& options) {
  PlanHeader header;
  if (file.size() < sizeof header)
    fail(Code::invalid_plan, "a plan of {} bytes; the header alone has {}; {}", file.size(), sizeof header, kRebuild);
  std::memcpy(&header, file.data(), sizeof header);
  if (std::memcmp(header.magic, "PLANISH", 8) != 0)
    fail(Code::invalid_plan, "this is no plan file (its first bytes are not PLANISH)");
  if (header.version != kPlanFormatVersion)
    fail(Code::invalid_plan, "plan format {}, this library reads {}; {}", header.version, kPlanFormatVersion, kRebuild);
  if (header.header_bytes != sizeof header) damaged("a header of {} bytes, not {}", header.header_bytes, sizeof header);
  if (header.file_bytes != file.size()) damaged("{} bytes announced, {} found", header.file_bytes, file.size());
  check_range(header.index_offset, header.index_bytes, file.size(), "the index");
  check_range(header.data_offset, header.data_bytes, file.size(), "the constants");
  if (header.index_offset % 8 != 0 || header.data_offset % kAlignment != 0) damaged("sections are not aligned");
  const std::span<const std::byte> index = file.subspan(header.index_offset, header.index_bytes);
  if (plan_index_checksum(header, index) != header.index_checksum) damaged("the index does not match its checksum");
  if (options.verify_checksum && plan_checksum(header, file) != header.checksum)
    damaged("the contents do not match their checksum");
  return header;
}

class Loader {
 public:
  Loader(std::span<const std::byte> file, const PlanHeader& header, std::shared_ptr<const void> owner)
      : file_(file), header_(header), owner_(std::move(owner)) {}

  Plan load() {
    const auto* index = reinterpret_cast<const uint8_t*>(file_.data() + header_.index_offset);
    flatbuffers::Verifier verifier(index, header_.index_bytes, 256, 50'000'000);
    if (!fb::VerifyPlanBuffer(verifier)) damaged("the index is malformed");
    const fb::Plan* root = fb::GetPlan(index);
    load_exprs(*root);
    load_tensors(*root);
    Plan plan;
    plan.producer = text(root->producer());
    plan.target = text(root->target());
    plan.isa = text(root->isa());
    plan.model = text(root->model());
    each(root->notes(), [&](const fb::Note& note) { plan.notes[text(note.key())] = text(note.value()); });
    each(root->bindings(), [&](const fb::Binding& binding) { plan.bindings.push_back(binding_of(binding)); });
    if (root->constants() != nullptr)
      for (uint32_t i : *root->constants()) plan.constants.push_back(tensor(i));
    each(root->profiles(), [&](const fb::Profile& profile) { plan.profiles.push_back(profile_of(profile)); });
    return plan;
  }

 private:
  static std::string text(const flatbuffers::String* s) { return s == nullptr ? "" : s->str(); }

  template <class Vector, class Visit>
  static void each(const Vector* vector, Visit visit) {
    if (vector == nullptr) return;
    for (const auto* item : *vector) {
      if (item == nullptr) damaged("an empty table entry");
      visit(*item);
    }
  }

  static std::vector<std::string> texts(const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>* list) {
    std::vector<std::string> out;
    each(list, [&](const flatbuffers::String& s) { out.push_back(s.str()); });
    return out;
  }

  void load_exprs(const fb::Plan& root) {
    each(root.exprs(), [&](const fb::Expr& expr) {
      const auto op =
          static_cast<DimOp>(check_enum(expr.op(), static_cast<uint8_t>(DimOp::max), "expression operator"));
      if (op == DimOp::constant) return exprs_.push_back(Dim(expr.value()));
      if (op == DimOp::symbol) return exprs_.push_back(Dim::symbol(text(expr.name())));
      if (expr.operands() == nullptr || expr.operands()->size() < 2) damaged("an expression without operands");
      exprs_.push_back(combine(op, dims(expr.operands())));
    });
  }

  static Dim combine(DimOp op, const std::vector<Dim>& operands) {
    Dim total = operands[0];
    for (size_t i = 1; i < operands.size(); ++i) {
      switch (op) {
        case DimOp::add:
          total = total + operands[i];
          break;
        case DimOp::mul:
          total = total * operands[i];
          break;
        case DimOp::floor_div:
          total = floor_div(total, operands[i]);
          break;
        case DimOp::ceil_div:
          total = ceil_div(total, operands[i]);
          break;
        case DimOp::mod:
          total = mod(total, operands[i]);
          break;
        case DimOp::min:
          total = min(total, operands[i]);
          break;
        default:
          total = max(total, operands[i]);
          break;
      }
    }
    return total;
  }

  Dim dim(uint32_t i) const {
    if (i >= exprs_.size()) damaged("expression {} of {}", i, exprs_.size());
    return exprs_[i];
  }

  std::vector<Dim> dims(const flatbuffers::Vector<uint32_t>* list) const {
    std::vector<Dim> out;
    if (list != nullptr)
      for (uint32_t i : *list) out.push_back(dim(i));
    return out;
  }

  static DataType dtype(uint8_t value) {
    return static_cast<DataType>(check_enum(value, static_cast<uint8_t>(kLastDataType), "element type"));
  }

  void load_tensors(const fb::Plan& root) {
    each(root.tensors(), [&](const fb::Tensor& entry) {
      const DataType type = dtype(entry.dtype());
      std::vector<int64_t> extents = numbers(entry.extents());
      if (extents.size() > kMaxRank) damaged("a constant of rank {}", extents.size());
      const int64_t bytes = checked_mul(checked_product(extents), element_bytes(type));
      if (static_cast<uint64_t>(bytes) != entry.bytes())
        damaged("a constant of {} bytes where its extents need {}", entry.bytes(), bytes);
      check_range(entry.offset(), entry.bytes(), header_.data_bytes, "a constant");
      if (entry.offset() % kAlignment != 0) damaged("a constant at {}, which is not aligned", entry.offset());
      tensors_.push_back(
          Tensor::wrap(type, std::move(extents), file_.data() + header_.data_offset + entry.offset(), owner_));
    });
  }

  Tensor tensor(int64_t i) const {
    if (i < 0 || i >= static_cast<int64_t>(tensors_.size())) damaged("constant {} of {}", i, tensors_.size());
    return tensors_[static_cast<size_t>(i)];
  }

  // The verifier does not ask that the elements are aligned.
  template <class T>
  static std::vector<T> numbers(const flatbuffers::Vector<T>* list) {
    std::vector<T> values(list == nullptr ? 0 : list->size());
    if (!values.empty()) std::memcpy(values.data(), list->Data(), values.size() * sizeof(T));
    return values;
  }

  AttrValue attr_value(const fb::Attr& attr) const {
    switch (check_enum(attr.kind(), 8, "attribute kind")) {
      case 0:
        return attr.i();
      case 1:
        return attr.f();
      case 2:
        return text(attr.s());
      case 3:
        return dtype(static_cast<uint8_t>(std::min<uint64_t>(static_cast<uint64_t>(attr.i()), 255)));
      case 4:
        return numbers(attr.ints());
      case 5:
        return numbers(attr.floats());
      case 6:
        return texts(attr.strings());
      case 7:
        return dims(attr.exprs());
      default:
        return tensor(attr.tensor());
    }
  }

  ViewDesc view_of(const fb::View& view) const {
    ViewDesc desc;
    desc.buffer = view.buffer();
    desc.offset = dim(view.offset());
    desc.dtype = dtype(view.dtype());
    desc.dims = dims(view.dims());
    desc.strides = dims(view.strides());
    return desc;
  }

  Step step_of(const fb::Step& step, int depth) const {
    if (depth > kDeepestBody) damaged("bodies nested deeper than {}", kDeepestBody);
    Step out;
    out.id = step.id();
    out.kind = static_cast<StepKind>(check_enum(step.kind(), static_cast<uint8_t>(StepKind::launch), "step kind"));
    out.name = text(step.name());
    out.origins = texts(step.origins());
    out.op = text(step.op());
    out.kernel = text(step.kernel());
    out.version = step.version();
    each(step.params(), [&](const fb::Attr& attr) { out.params.set(text(attr.name()), attr_value(attr)); });
    each(step.inputs(), [&](const fb::View& view) { out.inputs.push_back(view_of(view)); });
    each(step.outputs(), [&](const fb::View& view) { out.outputs.push_back(view_of(view)); });
    if (step.workspace() != nullptr) out.workspace = view_of(*step.workspace());
    out.binds = texts(step.binds());
    each(step.bodies(), [&](const fb::Body& body) {
      out.bodies.emplace_back();
      each(body.steps(), [&](const fb::Step& inner) { out.bodies.back().push_back(step_of(inner, depth + 1)); });
    });
    out.flops = dim(step.flops());
    out.bytes = dim(step.bytes());
    return out;
  }

  Binding binding_of(const fb::Binding& binding) const {
    Binding out;
    out.name = text(binding.name());
    out.is_input = binding.is_input();
    out.type.dtype = dtype(binding.dtype());
    out.type.shape = Shape(dims(binding.dims()));
    out.space = static_cast<MemorySpace>(check_enum(binding.space(), 1, "memory space"));
    return out;
  }

  Profile profile_of(const fb::Profile& profile) const {
    Profile out;
    each(profile.symbols(), [&](const fb::Symbol& symbol) {
      SymbolInfo info;
      info.kind = static_cast<SymbolKind>(check_enum(symbol.kind(), 1, "symbol kind"));
      info.range = {symbol.min(), symbol.opt(), symbol.max()};
      out.symbols[text(symbol.name())] = info;
    });
    each(profile.guards(), [&](const fb::Guard& guard) {
      out.guards.push_back({dim(guard.left()), dim(guard.right()), text(guard.where())});
    });
    each(profile.buffers(), [&](const fb::Buffer& buffer) {
      BufferDesc desc;
      desc.kind =
          static_cast<BufferKind>(check_enum(buffer.kind(), static_cast<uint8_t>(BufferKind::dynamic), "buffer kind"));
      desc.space = static_cast<MemorySpace>(check_enum(buffer.space(), 1, "memory space"));
      desc.index = buffer.index();
      desc.offset = buffer.offset();
      desc.bytes = buffer.bytes();
      desc.size = dim(buffer.size());
      out.buffers.push_back(desc);
    });
    each(profile.steps(), [&](const fb::Step& step) { out.steps.push_back(step_of(step, 0)); });
    out.arena_bytes = profile.arena_bytes();
    out.device_arena_bytes = profile.device_arena_bytes();
    out.live_peak_bytes = profile.live_peak_bytes();
    return out;
  }

  std::span<const std::byte> file_;
  const PlanHeader& header_;
  std::shared_ptr<const void> owner_;
  std::vector<Dim> exprs_;
  std::vector<Tensor> tensors_;
};

}  // namespace

Plan deserialize(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, const LoadOptions& options) {
  const PlanHeader header = read_header(bytes, options);
  try {
    Plan plan = Loader(bytes, header, std::move(owner)).load();
    verify(plan);
    return plan;
  } catch (const Error& error) {
    if (error.code() == Code::invalid_plan) throw;
    damaged("{}", error.what());
  }
}

Plan load(const std::string& path, const LoadOptions& options) {
  return with_context([&] { return path; },
                      [&] {
                        const FileMap file = FileMap::open(path);
                        const auto bytes = file.bytes();
                        // Reading every byte anyway: fault the pages in at once.
                        if (options.verify_checksum && !bytes.empty())
                          madvise(const_cast<std::byte*>(bytes.data()), bytes.size(), MADV_POPULATE_READ);
                        return deserialize(bytes, file.owner(), options);
                      });
}

}  // namespace planish
