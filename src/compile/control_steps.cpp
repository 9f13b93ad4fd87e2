#include "compile/control_steps.h"

#include <algorithm>
#include <set>

#include "compile/views.h"

namespace planish {
namespace {

// For each of these symbols that is an extent of one of `of`, in their order, the extent that `views` have there.
std::vector<Dim> extents_at(const std::vector<std::string>& symbols, const std::vector<ViewDesc>& of,
                            const std::vector<ViewDesc>& views) {
  std::vector<Dim> values;
  for (const std::string& symbol : symbols)
    for (size_t i = 0; i < of.size(); ++i)
      for (size_t axis = 0; axis < of[i].dims.size(); ++axis)
        if (of[i].dims[axis] == Dim::symbol(symbol)) values.push_back(views[i].dims[axis]);
  return values;
}

std::vector<std::string> symbols_among(const std::vector<Dim>& dims, const std::vector<std::string>& names) {
  std::vector<std::string> found;
  for (Dim dim : dims)
    if (dim.op() == DimOp::symbol && std::find(names.begin(), names.end(), dim.name()) != names.end())
      found.emplace_back(dim.name());
  return found;
}

}  // namespace

void ControlSteps::emit(Environment& values) { node_.op == "if" ? emit_if(values) : emit_loop(values); }

Step ControlSteps::control(const char* kernel) const {
  Step step;
  step.kind = StepKind::control;
  step.name = node_.name;
  step.origins = node_.origins;
  step.op = step.kernel = kernel;
  return step;
}

// One element as a scalar that has its place when shapes are set, as control steps read it.
ViewDesc ControlSteps::scalar(const ViewDesc& view) {
  ViewDesc one = view;
  one.dims.clear();
  one.strides.clear();
  if (!draft_.is_late(view)) return one;
  const ViewDesc copy = draft_.temporary({view.dtype, Shape{}}, Layout::row_major);
  draft_.add_copy(one, copy, node_.name, node_.origins);
  return copy;
}

// Into the memory of a value, with the extents of the source.
void ControlSteps::copy_into(const ViewDesc& memory, const ViewDesc& source) {
  const TensorType type{source.dtype, Shape(source.dims)};
  draft_.add_copy(source, dense_view(memory.buffer, type, Layout::row_major), node_.name, node_.origins);
}

void ControlSteps::bind_values(const std::vector<std::string>& symbols, const std::vector<Dim>& values) {
  if (!symbols.empty()) emit_extents("extents.values", {{"values", values}}, symbols);
}

// What a branch assumes is checked where it runs: at its beginning, or by the step of it that binds the last symbol.
void ControlSteps::emit_guards(const Graph& branch) {
  std::set<std::string> own;
  collect_bound(branch, own);
  for (const Guard& guard : branch.guards) {
    const auto names = guard.symbols();
    if (std::any_of(names.begin(), names.end(), [&](const auto& name) { return own.count(name) > 0; })) {
      draft_.add_guard(guard);
      continue;
    }
    if (!std::all_of(names.begin(), names.end(), [&](const auto& name) { return draft_.is_bound(name); })) continue;
    Step step = control("guard");
    step.kind = StepKind::reference;
    step.op = "guard";
    step.params = {{"extents", std::vector<Dim>{guard.left, guard.right}}, {"what", guard.str()}};
    draft_.add_step(std::move(step));
  }
}

void ControlSteps::emit_extents(const char* kernel, Attrs params, const std::vector<std::string>& symbols) {
  Step step = control(kernel);
  step.kind = StepKind::reference;
  step.name += ".extents";
  step.op = "extents";
  step.params = std::move(params);
  step.binds = symbols;
  draft_.add_step(std::move(step));
}

void ControlSteps::emit_if(Environment& values) {
  Step step = control("if");
  step.inputs = {scalar(regions_.view_of(graph_, node_.inputs[0], values))};
  step.bodies.resize(2);
  Views results;
  for (ValueId output : node_.outputs) {
    results.push_back(draft_.temporary(graph_.value(output).type, Layout::row_major));
    values[output] = results.back();
  }
  // Values from outside stay alive through both branches: both are emitted before the step itself.
  for (size_t branch = 0; branch < 2; ++branch) {
    const Graph& region = *node_.regions[branch];
    Environment inner;
    for (size_t i = 0; i < region.inputs().size(); ++i)
      inner[region.inputs()[i]] = regions_.view_of(graph_, node_.inputs[i + 1], values);
    step.bodies[branch] = draft_.body([&] {
      emit_guards(region);
      regions_.emit_graph(region, inner);
      Views sources;
      for (ValueId output : region.outputs()) sources.push_back(regions_.view_of(region, output, inner));
      bind_values(node_.binds, extents_at(node_.binds, results, sources));
      for (size_t i = 0; i < results.size(); ++i) copy_into(results[i], sources[i]);
    });
  }
  draft_.add_step(std::move(step));
}

// --- loop

// Those that stand for extents of the state; what follows each among the node's symbols is its next value.
std::vector<std::string> ControlSteps::state_symbols() const {
  std::vector<std::string> symbols;
  for (size_t i = 0; i < carried(); ++i) {
    const auto& dims = body().value(body().inputs()[i + 2]).type.shape.dims();
    for (std::string& name : symbols_among(dims, node_.binds))
      if (std::find(symbols.begin(), symbols.end(), name) == symbols.end()) symbols.push_back(std::move(name));
  }
  return symbols;
}

std::vector<std::string> ControlSteps::next_symbols() const {
  std::vector<std::string> next;
  for (const std::string& name : state_symbols())
    next.push_back(*(std::find(node_.binds.begin(), node_.binds.end(), name) + 1));
  return next;
}

// The result's, with the symbols for the next iteration.
Shape ControlSteps::next_shape(const ViewDesc& state, const ViewDesc& result) const {
  std::vector<Dim> dims = result.dims;
  const auto now = state_symbols(), next = next_symbols();
  for (size_t k = 0; k < now.size(); ++k)
    for (size_t axis = 0; axis < dims.size(); ++axis)
      if (state.dims[axis] == Dim::symbol(now[k])) dims[axis] = Dim::symbol(next[k]);
  return Shape(std::move(dims));
}

ControlSteps::Views ControlSteps::initial_state(Environment& values) {
  Views state, first;
  for (size_t i = 0; i < carried(); ++i) {
    first.push_back(regions_.view_of(graph_, node_.inputs[i + 2], values));
    state.push_back(draft_.temporary(body().value(body().inputs()[i + 2]).type, Layout::row_major));
  }
  bind_values(state_symbols(), extents_at(state_symbols(), state, first));
  for (size_t i = 0; i < state.size(); ++i) copy_into(state[i], first[i]);
  return state;
}

// Memory of the stacked rows, as large as the iterations so far made it.
ControlSteps::Views ControlSteps::row_memory() {
  Views rows;
  std::vector<std::string> unknown;
  for (size_t i = carried(); i < node_.outputs.size(); ++i) {
    const TensorType& type = graph_.value(node_.outputs[i]).type;
    std::vector<Dim> dims = type.shape.dims();
    dims[0] = iteration() + Dim(1);
    rows.push_back(draft_.temporary({type.dtype, Shape(dims)}, Layout::row_major));
    const auto bound = symbols_among({dims.begin() + 1, dims.end()}, node_.binds);
    unknown.insert(unknown.end(), bound.begin(), bound.end());
  }
  bind_values(unknown, std::vector<Dim>(unknown.size(), 0));
  return rows;
}

void ControlSteps::number(const ViewDesc& memory) {
  Step step = control("dims");
  step.kind = StepKind::reference;
  step.params = {{"values", std::vector<Dim>{iteration()}}, {"scalar", int64_t{1}}};
  step.outputs = {memory};
  draft_.add_step(std::move(step));
}

void ControlSteps::stack(size_t i, const ViewDesc& memory, const ViewDesc& row) {
  const Shape& whole = graph_.value(node_.outputs[carried() + i]).type.shape;
  std::vector<Dim> values, before;
  for (size_t axis = 0; axis < row.dims.size(); ++axis)
    if (!symbols_among({whole.dims()[axis + 1]}, node_.binds).empty()) {
      values.push_back(row.dims[axis]);
      before.push_back(whole.dims()[axis + 1]);
    }
  if (!values.empty())
    emit_extents("extents.rows", {{"values", values}, {"before", before}, {"iteration", std::vector<Dim>{iteration()}}},
                 symbols_among(before, node_.binds));
  ViewDesc to = dense_view(memory.buffer, {row.dtype, Shape(row.dims)}, Layout::row_major);
  to.offset = iteration() * Shape(row.dims).element_count() * Dim(element_bytes(row.dtype));
  draft_.add_copy(row, to, node_.name, node_.origins);
}

// What the iteration makes of its state, apart from the state: results may be views of it, or of one another's, and
// their extents may be expressions of the old ones.
ControlSteps::Views ControlSteps::next_state(const Views& state, Views results) {
  bind_values(next_symbols(), extents_at(state_symbols(), state, results));
  for (size_t i = 0; i < state.size(); ++i) {
    const ViewDesc apart = draft_.temporary({results[i].dtype, next_shape(state[i], results[i])}, Layout::row_major);
    copy_into(apart, results[i]);
    results[i] = apart;
  }
  return results;
}

void ControlSteps::hand_on(const Views& state, const Views& next) {
  std::vector<Dim> extents;
  for (const std::string& symbol : next_symbols()) extents.push_back(Dim::symbol(symbol));
  bind_values(state_symbols(), extents);
  for (size_t i = 0; i < state.size(); ++i) copy_into(state[i], next[i]);
}

void ControlSteps::emit_loop(Environment& values) {
  Step step = control("loop");
  step.binds = node_.binds;
  const ViewDesc index = draft_.temporary({DataType::i64, Shape{}}, Layout::row_major);
  const ViewDesc goes_on = draft_.temporary({DataType::boolean, Shape{}}, Layout::row_major);
  const Tensor yes = Tensor::make(DataType::boolean, {}, [](std::byte* out) { *out = std::byte{1}; });
  const auto operand = [&](size_t i) { return regions_.view_of(graph_, node_.inputs[i], values); };
  copy_into(goes_on, scalar(node_.inputs[1].valid() ? operand(1) : draft_.constant(yes)));
  step.inputs = {node_.inputs[0].valid() ? scalar(operand(0)) : ViewDesc{}, goes_on};
  const Views state = initial_state(values), rows = row_memory();
  Environment inner = {{body().inputs()[0], index}, {body().inputs()[1], goes_on}};
  for (size_t i = 0; i < state.size(); ++i) inner[body().inputs()[i + 2]] = state[i];
  for (size_t i = state.size() + 2; i < body().inputs().size(); ++i) inner[body().inputs()[i]] = operand(i);
  step.bodies = draft_.repeated_bodies(
      [&, next = Views()](size_t part) mutable {
        if (part == 1) return hand_on(state, next);
        number(index);
        regions_.emit_graph(body(), inner);
        Views results;
        for (ValueId output : body().outputs()) results.push_back(regions_.view_of(body(), output, inner));
        for (size_t i = 0; i < rows.size(); ++i) stack(i, rows[i], results[state.size() + 1 + i]);
        if (results[0].buffer != goes_on.buffer) copy_into(goes_on, scalar(results[0]));
        next = next_state(state, {results.begin() + 1, results.begin() + 1 + std::ssize(state)});
      },
      2);
  draft_.add_step(std::move(step));
  for (size_t i = 0; i < state.size(); ++i) values[node_.outputs[i]] = state[i];
  for (size_t i = 0; i < rows.size(); ++i) {
    const ValueId output = node_.outputs[state.size() + i];
    values[output] = dense_view(rows[i].buffer, graph_.value(output).type, Layout::row_major);
  }
}

}  // namespace planish
