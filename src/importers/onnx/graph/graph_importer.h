#pragma once
// GraphImporter: the nodes of one ONNX graph, one after the other, become nodes of ours. Calls of functions and turns
// of loops are imported by inner importers into the same graph; branches and bodies that stay into graphs of their own.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "importers/onnx/importer.h"

namespace planish::onnx {

std::string op_label(const wire::Node& node);  // what the table of importers and messages call it
bool is_standard(const wire::Node& node);
// The operator is nobody's here, but a plugin's: one that is registered, or one that ships with the library.
bool is_plugin(const wire::Node& node);
void import_plugin(NodeContext& context);
bool is_control(const wire::Node& node);  // If, Loop, Scan: their regions are imported by GraphImporter
int64_t opset_of(const wire::Opsets& opsets, const wire::Node& node);

// Names that a graph takes from around it; appended without repeats.
void collect_captures(const wire::GraphProto& graph, std::set<std::string> defined, std::vector<std::string>& captured);

class GraphImporter {
 public:
  // `bodies` counts calls and turns of loops, those of inner importers too.
  GraphImporter(const wire::Model& model, const wire::Opsets& opsets, Graph& graph, int64_t& bodies, int depth = 0)
      : model_(model), opsets_(opsets), graph_(graph), bodies_(bodies), depth_(depth) {}

  std::map<std::string, ValueId> values;

  void import_nodes(const wire::GraphProto& proto);
  void import_body(const wire::GraphProto& proto);
  void define(const std::string& name, ValueId id);

 private:
  using Named = std::vector<std::pair<std::string, ValueId>>;
  using ControlImporter = void (GraphImporter::*)(NodeContext&);

  // --- nodes.cpp
  Named constants_of(const wire::GraphProto& proto);
  ValueId named_output(const std::string& name, ValueId id);
  void free_output_name(const std::string& name);
  std::vector<wire::Node> sorted(const wire::GraphProto& proto) const;
  [[noreturn]] static void fail_missing(const wire::Node& node, const std::set<std::string>& ready);
  void import_node(const wire::Node& node);
  static void import_by_table(NodeContext& context);
  void note(NodeContext& context, int64_t opset);
  ValueId known_float(ValueId id);
  void refuse_growth();
  void import_call(NodeContext& context, const wire::Function& function);
  static std::vector<wire::Node> bound_nodes(std::vector<wire::Node> nodes, const std::vector<wire::Attribute>& given,
                                             const std::vector<wire::Attribute>& defaults);
  static const wire::Attribute* attribute_named(const std::vector<wire::Attribute>& list, const std::string& name);

  // --- control.cpp
  void capture(const std::vector<std::string>& names, GraphImporter& inner) const;
  std::vector<ValueId> captured_operands(const std::vector<std::string>& names) const;
  std::unique_ptr<Graph> import_region(const wire::GraphProto& proto, const std::vector<std::string>& captured);
  void import_if(NodeContext& context);
  void import_branches(const wire::GraphProto& then, const wire::GraphProto& otherwise,
                       const std::vector<std::string>& captured, std::vector<std::unique_ptr<Graph>>& bodies);
  void keep_one_rank(ValueId condition, std::vector<std::unique_ptr<Graph>>& bodies);
  std::optional<bool> usual_condition(ValueId id) const;
  static ControlImporter control_importer(const wire::Node& node);
  std::optional<int64_t> known_scalar(ValueId id, DataType dtype, const char* what) const;
  std::optional<bool> known_condition(ValueId id) const;
  std::vector<ValueId> written_out(const wire::GraphProto& body, const Named& constants,
                                   const std::vector<ValueId>& arguments);

  // --- loops.cpp
  struct Repetition;
  void import_loop(NodeContext& context);
  void import_scan(NodeContext& context);
  static Repetition repetition_of_loop(NodeContext& context);
  static Repetition repetition_of_scan(NodeContext& context);
  std::optional<int64_t> known_trips(const Repetition& loop) const;
  std::optional<std::vector<ValueId>> unrolled(NodeContext& context, const Repetition& loop);
  std::vector<ValueId> repeated(NodeContext& context, const Repetition& loop);
  std::unique_ptr<Graph> import_turn(const Repetition& loop, const std::vector<TensorType>& state, Dim turn,
                                     const std::vector<std::string>& captured);
  std::vector<ValueId> placed_rows(NodeContext& context, const Repetition& loop, std::vector<ValueId> results);

  const wire::Model& model_;
  const wire::Opsets& opsets_;
  Graph& graph_;
  int64_t& bodies_;
  int depth_;  // of calls
};

}  // namespace planish::onnx
