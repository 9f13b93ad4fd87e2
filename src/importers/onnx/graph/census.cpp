#include "importers/onnx/graph/census.h"

#include <set>

#include "importers/onnx/graph/graph_importer.h"

namespace planish::onnx {
namespace {

struct Census {
  const wire::Model& model;
  std::map<std::string, UnsupportedNode> rows;

  std::set<const wire::Function*> visited;

  void visit(const std::vector<wire::Node>& nodes) {
    for (const wire::Node& node : nodes) {
      for (const wire::Attribute& attribute : node.attributes)
        for (const auto& inner : attribute.graphs) visit(inner->nodes);
      if (const wire::Function* function = model.function(node.domain, node.op_type)) {
        if (visited.insert(function).second) visit(function->nodes);
        continue;
      }
      if (importer_table().find(op_label(node)) != nullptr || is_control(node) || is_plugin(node)) continue;
      UnsupportedNode& row = rows[op_label(node)];
      if (row.count++ > 0) continue;
      row.op = op_label(node);
      row.opset = opset_of(model.opsets, node);
      row.first = node.name.empty() ? (node.outputs.empty() ? "" : node.outputs[0]) : node.name;
      row.why =
          is_standard(node) || node.domain == "com.microsoft" ? "no importer for this operator" : "unknown domain";
    }
  }
};

}  // namespace

std::vector<UnsupportedNode> census_of(const wire::Model& model) {
  Census census{model, {}, {}};
  census.visit(model.graph.nodes);
  std::vector<UnsupportedNode> rows;
  for (auto& [name, row] : census.rows) rows.push_back(row);
  return rows;
}

}  // namespace planish::onnx
