#pragma once
// Changes of a plan's meaning that keep its form: operands, types, extents, strides, parameters, kernels, symbols,
// buffers, bindings, constants, steps.

#include <random>

#include "kernels/kernel.h"
#include "plan/plan.h"

namespace planish::testing {

class PlanMutation {
 public:
  PlanMutation(const std::vector<Plan>& plans, uint32_t seed) : plans_(plans), random_(seed) {}

  void apply(Plan& plan) {
    profile_ = &plan.profiles[0];
    const int count = 1 + pick(3) * pick(2);
    for (int i = 0; i < count; ++i) change(plan);
  }

 private:
  size_t pick(size_t count) { return random_() % static_cast<uint32_t>(count); }
  int pick(int count) { return static_cast<int>(pick(static_cast<size_t>(count))); }
  template <class List>
  auto& any_of(List& list) {
    return list[pick(std::size(list))];
  }

  int64_t number(int64_t before) {
    static const int64_t kNumbers[] = {0,
                                       1,
                                       2,
                                       3,
                                       5,
                                       8,
                                       16,
                                       64,
                                       4096,
                                       -1,
                                       -2,
                                       INT32_MIN,
                                       INT32_MAX + int64_t{1},
                                       1ll << 40,
                                       INT64_MAX,
                                       INT64_MIN,
                                       INT64_MIN + 1};
    switch (pick(5)) {
      case 0:
        return before > -1000000 && before < 1000000 ? before * 2 : before;
      case 1:
        return before == INT64_MAX ? before : before + 1;
      case 2:
        return before == INT64_MIN ? before : before - 1;
      default:
        return any_of(kNumbers);
    }
  }

  double real(double before) {
    static const double kReals[] = {0, 1, -1, 0.5, 1e-30, 1e30, 1e300, INFINITY, -INFINITY, NAN};
    return pick(3) == 0 ? before * 2 : any_of(kReals);
  }

  // Constants mostly; else expressions that a profile's symbols can make negative, huge or undefined.
  Dim extent(Dim before) {
    if (pick(6) != 0) return before.is_constant() ? Dim(number(before.value())) : Dim(number(3));
    const Dim n = profile_->symbols.empty() ? Dim(2) : Dim::symbol(any_symbol());
    try {
      switch (pick(7)) {
        case 0:
          return before - n;
        case 1:
          return before * n;
        case 2:
          return floor_div(before, n - Dim(3));
        case 3:
          return mod(before, Dim(2) - n);
        case 4:
          return ceil_div(Dim(7) - n, Dim(-2));
        case 5:
          return n * Dim(int64_t{1} << 40) * n;
        default:
          return Dim::symbol("Stranger");
      }
    } catch (const Error&) {
      return before;
    }
  }

  std::string any_symbol() {
    auto at = profile_->symbols.begin();
    std::advance(at, pick(profile_->symbols.size()));
    return at->first;
  }

  Step* any_step(std::vector<Step>& steps) {
    if (steps.empty()) return nullptr;
    Step& step = any_of(steps);
    if (!step.bodies.empty() && pick(2) == 0)
      if (Step* inner = any_step(any_of(step.bodies))) return inner;
    return &step;
  }

  void change(Plan& plan) {
    Step* step = any_step(profile_->steps);
    if (step == nullptr) return;
    switch (pick(24)) {
      case 0:
        return change_buffer(plan);
      case 1:
        return change_binding(plan);
      case 2:
        return change_constant(plan);
      case 3:
        return change_symbol();
      case 4:
        return change_kernel(*step);
      case 5:
        return change_steps();
      case 6:
        return change_view(step->workspace);
      case 7:
        return change_kind(*step);
      case 8:
      case 9:
      case 10:
      case 11:
        return change_list(pick(4) == 0 ? step->outputs : step->inputs, *step);
      case 12:
      case 13:
      case 14:
      case 15:
      case 16:
        return change_param(step->params);
      default: {
        auto& views = pick(3) == 0 ? step->outputs : step->inputs;
        if (!views.empty()) change_view(any_of(views));
      }
    }
  }

  void change_view(ViewDesc& view) {
    const size_t rank = view.dims.size();
    switch (pick(9)) {
      case 0:
        view.dtype = static_cast<DataType>(pick(static_cast<int>(kLastDataType) + 2));
        return;
      case 1:
        view.offset = extent(view.offset);
        return;
      case 2:
        view.buffer = pick(static_cast<int>(profile_->buffers.size()) + 2) - 1;
        return;
      case 3:
        if (rank > 0) view.dims.pop_back(), view.strides.pop_back();
        return;
      case 4:
        view.dims.insert(view.dims.begin() + pick(static_cast<int>(rank) + 1), Dim(1 + pick(2)));
        view.strides.insert(view.strides.begin() + pick(static_cast<int>(rank) + 1), Dim(pick(2)));
        return;
      case 5:
        if (rank > 1) std::swap(any_of(view.strides), any_of(view.strides));
        return;
      case 6:
        if (rank > 1) std::swap(any_of(view.dims), any_of(view.dims));
        return;
      case 7:
        if (rank > 0) change_dim(any_of(view.strides));
        return;
      default:
        if (rank > 0) change_dim(any_of(view.dims));
    }
  }
  void change_dim(Dim& dim) { dim = extent(dim); }

  void change_list(std::vector<ViewDesc>& views, const Step& step) {
    switch (pick(6)) {
      case 0:
        if (!views.empty()) views.erase(views.begin() + pick(static_cast<int>(views.size())));
        return;
      case 1:
        if (!views.empty()) views.push_back(any_of(views));
        return;
      case 2:
        if (!views.empty()) std::swap(any_of(views), any_of(views));
        return;
      case 3:
        if (!views.empty()) any_of(views).buffer = -1;
        return;
      case 4:
        if (!views.empty() && !step.outputs.empty()) any_of(views) = any_of(step.outputs);
        return;
      default:
        const Step& other = any_of(profile_->steps);
        if (!views.empty() && !other.inputs.empty()) any_of(views) = any_of(other.inputs);
    }
  }

  std::string text(std::string before) {
    static const char* kTexts[] = {"",
                                   "constant",
                                   "reflect",
                                   "wrap",
                                   "edge",
                                   "nearest",
                                   "linear",
                                   "cubic",
                                   "CRD",
                                   "SAME_UPPER",
                                   "VALID",
                                   "add",
                                   "reverse",
                                   "floor",
                                   "half_pixel",
                                   "align_corners",
                                   "1: r1 = constant(1e300); return r1, r0",
                                   "0: r0 = constant(1); return r0",
                                   "2: r2 = div(r0, r1); return r2"};
    if (before.empty() || pick(3) == 0) return any_of(kTexts);
    for (int i = 0; i < 40; ++i)
      if (char& c = any_of(before); c >= '0' && c <= '9') {
        c = static_cast<char>('0' + pick(10));
        return before;
      }
    any_of(before) = static_cast<char>('a' + pick(26));
    return before;
  }

  void change_param(Attrs& params) {
    if (params.empty()) return;
    const Attrs::Entry entry = any_of(params.entries());
    AttrValue value = entry.second;
    if (pick(20) == 0) return params.erase(entry.first);
    if (pick(20) == 0) return params.set("stranger", value);
    if (auto* v = std::get_if<int64_t>(&value)) *v = number(*v);
    if (auto* v = std::get_if<double>(&value)) *v = real(*v);
    if (auto* v = std::get_if<std::string>(&value)) *v = text(*v);
    if (auto* v = std::get_if<DataType>(&value)) *v = static_cast<DataType>(pick(static_cast<int>(kLastDataType) + 2));
    if (auto* v = std::get_if<std::vector<int64_t>>(&value)) change_ints(*v);
    if (auto* v = std::get_if<std::vector<Dim>>(&value); v != nullptr && !v->empty()) change_dim(any_of(*v));
    if (std::get_if<Tensor>(&value) != nullptr) value = any_tensor();
    params.set(entry.first, value);
  }
  void change_ints(std::vector<int64_t>& list) {
    if (list.empty() || pick(6) == 0) return list.push_back(number(1));
    if (pick(6) == 0) return list.pop_back();
    int64_t& element = any_of(list);
    element = number(element);
  }

  Tensor any_tensor() {
    const Plan& other = any_of(plans_);
    if (!other.constants.empty() && pick(2) == 0) return any_of(other.constants);
    return pick(2) == 0 ? Tensor::ints(std::vector<int64_t>{number(0), number(1), number(2)})
                        : Tensor::scalar(static_cast<float>(pick(5)) - 2);
  }

  void change_kernel(Step& step) {
    const KernelTable& table = step.kind == StepKind::cpu ? cpu_kernels(Isa::scalar) : reference_kernels();
    const auto rows = table.rows();
    const Kernel* row = any_of(rows);
    step.kernel = row->name;
    step.version = row->version;
    if (pick(2) == 0) step.params = {};
  }

  void change_kind(Step& step) {
    step.kind = static_cast<StepKind>(pick(8));
    if (step.kind == StepKind::control) step.kernel = "if";
    if (step.kind == StepKind::control) step.bodies = {{}, {}};
    if (const Kernel* row = reference_kernels().find(step.kernel); row != nullptr && step.kind == StepKind::reference)
      step.version = row->version;
  }

  void change_steps() {
    std::vector<Step>& steps = profile_->steps;
    switch (pick(3)) {
      case 0:
        return std::swap(any_of(steps), any_of(steps));
      case 1:
        if (steps.size() > 1) steps.erase(steps.begin() + pick(static_cast<int>(steps.size())));
        return;
      default:
        steps.push_back(any_of(steps));
        steps.back().id += 1000;
    }
  }

  void change_symbol() {
    if (profile_->symbols.empty()) return;
    DimRange& range = profile_->symbols[any_symbol()].range;
    (pick(2) == 0 ? range.min : range.max) = number(range.max);
  }

  void change_buffer(Plan& plan) {
    if (pick(8) == 0) {
      profile_->arena_bytes = number(profile_->arena_bytes);
      return;
    }
    if (profile_->buffers.empty()) return;
    BufferDesc& buffer = any_of(profile_->buffers);
    switch (pick(4)) {
      case 0:
        buffer.kind = static_cast<BufferKind>(pick(4));
        buffer.index = pick(static_cast<int>(plan.constants.size() + 2)) - 1;
        return;
      case 1:
        buffer.index = pick(static_cast<int>(std::max(plan.constants.size(), plan.bindings.size())) + 1) - 1;
        return;
      case 2:
        buffer.offset = pick(2) == 0 ? number(buffer.offset) : 64 * pick(8);
        return;
      default:
        buffer.bytes = number(buffer.bytes);
    }
  }

  void change_binding(Plan& plan) {
    Binding& binding = any_of(plan.bindings);
    std::vector<Dim> dims = binding.type.shape.dims();
    switch (pick(5)) {
      case 0:
        binding.type.dtype = static_cast<DataType>(pick(static_cast<int>(kLastDataType) + 2));
        return;
      case 1:
        binding.is_input = !binding.is_input;
        return;
      case 2:
        return std::swap(any_of(plan.bindings), any_of(plan.bindings));
      case 3:
        binding.name = any_of(plan.bindings).name;
        return;
      default:
        if (!dims.empty()) change_dim(any_of(dims));
        binding.type.shape = Shape(dims);
    }
  }

  void change_constant(Plan& plan) {
    if (plan.constants.empty()) return;
    if (pick(2) == 0)
      any_of(plan.constants) = any_tensor();
    else
      std::swap(any_of(plan.constants), any_of(plan.constants));
  }

  const std::vector<Plan>& plans_;
  std::mt19937 random_;
  Profile* profile_ = nullptr;
};

}  // namespace planish::testing
