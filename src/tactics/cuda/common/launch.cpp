#include "tactics/cuda/common/launch.h"

#include <algorithm>

#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {
namespace {

constexpr double kBytesPerUs = 2e6, kLaunchUs = 2;
constexpr size_t kMostExtras = 12;  // arguments have room for that many views

double all_bytes(const TacticQuery& query) {
  double bytes = 0;
  const auto add = [&](ValueId id) {
    if (!id.valid()) return;
    const TensorType& type = query.graph.value(id).type;
    bytes += typical_elements(query, type.shape) * static_cast<double>(element_bytes(type.dtype));
  };
  for (ValueId input : query.node.inputs) add(input);
  for (ValueId output : query.node.outputs) add(output);
  return bytes;
}

}  // namespace

void Launch::three(const std::vector<Dim>& list) {
  for (size_t i = 0; i < 3; ++i) integer(i < list.size() ? list[i] : Dim(1));
}

Attrs Launch::attrs(const std::string& arch) const {
  Attrs attrs;
  attrs.set("image", image_of(source, options, arch));
  attrs.set("grid", grid);
  attrs.set("block", std::vector<int64_t>{block, 1, 1});
  attrs.set("arguments", arguments);
  attrs.set("overlap", int64_t{1});
  if (!values.empty()) attrs.set("values", values);
  if (!floats.empty()) attrs.set("floats", floats);
  if (cluster > 1) attrs.set("cluster", std::vector<int64_t>{cluster, 1, 1});
  if (shared > 0) attrs.set("shared", shared);
  return attrs;
}

Candidate launch_candidate(const TacticQuery& query, Launch launch, std::vector<size_t> operands, double us) {
  Candidate candidate;
  candidate.space = MemorySpace::device;
  candidate.name = "cuda." + launch.kernel;
  candidate.inputs.assign(query.node.inputs.size(), LayoutRule::any);
  candidate.outputs.assign(query.node.outputs.size(), LayoutRule::row_major);
  candidate.estimated_us = us;
  candidate.emit = [launch = std::move(launch), operands = std::move(operands), results = query.node.outputs.size(),
                    arch = query.cuda](StepBuilder& builder) {
    std::vector<Operand> inputs, outputs;
    for (size_t operand : operands) inputs.push_back(builder.input(operand));
    for (const Tensor& constant : launch.constants) inputs.push_back(builder.constant(constant));
    for (size_t i = 0; i < results; ++i) outputs.push_back(builder.output(i));
    builder.step(StepKind::launch, launch.kernel, launch.attrs(arch), std::move(inputs), std::move(outputs));
  };
  return candidate;
}

Epilogue epilogue_of(const TacticQuery& query, const EpilogueForm& form) {
  Epilogue epilogue;
  if (form.epilogue.results.empty()) return epilogue;
  if (form.extras.size() > kMostExtras) epilogue.refusal = "its epilogue has more than twelve operands";
  std::string parameters, arguments, references, loads;
  for (size_t i = 0; i < form.extras.size(); ++i) {
    const std::string type = device_type(query.graph.value(form.extras[i]).type.dtype);
    if (type.empty())
      epilogue.refusal = "an operand of its epilogue is " + query.graph.value(form.extras[i]).type.str();
    epilogue.extras.push_back(operand_index(query.node, form.extras[i]));
    parameters += fmt::format(", const __grid_constant__ View e{}", i);
    references += fmt::format(", const View& e{}", i);
    arguments += fmt::format(", e{}", i);
    loads += fmt::format("  const float r{} = load_at<{}, float>(e{}, at);\n", i + 1, type, i);
  }
  if (!epilogue.refusal.empty()) return epilogue;
  epilogue.source = fmt::format("#define EXTRA_PARAMETERS {}\n#define EXTRA_ARGUMENTS {}\n", parameters, arguments);
  epilogue.source += with_primitives(device_type(query.output(0).type.dtype)) + "#include \"view.cuh\"\n";
  epilogue.source += fmt::format(
      "template <int N>\n__device__ inline float epilogue(float r0, const int (&at)[N]{}) {{\n", references);
  epilogue.source += loads + statements(form.epilogue, Arithmetic::f32);
  epilogue.source += fmt::format("  return r{};\n}}\n", form.epilogue.results.at(0));
  return epilogue;
}

void add_extras(const Epilogue& epilogue, size_t first_input, Launch& launch) {
  for (size_t i = 0; i < epilogue.extras.size(); ++i)
    launch.arguments.push_back(fmt::format("spread:i{}", first_input + i));
}

double typical_elements(const TacticQuery& query, const Shape& shape) {
  double count = 1;
  for (int64_t extent : query.typical(shape)) count *= static_cast<double>(extent);
  return count;
}

double estimate_us(const TacticQuery& query, double flops, double tera) {
  return kLaunchUs + std::max(all_bytes(query) / kBytesPerUs, flops / (tera * 1e6));
}

size_t operand_index(const Node& node, ValueId id) {
  const auto at = std::find(node.inputs.begin(), node.inputs.end(), id);
  if (at == node.inputs.end()) fail(Code::internal, "node '{}' has no such operand", node.name);
  return static_cast<size_t>(at - node.inputs.begin());
}

std::string refuse_types(const TacticQuery& query) {
  for (size_t i = 0; i < query.node.inputs.size(); ++i)
    if (query.has_input(i) && device_type(query.input(i).type.dtype).empty())
      return fmt::format("operand {} is {}", i, query.input(i).type.str());
  for (size_t i = 0; i < query.node.outputs.size(); ++i)
    if (device_type(query.output(i).type.dtype).empty())
      return fmt::format("result {} is {}", i, query.output(i).type.str());
  return "";
}

}  // namespace planish::tactics::cuda
