#include "importers/onnx/graph/inputs.h"

#include <set>

#include "importers/common/inputs.h"

namespace planish::onnx {
namespace {

std::string symbol_name(const std::string& text) {
  std::string name;
  for (char c : text) name += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' ? c : '_';
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0) name = "d" + name;
  return name;
}

// Extents of the graph's inputs: fixed ones from the file, dynamic ones from the caller. A range that one input gives
// to a named extent holds for all inputs that share the name; without any, 1 is taken and remembered.
class InputExtents {
 public:
  InputExtents(Graph& graph, const ImportOptions& options, const wire::GraphProto& proto)
      : graph_(graph), options_(options) {
    for (const wire::ValueInfo& info : proto.inputs)
      for (size_t axis = 0; axis < info.dims.size(); ++axis)
        if (const DimRange* range = given(info, axis); range != nullptr && !info.dims[axis].param.empty())
          by_name_.try_emplace(info.dims[axis].param, *range);
  }

  Dim of(const wire::ValueInfo& info, size_t axis) {
    const auto& dimension = info.dims[axis];
    if (dimension.value < -1)  // -1 is written where an extent is not known
      fail(Code::invalid_model, "input '{}' has the extent {} on axis {}", info.name, dimension.value, axis);
    const DimRange* range = given(info, axis);
    if (dimension.value >= 0 && dimension.param.empty()) {
      if (range != nullptr && (range->min != dimension.value || range->max != dimension.value))
        fail(Code::invalid_argument, "input '{}' has the fixed extent {} on axis {}, {} asked for", info.name,
             dimension.value, axis, range->opt);
      return dimension.value;
    }
    if (const auto at = by_name_.find(dimension.param); range == nullptr && at != by_name_.end()) range = &at->second;
    if (range == nullptr && options_.keep_dynamic) range = &kAnyExtent;
    if (range == nullptr) return assumed(info, axis);
    if (range->min == range->max) return range->min;
    const std::string name =
        symbol_name(dimension.param.empty() ? info.name + "." + std::to_string(axis) : dimension.param);
    auto [at, fresh] = graph_.symbols.try_emplace(name, SymbolInfo{SymbolKind::shape, *range});
    if (!fresh && at->second.range != *range)
      fail(Code::invalid_argument, "the extent '{}' is given the range [{}, {}] and, by input '{}', [{}, {}]", name,
           at->second.range.min, at->second.range.max, info.name, range->min, range->max);
    return Dim::symbol(name);
  }

  const Assumptions& assumptions() const { return assumptions_; }

 private:
  const DimRange* given(const wire::ValueInfo& info, size_t axis) const {
    const auto at = options_.input_shapes.find(info.name);
    return at == options_.input_shapes.end() || axis >= at->second.size() ? nullptr : &at->second[axis];
  }

  Dim assumed(const wire::ValueInfo& info, size_t axis) {
    const std::string& param = info.dims[axis].param;
    assumptions_.only_batches = assumptions_.only_batches && axis == 0;
    assumptions_.text += fmt::format("{}input '{}' axis {}{}", assumptions_.text.empty() ? "" : ", ", info.name, axis,
                                     param.empty() ? "" : " ('" + param + "')");
    return 1;
  }

  Graph& graph_;
  const ImportOptions& options_;
  std::map<std::string, DimRange> by_name_;
  Assumptions assumptions_;
};

}  // namespace

Assumptions import_inputs(const wire::GraphProto& proto, const ImportOptions& options, Graph& graph,
                          GraphImporter& importer) {
  InputExtents extents(graph, options, proto);
  std::set<std::string> constants;
  for (const auto& [name, tensor] : proto.initializers) constants.insert(name);
  for (const wire::ValueInfo& info : proto.inputs) {
    if (constants.count(info.name) > 0) continue;
    if (info.dtype == DataType::none || !info.has_shape)
      fail(Code::unsupported, "input '{}' is no tensor of known rank", info.name);
    if (info.dims.size() > kMaxRank)
      fail(Code::unsupported, "input '{}' has rank {}; at most {}", info.name, info.dims.size(), kMaxRank);
    importers::given_shape(options.input_shapes, info.name, info.dims.size());
    std::vector<Dim> dims;
    for (size_t axis = 0; axis < info.dims.size(); ++axis) dims.push_back(extents.of(info, axis));
    importer.define(info.name, importers::add_model_input(graph, info.name, info.dtype, std::move(dims)));
  }
  importers::refuse_unknown_inputs(options.input_shapes, graph);
  return extents.assumptions();
}

}  // namespace planish::onnx
