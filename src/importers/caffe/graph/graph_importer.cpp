#include "importers/caffe/graph/graph_importer.h"

#include <algorithm>

namespace planish::caffe {
namespace {

// "1 bottom", "2 to 3 bottoms", "any number of bottoms"
std::string count_text(int least, int most, const char* what) {
  if (most < 0) return fmt::format("{} or more {}s", least, what);
  const std::string number = least == most ? std::to_string(least) : fmt::format("{} to {}", least, most);
  return fmt::format("{} {}{}", number, what, most == 1 ? "" : "s");
}

void require_count(size_t found, int least, int most, const char* what) {
  const auto count = static_cast<int64_t>(found);
  if (count < least || (most >= 0 && count > most))
    fail(Code::invalid_model, "{} {}s; {} are accepted", count, what, count_text(least, most, what));
}

}  // namespace

Imported GraphImporter::import() {
  if (options_.into != nullptr) graph_ = options_.into->clone();
  if (graph_.name.empty() || options_.into == nullptr) graph_.name = network_.name;
  import_inputs();
  for (const Layer& layer : network_.layers)
    with_context(
        [&] {
          return fmt::format("importing layer '{}' ({}, line {})", layer.name, layer.type, layer.message->place().line);
        },
        [&] { import_layer(layer); });
  if (options_.mark_outputs) mark_outputs();
  return {std::move(graph_), std::move(blobs_)};
}

bool GraphImporter::is_input(ValueId id) const {
  return std::find(graph_.inputs().begin(), graph_.inputs().end(), id) != graph_.inputs().end();
}

// The network's extents, unless others are given: Caffe, too, is given another batch by reshaping its inputs.
void GraphImporter::import_inputs() {
  for (const InputBlob& input : network_.inputs) {
    if (blobs_.count(input.name) > 0) fail(Code::invalid_model, "the input '{}' is declared twice", input.name);
    if (const auto holder = graph_.find_value(input.name)) {
      if (is_input(*holder)) fail(Code::invalid_model, "the network has an input '{}' already", input.name);
      graph_.rename(*holder, graph_.fresh_name(input.name + ".before"));
    }
    const auto* given = importers::given_shape(options_.input_shapes, input.name, input.extents.size());
    std::vector<Dim> dims;
    for (size_t axis = 0; axis < input.extents.size(); ++axis) {
      if (axis == 0 && !options_.batch.empty()) {
        graph_.symbols.try_emplace(options_.batch, SymbolInfo{SymbolKind::shape, kAnyExtent});
        dims.push_back(Dim::symbol(options_.batch));
        continue;
      }
      if (given == nullptr || (*given)[axis].min == (*given)[axis].max) {
        dims.emplace_back(given == nullptr ? input.extents[axis] : (*given)[axis].min);
        continue;
      }
      const std::string hint = input.name + "." + std::to_string(axis);
      dims.push_back(Dim::symbol(graph_.fresh_symbol(hint, {SymbolKind::shape, (*given)[axis]})));
    }
    const ValueId id = importers::add_model_input(graph_, input.name, DataType::f32, std::move(dims));
    blobs_[input.name] = id;
    given_.insert(id);
  }
  importers::refuse_unknown_inputs(options_.input_shapes, graph_);
}

void GraphImporter::import_layer(const Layer& layer) {
  std::vector<ValueId> inputs;
  for (const std::string& bottom : layer.bottoms) {
    const auto at = blobs_.find(bottom);
    if (at == blobs_.end()) {
      std::vector<std::string> names;
      for (const auto& [name, id] : blobs_) names.push_back(name);
      fail(Code::invalid_model, "it reads the blob '{}', which no layer before it gives{}", bottom,
           text::suggestion(bottom, names));
    }
    inputs.push_back(at->second);
    std::erase(unread_, bottom);
  }
  for (const std::string& top : layer.tops) {
    const bool in_place = std::find(layer.bottoms.begin(), layer.bottoms.end(), top) != layer.bottoms.end();
    if (!in_place && blobs_.count(top) > 0)
      fail(Code::invalid_model, "it gives the blob '{}', which is there already; it may be rewritten in place alone",
           top);
  }
  const std::vector<ValueId> results = results_of(layer, std::move(inputs));
  for (size_t i = 0; i < layer.tops.size(); ++i) {
    const ValueId id = named(layer.tops[i], results.at(i), layer.name);
    blobs_[layer.tops[i]] = id;
    given_.insert(id);
    unread_.push_back(layer.tops[i]);
  }
}

std::vector<ValueId> GraphImporter::results_of(const Layer& layer, std::vector<ValueId> inputs) {
  const LayerWeights weights = weights_of(layer);
  if (auto made = custom_results(layer, weights, inputs)) {
    if (made->size() != layer.tops.size())
      fail(Code::invalid_argument, "{} results for {} tops", made->size(), layer.tops.size());
    return std::move(*made);
  }
  LayerContext context(graph_, layer, weights, std::move(inputs));
  run_importer(context);
  return context.results;
}

void GraphImporter::run_importer(LayerContext& context) {
  const LayerTable::Row* row = layer_table().find(context.layer().type);
  if (row == nullptr) fail(Code::unsupported, "no importer for layers of type '{}'", context.layer().type);
  const Arity& arity = row->arity;
  require_count(context.inputs().size(), arity.least, arity.most, "bottom");
  require_count(context.tops(), arity.least_tops, arity.most_tops, "top");
  row->import(context);
  if (context.results.size() < context.tops())
    fail(Code::invalid_model, "{} tops, the layer gives {}", context.tops(), context.results.size());
}

std::optional<std::vector<ValueId>> GraphImporter::custom_results(const Layer& layer, const LayerWeights& weights,
                                                                  const std::vector<ValueId>& inputs) {
  if (!options_.custom) return std::nullopt;
  CustomLayer custom{layer.name, layer.type, inputs, {}, layer.tops.size()};
  if (weights.blobs != nullptr)
    for (const wire::Blob& blob : *weights.blobs) {
      blob.count();
      custom.blobs.push_back(blob.tensor(blob.extents));
    }
  return options_.custom(graph_, custom);
}

// Layers that share a parameter by its name are drawn alike. A file gives each of them its own copy.
LayerWeights GraphImporter::weights_of(const Layer& layer) {
  static const std::vector<wire::Blob>* const none = new std::vector<wire::Blob>;
  if (weights_ != nullptr) {
    const auto at = weights_->find(layer.name);
    return {at == weights_->end() ? none : &at->second, 0, nullptr, options_.half_weights};
  }
  std::string name = layer.name;
  if (layer.message->type().name == "LayerParameter")
    for (const text::Message* spec : layer.message->messages("param"))
      if (!spec->text("name").empty()) name = spec->text("name");
  return {nullptr, hash64(name), &random_left_, options_.half_weights};
}

// The blob's value: `value` under the blob's name, or a copy where it is another blob already.
ValueId GraphImporter::named(const std::string& blob, ValueId value, const std::string& layer) {
  const auto before = blobs_.find(blob);
  if (before != blobs_.end() && before->second == value) return value;
  if (given_.count(value) > 0 || !graph_.value(value).producer.valid())
    value = add_op(graph_, "identity", {value}, {}, layer);
  if (const auto holder = graph_.find_value(blob)) {
    if (is_input(*holder)) {
      graph_.rename(value, graph_.fresh_name(blob + "." + layer));
      return value;
    }
    graph_.rename(*holder, graph_.fresh_name(blob + ".before." + layer));
  }
  graph_.rename(value, blob);
  return value;
}

void GraphImporter::mark_outputs() {
  for (const std::string& blob : unread_) graph_.add_output(blobs_.at(blob));
  if (graph_.outputs().empty()) fail(Code::invalid_model, "every blob is read by a layer: the network has no outputs");
  graph_.remove_dead();
  std::erase_if(blobs_, [&](const auto& entry) { return !graph_.alive(entry.second); });
}

}  // namespace planish::caffe
