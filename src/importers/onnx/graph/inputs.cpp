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
    if (range == nullptr) return 1;
    if (range->min == range->max) return range->min;
    const std::string name =
        symbol_name(dimension.param.empty() ? info.name + "." + std::to_string(axis) : dimension.param);
    auto [at, fresh] = graph_.symbols.try_emplace(name, SymbolInfo{SymbolKind::shape, *range});
    if (!fresh && at->second.range != *range)
      fail(Code::invalid_argument, "the extent '{}' is given the range [{}, {}] and, by input '{}', [{}, {}]", name,
           at->second.range.min, at->second.range.max, info.name, range->min, range->max);
    return Dim::symbol(name);
  }

  // Whether nobody gave this extent: 1 stands for it, or it stays open.
  bool is_open(const wire::ValueInfo& info, size_t axis) const {
    const auto& dimension = info.dims[axis];
    const bool open = dimension.value < 0 || !dimension.param.empty();
    return open && given(info, axis) == nullptr && by_name_.count(dimension.param) == 0;
  }

 private:
  const DimRange* given(const wire::ValueInfo& info, size_t axis) const {
    const auto at = options_.input_shapes.find(info.name);
    return at == options_.input_shapes.end() || axis >= at->second.size() ? nullptr : &at->second[axis];
  }

  Graph& graph_;
  const ImportOptions& options_;
  std::map<std::string, DimRange> by_name_;
};

// An extent that open axis `axis` may have: of batches 1, of pictures (channels first or last) 224, of sequences 128.
int64_t example_extent(const wire::ValueInfo& info, size_t axis) {
  constexpr int64_t kSide = 224, kLength = 128;
  const auto is_open = [&](size_t i) { return info.dims[i].value < 0 || !info.dims[i].param.empty(); };
  if (axis == 0 || info.dims[axis].param.find("batch") != std::string::npos) return 1;
  if (info.dims.size() != 4) return kLength;
  const bool first = !is_open(1) && is_open(2) && is_open(3), last = is_open(1) && is_open(2) && !is_open(3);
  return first || last ? kSide : kLength;
}

// The input, if nobody gave one of its extents.
void note_open(const InputExtents& extents, const wire::ValueInfo& info, const std::vector<Dim>& taken,
               importers::OpenInputs& open) {
  importers::OpenInput input{info.name, "", Shape(taken).str(), "", true};
  bool any = false;
  for (size_t axis = 0; axis < info.dims.size(); ++axis) {
    const auto& dimension = info.dims[axis];
    const bool free = extents.is_open(info, axis);
    any = any || free;
    input.only_batch = input.only_batch && (!free || axis == 0);
    const std::string written = !dimension.param.empty() ? dimension.param
                                : dimension.value < 0    ? "?"
                                                         : std::to_string(dimension.value);
    input.written += (axis == 0 ? "[" : ",") + written;
    const int64_t example = free ? example_extent(info, axis) : taken[axis].is_constant() ? taken[axis].value() : 1;
    input.example += (axis == 0 ? "" : "x") + std::to_string(example);
  }
  input.written += "]";
  if (any) open.push_back(std::move(input));
}

}  // namespace

importers::OpenInputs import_inputs(const wire::GraphProto& proto, const ImportOptions& options, Graph& graph,
                                    GraphImporter& importer) {
  InputExtents extents(graph, options, proto);
  importers::OpenInputs open;
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
    note_open(extents, info, dims, open);
    importer.define(info.name, importers::add_model_input(graph, info.name, info.dtype, std::move(dims)));
  }
  importers::refuse_unknown_inputs(options.input_shapes, graph);
  return open;
}

}  // namespace planish::onnx
