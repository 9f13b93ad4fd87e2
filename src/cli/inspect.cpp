#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/layers.h"
#include "cli/options.h"
#include "cli/precision.h"
#include "cli/report.h"
#include "cli/session.h"
#include "ir/text.h"
#include "ops/builder.h"

namespace planish::cli {
namespace {

constexpr const char* kInspectExamples =
    "Examples:\n"
    "  planish inspect model.onnx                      its inputs and outputs, with the extents that are open\n"
    "  planish inspect model.onnx --support            what stands in the way, in one table; nothing is built\n"
    "  planish inspect deploy.prototxt --support       the same of a Caffe network; no weights are needed\n"
    "  planish inspect model.onnx --graph              the graph as text, before any rewriting\n"
    "  planish inspect model.onnx --dot g.dot          the same for Graphviz: dot -Tsvg g.dot -o g.svg\n"
    "  planish inspect model.plan --layers --memory    which kernel computes what, and where its results lie\n"
    "  planish inspect model.onnx --islands            where a Q/DQ network leaves integers, and why (with --precision "
    "int8: another)\n"
    "  planish inspect model.plan --json -             all of it for programs (docs/layers_json.md)";

struct InspectCommand {
  CommonOptions common;
  bool layers = false, memory = false, graph = false, support = false, islands = false;
  std::string dot;
};

nlohmann::json support_json(const std::vector<UnsupportedNode>& rows) {
  nlohmann::json table = nlohmann::json::array();
  for (const auto& row : rows)
    table.push_back({{"operator", row.op},
                     {"opset", row.opset},
                     {"count", row.count},
                     {"first_node", row.first},
                     {"why", row.why}});
  return {{"supported", rows.empty()}, {"missing", table}};
}

// With the extents open that nobody gives, else, where operators need them, as it would be built.
Graph import_either(const CommonOptions& options, std::string* example = nullptr) {
  try {
    return import_open(options, example);
  } catch (const Error&) {
    return import_model(options, {});
  }
}

// A Caffe network's text alone says what it needs.
CommonOptions with_some_weights(CommonOptions options) {
  options.random_weights = options.random_weights || (is_caffe_name(options.model) && options.weights.empty());
  return options;
}

void print_open(const std::string& example) {
  if (!example.empty())
    std::printf("some extents are open: %s gives them, --shape NAME=MIN:OPT:MAX a range\n", example.c_str());
}

// The table of what cannot be taken, without building. That operators are known does not say that they fit together.
void inspect_support(const CommonOptions& options) {
  const auto rows = unsupported_nodes(options.model);
  if (!options.json.empty()) write_json(options.json, support_json(rows));
  if (!options.quiet && !rows.empty()) {
    std::printf("%-32s %6s %6s  %-32s %s\n", "operator", "opset", "count", "first node", "why");
    for (const auto& row : rows)
      std::printf("%-32s %6lld %6d  %-32s %s\n", row.op.c_str(), static_cast<long long>(row.opset), row.count,
                  row.first.c_str(), row.why.c_str());
  }
  if (!rows.empty()) fail(Code::unsupported, "{} needs operators that are missing", options.model);
  std::string example;
  import_either(with_some_weights(options), &example);
  if (options.quiet) return;
  std::printf("%s: every operator is supported\n", options.model.c_str());
  print_open(example);
}

// Inputs and outputs as the model has them.
void inspect_model(const CommonOptions& options) {
  std::string example;
  const Graph graph = import_either(with_some_weights(options), &example);
  if (options.quiet) return;
  std::printf("%s: %zu nodes once imported\n", options.model.c_str(), graph.node_count());
  for (ValueId id : graph.inputs())
    std::printf("input  %s %s\n", graph.value(id).name.c_str(), graph.value(id).type.str().c_str());
  for (ValueId id : graph.outputs())
    std::printf("output %s %s\n", graph.value(id).name.c_str(), graph.value(id).type.str().c_str());
  print_open(example);
  std::printf("--layers and --memory build it and show the plan\n");
}

void print_bindings(const Plan& plan) {
  for (const Binding& binding : plan.bindings)
    std::printf("%-6s %s %s\n", binding.is_input ? "input" : "output", binding.name.c_str(),
                binding.type.str().c_str());
  for (const auto& [name, info] : plan.profiles[0].symbols)
    if (info.kind == SymbolKind::shape)
      std::printf("symbol %s in [%lld, %lld], tuned for %lld\n", name.c_str(), static_cast<long long>(info.range.min),
                  static_cast<long long>(info.range.max), static_cast<long long>(info.range.opt));
}

void print_memory(const Plan& plan) {
  const Profile& profile = plan.profiles[0];
  int64_t constants = 0;
  for (const Tensor& tensor : plan.constants) constants += tensor.byte_count();
  std::printf("constants %.3f MB in %zu tensors\n", static_cast<double>(constants) * 1e-6, plan.constants.size());
  std::printf("arena %.3f MB, live peak %.3f MB\n", static_cast<double>(profile.arena_bytes) * 1e-6,
              static_cast<double>(profile.live_peak_bytes) * 1e-6);
  std::printf("%7s %12s %12s\n", "buffer", "offset", "bytes");
  for (size_t i = 0; i < profile.buffers.size(); ++i) {
    const BufferDesc& buffer = profile.buffers[i];
    if (buffer.kind == BufferKind::arena)
      std::printf("%7zu %12lld %12lld\n", i, static_cast<long long>(buffer.offset),
                  static_cast<long long>(buffer.bytes));
  }
}

nlohmann::json buffers_json(const Profile& profile) {
  nlohmann::json buffers = nlohmann::json::array();
  for (size_t i = 0; i < profile.buffers.size(); ++i)
    if (const BufferDesc& buffer = profile.buffers[i]; buffer.kind == BufferKind::arena)
      buffers.push_back({{"buffer", i}, {"offset", buffer.offset}, {"bytes", buffer.bytes}});
  return buffers;
}

nlohmann::json plan_json(const Plan& plan) {
  nlohmann::json bindings = nlohmann::json::array();
  for (const Binding& binding : plan.bindings)
    bindings.push_back({{"name", binding.name}, {"input", binding.is_input}, {"type", binding.type.str()}});
  int64_t constants = 0;
  for (const Tensor& tensor : plan.constants) constants += tensor.byte_count();
  const Profile& profile = plan.profiles[0];
  return {{"producer", plan.producer},
          {"target", plan.target},
          {"isa", plan.isa},
          {"model", plan.model},
          {"notes", plan.notes},
          {"bindings", bindings},
          {"layers", layers_json(planned_layers(plan), 0)},
          {"constant_bytes", constants},
          {"arena_bytes", profile.arena_bytes},
          {"live_peak_bytes", profile.live_peak_bytes},
          {"buffers", buffers_json(profile)}};
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) (c == '"' || c == '\\') ? out += std::string("\\") + c : out += c;
  return out + "\"";
}

std::string graph_dot(const Graph& graph) {
  std::string out = "digraph model {\n  node [shape=box];\n";
  for (NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    out += fmt::format("  n{} [label={}];\n", id.index, quoted(node.op.str() + "\n" + node.name));
    for (ValueId input : node.inputs) {
      if (!input.valid() || !graph.value(input).producer.valid()) continue;
      const Value& value = graph.value(input);
      out += fmt::format("  n{} -> n{} [label={}];\n", value.producer.index, id.index, quoted(value.type.str()));
    }
  }
  return out + "}\n";
}

void inspect_plan(const InspectCommand& command, const Plan& plan) {
  if (!command.common.json.empty()) write_json(command.common.json, plan_json(plan));
  if (command.common.quiet) return;
  std::printf("%s, built by %s for %s (%s)\n", plan.model.c_str(), plan.producer.c_str(), plan.target.c_str(),
              plan.isa.c_str());
  print_bindings(plan);
  if (command.layers) print_planned_layers(planned_layers(plan));
  if (command.memory) print_memory(plan);
}

void inspect_graph(const InspectCommand& command) {
  const Graph graph = import_either(command.common);
  if (command.graph) std::printf("%s", print(graph).c_str());
  if (!command.dot.empty()) write_text(command.dot, graph_dot(graph));
}

void run_inspect(InspectCommand& command) {
  declare_files(command.common, {}, {{"--dot", command.dot}});
  const std::string& model = command.common.model;
  const bool of_model = command.graph || !command.dot.empty();
  if (is_plan_file(model)) {
    if (command.support || of_model || command.islands)
      fail(Code::invalid_argument, "--support, --graph, --dot and --islands need a model, {} is a plan", model);
    if (!command.common.shapes.empty())
      throw UsageError(fmt::format("--shape: {} is a plan, which has its shapes", model));
    return inspect_plan(command, obtain_plan(command.common, *open_device(command.common), {}));
  }
  if (command.support) return inspect_support(command.common);
  if (command.islands) return print_islands(command.common);
  if (of_model) inspect_graph(command);
  if (of_model && !command.layers && !command.memory && command.common.json.empty()) return;
  if (!command.layers && !command.memory && command.common.json.empty()) {
    build_options(command.common);  // refuses what is no value of a flag
    return inspect_model(command.common);
  }
  auto device = open_device(command.common);
  inspect_plan(command, obtain_plan(command.common, *device, {}));
}

}  // namespace

void add_inspect(CLI::App& app) {
  auto command = std::make_shared<InspectCommand>();
  CLI::App* sub = app.add_subcommand("inspect", "Look into a model or a plan");
  add_model_options(*sub, command->common);
  add_build_options(*sub, command->common);
  sub->add_flag("--layers", command->layers, "Steps of the plan: operator, kernel, the model's nodes");
  sub->add_flag("--memory", command->memory, "Constants, arena, buffers");
  sub->add_flag("--graph", command->graph, "The imported graph as text");
  sub->add_flag("--support", command->support, "What the model needs that is missing; nothing is built");
  sub->add_flag("--islands", command->islands, "Layers that compute in floats between integer ones, and why");
  sub->add_option("--dot", command->dot, "Write the imported graph for Graphviz; - is standard output");
  sub->footer(kInspectExamples);
  sub->callback([command] { run_inspect(*command); });
}

}  // namespace planish::cli
