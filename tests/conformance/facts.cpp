#include "conformance/facts.h"

#include <protozero/pbf_reader.hpp>

#include "conformance/onnx_fields.h"

namespace planish::conformance {
namespace {

using Reader = protozero::pbf_reader;
using namespace field;

// Calls `use` with a reader that stands on each field.
template <class Use>
void each_field(Reader reader, Use&& use) {
  while (reader.next()) {
    const char* const before = reader.data().data();
    use(reader);
    if (reader.data().data() == before) reader.skip();
  }
}

void read_type(Reader type, ValueFacts& facts) {
  each_field(type, [&](Reader& r) {
    if (r.tag() == kTypeTensor) {
      if (facts.kind == ValueKind::other) facts.kind = ValueKind::tensor;
      each_field(r.get_message(), [&](Reader& t) {
        if (t.tag() == kTypeElement) facts.element_type = t.get_int32();
      });
    } else if (r.tag() == kTypeSequence || r.tag() == kTypeOptional) {
      if (facts.kind == ValueKind::other)
        facts.kind = r.tag() == kTypeSequence ? ValueKind::sequence : ValueKind::optional;
      each_field(r.get_message(), [&](Reader& inner) {
        if (inner.tag() == kTypeElement) read_type(inner.get_message(), facts);
      });
    }
  });
}

ValueFacts read_value(Reader value) {
  ValueFacts facts;
  each_field(value, [&](Reader& r) {
    if (r.tag() == kValueName)
      facts.name = r.get_string();
    else if (r.tag() == kValueType)
      read_type(r.get_message(), facts);
  });
  return facts;
}

void read_constant(Reader tensor, ModelFacts& facts, std::string* name = nullptr) {
  each_field(tensor, [&](Reader& r) {
    if (r.tag() == kTensorDataType)
      facts.types.insert(r.get_int32());
    else if (r.tag() == kTensorName && name != nullptr)
      *name = r.get_string();
  });
}

void read_graph(Reader graph, ModelFacts& facts, bool outermost);

void read_attribute(Reader attribute, ModelFacts& facts) {
  std::string name;
  int64_t number = 0;
  each_field(attribute, [&](Reader& r) {
    switch (r.tag()) {
      case kAttributeName:
        name = r.get_string();
        break;
      case kAttributeInt:
        number = r.get_int64();
        break;
      case kAttributeTensor:
        read_constant(r.get_message(), facts);
        break;
      case kAttributeGraph:
      case kAttributeGraphs:
        read_graph(r.get_message(), facts, false);
        break;
      default:
        break;
    }
  });
  if (name == "to" || name == "output_dtype" || name == "dtype") facts.types.insert(number);
}

void read_node(Reader node, ModelFacts& facts) {
  std::string op, domain;
  each_field(node, [&](Reader& r) {
    if (r.tag() == kNodeOpType)
      op = r.get_string();
    else if (r.tag() == kNodeDomain)
      domain = r.get_string();
    else if (r.tag() == kNodeAttribute)
      read_attribute(r.get_message(), facts);
  });
  facts.ops.insert(domain.empty() || domain == "ai.onnx" ? op : domain + "." + op);
}

void add_boundary(std::vector<ValueFacts>& list, ValueFacts value, ModelFacts& facts) {
  facts.types.insert(value.element_type);
  facts.holds_collections =
      facts.holds_collections || value.kind == ValueKind::sequence || value.kind == ValueKind::optional;
  list.push_back(std::move(value));
}

void read_graph(Reader graph, ModelFacts& facts, bool outermost) {
  std::set<std::string> initializers;
  std::vector<ValueFacts> inputs;
  each_field(graph, [&](Reader& r) {
    if (r.tag() == kGraphNode) {
      read_node(r.get_message(), facts);
    } else if (r.tag() == kGraphInitializer) {
      std::string name;
      read_constant(r.get_message(), facts, &name);
      initializers.insert(name);
    } else if (outermost && r.tag() == kGraphInput) {
      inputs.push_back(read_value(r.get_message()));
    } else if (outermost && r.tag() == kGraphOutput) {
      add_boundary(facts.outputs, read_value(r.get_message()), facts);
    }
  });
  for (ValueFacts& input : inputs)
    if (initializers.count(input.name) == 0) add_boundary(facts.inputs, std::move(input), facts);
}

}  // namespace

ModelFacts read_facts(std::string_view model) {
  ModelFacts facts;
  each_field(Reader(model.data(), model.size()), [&](Reader& r) {
    if (r.tag() == kModelGraph)
      read_graph(r.get_message(), facts, true);
    else if (r.tag() == kModelFunction)
      each_field(r.get_message(), [&](Reader& f) {
        if (f.tag() == kFunctionNode) read_node(f.get_message(), facts);
      });
  });
  return facts;
}

}  // namespace planish::conformance
