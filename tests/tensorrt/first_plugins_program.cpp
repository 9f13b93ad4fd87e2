// Plugins that ship with the library as versions 3 to 5 make them (INvPlugin): as layers of a network, called by
// themselves, and from the bytes that they wrote, each with the answers of the same plugin of the second generation or
// with answers that are known. Says what was not so and ends with 1.

#include <functional>

#include "program.h"

using namespace nvinfer1::plugin;

namespace {

using Floats = std::vector<float>;
using FirstPlugin = std::unique_ptr<INvPlugin, void (*)(INvPlugin*)>;

FirstPlugin owned(INvPlugin* plugin) {
  return FirstPlugin(plugin, [](INvPlugin* one) { one->destroy(); });
}

struct Operand {
  int c, h, w;
  Floats values;
  Operand(int c, int h, int w, float from = -1, float to = 1) : c(c), h(h), w(w) {
    static unsigned state = 7;
    for (int i = 0; i < c * h * w; ++i) {
      state = state * 1664525U + 1013904223U;
      values.push_back(from + (to - from) * static_cast<float>(state >> 8) / static_cast<float>(1U << 24));
    }
  }
  Dims dims() const { return Dims3(c, h, w); }
};
using Operands = std::vector<Operand>;

size_t elements(const Dims& dims) {
  size_t count = 1;
  for (int i = 0; i < dims.nbDims; ++i) count *= static_cast<size_t>(dims.d[i]);
  return count;
}

// The results of a network of one layer, which `add` makes from its operands.
std::vector<Floats> run(const Operands& operands, const std::function<ILayer*(INetworkDefinition&, ITensor**)>& add) {
  std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
  const auto network = explicit_network(*builder);
  std::unique_ptr<IBuilderConfig> config(builder->createBuilderConfig());
  std::vector<ITensor*> inputs;
  std::vector<Floats> memory;
  for (const Operand& one : operands) {
    const std::string name = "x" + std::to_string(inputs.size());
    inputs.push_back(network->addInput(name.c_str(), DataType::kFLOAT, Dims4{1, one.c, one.h, one.w}));
    memory.push_back(one.values);
  }
  ILayer* layer = add(*network, inputs.data());
  if (layer == nullptr) return {};
  for (int i = 0; i < layer->getNbOutputs(); ++i) {
    layer->getOutput(i)->setName(("y" + std::to_string(i)).c_str());
    network->markOutput(*layer->getOutput(i));
    memory.emplace_back(elements(layer->getOutput(i)->getDimensions()));
  }
  std::unique_ptr<ICudaEngine> engine(builder->buildEngineWithConfig(*network, *config));
  if (engine == nullptr) return {};
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  std::vector<void*> bindings(memory.size());
  for (size_t i = 0; i < memory.size(); ++i) {
    const bool is_input = i < operands.size();
    const std::string name = (is_input ? "x" : "y") + std::to_string(is_input ? i : i - operands.size());
    bindings[static_cast<size_t>(engine->getBindingIndex(name.c_str()))] = memory[i].data();
  }
  if (!context->executeV2(bindings.data())) return {};
  return {memory.begin() + static_cast<std::ptrdiff_t>(operands.size()), memory.end()};
}

// As callers run a plugin that they keep in one of their own.
std::vector<Floats> alone(INvPlugin& plugin, const Operands& operands, bool configures) {
  std::vector<Dims> in, out;
  std::vector<const void*> inputs;
  for (const Operand& one : operands) in.push_back(one.dims()), inputs.push_back(one.values.data());
  std::vector<Floats> results;
  std::vector<void*> outputs;
  for (int i = 0; i < plugin.getNbOutputs(); ++i) {
    out.push_back(plugin.getOutputDimensions(i, in.data(), static_cast<int>(in.size())));
    if (out.back().nbDims < 0) return {};
    results.emplace_back(elements(out.back()));
  }
  for (Floats& one : results) outputs.push_back(one.data());
  IPlugin& base = plugin;
  if (configures) base.configure(in.data(), static_cast<int>(in.size()), out.data(), static_cast<int>(out.size()), 1);
  EXPECT(plugin.initialize() == 0 && plugin.getWorkspaceSize(1) == 0);
  const int status = plugin.enqueue(1, inputs.data(), outputs.data(), nullptr, nullptr);
  plugin.terminate();
  return status == 0 ? results : std::vector<Floats>();
}

using Reader = INvPlugin* (*)(const void*, size_t);

// In a network, alone, and read again: `right` of each.
void check(const char* what, INvPlugin* made, PluginType type, Reader read, const Operands& operands,
           const std::vector<Floats>& right) {
  const auto same = [&](const char* how, const std::vector<Floats>& found) {
    bool equal = !right.empty() && found.size() == right.size();
    for (size_t i = 0; equal && i < right.size(); ++i) {
      equal = found[i].size() == right[i].size();
      for (size_t k = 0; equal && k < right[i].size(); ++k) equal = near(found[i][k], right[i][k]);
    }
    if (equal) return;
    ++failures;
    std::printf("%s, %s: not what is right\n", what, how);
    if (!logger.lines.empty()) std::printf("  %s\n", logger.lines.back().c_str());
  };
  EXPECT(made != nullptr);
  if (made == nullptr) return;
  const FirstPlugin plugin = owned(made);
  EXPECT(plugin->getPluginType() == type && plugin->getName() != nullptr && plugin->getName()[0] != 0);
  same("as a layer", run(operands, [&](INetworkDefinition& network, ITensor** inputs) {
         return network.addPlugin(inputs, static_cast<int32_t>(operands.size()), *plugin);
       }));
  same("alone", alone(*plugin, operands, true));
  std::vector<char> bytes(plugin->getSerializationSize());
  plugin->serialize(bytes.data());
  const FirstPlugin again = owned(read(bytes.data(), bytes.size()));
  if (again == nullptr) return same("read again", {});
  same("read again", alone(*again, operands, false));
  EXPECT(again->getSerializationSize() == bytes.size());
  for (size_t length : {size_t{0}, size_t{5}, bytes.size() / 2, bytes.size() - 1})
    EXPECT(read(bytes.data(), length) == nullptr);
  EXPECT(read(nullptr, 10) == nullptr);
}

std::vector<Floats> second(IPluginV2* plugin, const Operands& operands) {
  if (plugin == nullptr) return {};
  const auto results = run(operands, [&](INetworkDefinition& network, ITensor** inputs) {
    return network.addPluginV2(inputs, static_cast<int32_t>(operands.size()), *plugin);
  });
  plugin->destroy();
  return results;
}

void elementwise() {
  const Operands x = {Operand(8, 2, 3)};
  Floats ramp, turned(48), joined;
  for (float v : x[0].values) ramp.push_back(v > 0 ? v : 0.1F * v);
  check("PReLU", createPReLUPlugin(0.1F), PluginType::kPRELU, createPReLUPlugin, x, {ramp});
  for (size_t c = 0; c < 8; ++c)
    for (size_t p = 0; p < 6; ++p) turned[p * 8 + c] = x[0].values[c * 6 + p];
  check("Permute", createSSDPermutePlugin({{0, 2, 3, 1}}), PluginType::kPERMUTE, createSSDPermutePlugin, x, {turned});
  EXPECT(createSSDPermutePlugin({{1, 0, 2, 3}}) == nullptr && createSSDPermutePlugin({{0, 1, 1, 3}}) == nullptr);
  const Operands both = {Operand(2, 3, 1), Operand(2, 4, 1)};
  for (size_t c = 0; c < 2; ++c) {
    joined.insert(joined.end(), both[0].values.begin() + static_cast<std::ptrdiff_t>(3 * c),
                  both[0].values.begin() + static_cast<std::ptrdiff_t>(3 * c + 3));
    joined.insert(joined.end(), both[1].values.begin() + static_cast<std::ptrdiff_t>(4 * c),
                  both[1].values.begin() + static_cast<std::ptrdiff_t>(4 * c + 4));
  }
  check("Concat", createConcatPlugin(2, true), PluginType::kCONCAT, createConcatPlugin, both, {joined});
  EXPECT(createConcatPlugin(0, false) == nullptr && createConcatPlugin(4, false) == nullptr);
  const Operands squares = {Operand(4, 4, 6)};
  check("Reorg", createYOLOReorgPlugin(2), PluginType::kYOLOREORG, createYOLOReorgPlugin, squares,
        second(createReorgPlugin(2), squares));
}

void with_operands(const char* what, INvPlugin* first, PluginType type, Reader read, IPluginV2* other,
                   const Operands& operands) {
  check(what, first, type, read, operands, second(other, operands));
}

void detectors() {
  const Floats scale = {1, 2, 3, 4};
  const Weights weights = weights_of(scale);
  with_operands("Normalize", createSSDNormalizePlugin(&weights, false, false, 1e-3F), PluginType::kNORMALIZE,
                createSSDNormalizePlugin, createNormalizePlugin(&weights, false, false, 1e-3F), {Operand(4, 3, 5)});
  EXPECT(createSSDNormalizePlugin(nullptr, false, false, 1e-3F) == nullptr);
  float least = 30, most = 60, ratio = 2;
  PriorBoxParameters priors{};
  priors.minSize = &least, priors.maxSize = &most, priors.aspectRatios = &ratio;
  priors.numMinSize = priors.numMaxSize = priors.numAspectRatios = 1;
  priors.flip = true, priors.offset = 0.5F;
  for (float& v : priors.variance) v = 0.1F;
  with_operands("PriorBox", createSSDPriorBoxPlugin(priors), PluginType::kPRIORBOX, createSSDPriorBoxPlugin,
                createPriorBoxPlugin(priors), {Operand(4, 2, 3), Operand(3, 64, 96)});
  Floats ratios = {1, 2, 0.5F};
  GridAnchorParameters grids[2] = {{0.2F, 0.9F, ratios.data(), 3, 4, 4, {0.1F, 0.1F, 0.2F, 0.2F}},
                                   {0.2F, 0.9F, ratios.data(), 3, 2, 2, {0.1F, 0.1F, 0.2F, 0.2F}}};
  with_operands("AnchorGenerator", createSSDAnchorGeneratorPlugin(grids, 2), PluginType::kANCHORGENERATOR,
                createSSDAnchorGeneratorPlugin, createAnchorGeneratorPlugin(grids, 2), {Operand(4, 4, 4)});
  EXPECT(createSSDAnchorGeneratorPlugin(nullptr, 2) == nullptr && createSSDAnchorGeneratorPlugin(grids, 0) == nullptr);
  DetectionOutputParameters found{};
  found.shareLocation = true, found.numClasses = 3, found.topK = 20, found.keepTopK = 8;
  found.confidenceThreshold = 0.2F, found.nmsThreshold = 0.45F, found.codeType = CodeTypeSSD::CENTER_SIZE;
  found.inputOrder[1] = 1, found.inputOrder[2] = 2, found.isNormalized = true;
  Operands boxes = {Operand(40, 1, 1), Operand(30, 1, 1, 0, 1), Operand(2, 40, 1, 0.1F, 0.2F)};
  for (size_t i = 0; i < 10; ++i) {
    boxes[2].values[4 * i] = boxes[2].values[4 * i + 1] = 0.08F * static_cast<float>(i);
    boxes[2].values[4 * i + 2] = boxes[2].values[4 * i + 3] = 0.08F * static_cast<float>(i) + 0.2F;
  }
  with_operands("DetectionOutput", createSSDDetectionOutputPlugin(found), PluginType::kSSDDETECTIONOUTPUT,
                createSSDDetectionOutputPlugin, createNMSPlugin(found), boxes);
  RegionParameters region{5, 4, 2, nullptr};
  with_operands("Region", createYOLORegionPlugin(region), PluginType::kYOLOREGION, createYOLORegionPlugin,
                createRegionPlugin(region), {Operand(35, 3, 3)});
  softmaxTree tree{};
  region.smTree = &tree;
  EXPECT(createYOLORegionPlugin(region) == nullptr);
  Floats shapes = {0.5F, 1, 2}, sizes = {1, 2, 4};
  const auto regions = [&](auto make) {
    return make(16, 100, 8, 0.7F, 4.0F, 0.0625F, DimsHW(2, 2), weights_of(shapes), weights_of(sizes));
  };
  Operands proposals = {Operand(18, 4, 6, 0, 1), Operand(36, 4, 6, -0.3F, 0.3F), Operand(4, 4, 6), Operand(1, 1, 3)};
  proposals[3].values = {64, 96, 1};
  INvPlugin* (*make_first)(int32_t, int32_t, int32_t, float, float, float, DimsHW, Weights, Weights) =
      createFasterRCNNPlugin;
  with_operands("FasterRCNN", regions(make_first), PluginType::kFASTERRCNN, createFasterRCNNPlugin,
                regions(createRPNROIPlugin), proposals);
}

// Bytes of another plugin, and a use that its extents do not permit.
void refused() {
  const FirstPlugin ramp = owned(createPReLUPlugin(0.1F));
  std::vector<char> bytes(ramp->getSerializationSize());
  ramp->serialize(bytes.data());
  EXPECT(createYOLOReorgPlugin(bytes.data(), bytes.size()) == nullptr && logged("'LReLU_TRT'"));
  const FirstPlugin reorg = owned(createYOLOReorgPlugin(2));
  EXPECT(alone(*reorg, {Operand(4, 3, 3)}, true).empty() && !logger.lines.empty());
}

}  // namespace

int main() {
  elementwise();
  detectors();
  refused();
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
