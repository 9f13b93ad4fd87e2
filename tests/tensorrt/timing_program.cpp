// Timing caches: their keys and tactics, as they are asked for, printed, edited, joined and refused. Says what was not
// so and ends with 1.

#include <cstdlib>
#include <map>

#include "program.h"

namespace {

class VerboseLogger : public ILogger {
 public:
  void log(Severity, const char* text) NX override { lines.push_back(text); }
  std::vector<std::string> lines;
};

VerboseLogger verbose;

// Of the verbose lines of a build.
struct Tuned {
  std::string key, selected;
  std::map<std::string, std::string> tactics;  // kernel by hash
};

std::string between(const std::string& line, const std::string& before, char after) {
  const size_t begin = line.find(before) + before.size();
  return line.substr(begin, line.find(after, begin) - begin);
}

// The tactic that an engine's information names for a layer.
std::string tactic_of(const std::string& information, const std::string& layer) {
  const size_t line = information.find("Name: " + layer + ",");
  return line == std::string::npos ? "" : between(information.substr(line), "TacticName: ", ',');
}

std::map<std::string, Tuned> tuned() {
  std::map<std::string, Tuned> ops;
  Tuned* op = nullptr;
  for (const std::string& line : verbose.lines) {
    if (line.find("Autotuning op ") == 0) {
      op = &ops[between(line, "Autotuning op ", '(')];
      op->key = between(line, "(key: ", ')');
    } else if (op != nullptr && line.find("(tactic hash, cost(in ms)):") != std::string::npos) {
      op->selected = between(line, "(in ms)):", ',');
      op = nullptr;
    } else if (op != nullptr && line[0] >= '0' && line[0] <= '9') {
      const size_t kernel = line.find("1.000, ") + 7, hash = line.find(", 0x", kernel);
      op->tactics[between(line.substr(hash), ", ", ',')] = line.substr(kernel, hash - kernel);
    }
  }
  return ops;
}

TimingCacheKey key_of(const std::string& text) {
  TimingCacheKey key{};
  for (size_t i = 0; i < 16; ++i)
    key.data[i] = static_cast<uint8_t>(std::strtoul(text.substr(2 + 2 * i, 2).c_str(), nullptr, 16));
  return key;
}

struct Network {
  std::unique_ptr<IBuilder> builder{createInferBuilder(verbose)};
  std::unique_ptr<INetworkDefinition> network{explicit_network(*builder)};
  std::unique_ptr<IBuilderConfig> config{builder->createBuilderConfig()};
  std::vector<float> kernel = std::vector<float>(32 * 32 * 9, 0.01F);

  // Two convolutions that are alike.
  Network() {
    ITensor* x = network->addInput("x", DataType::kFLOAT, Dims4{1, 32, 20, 20});
    for (const char* name : {"first", "second"}) {
      IConvolutionLayer* layer = network->addConvolutionNd(*x, 32, Dims2{3, 3}, weights_of(kernel), kNone);
      layer->setPaddingNd(Dims2{1, 1});
      layer->setName(name);
      x = layer->getOutput(0);
    }
    x->setName("y");
    network->markOutput(*x);
    config->setProfilingVerbosity(ProfilingVerbosity::kDETAILED);
    config->setFlag(BuilderFlag::kEDITABLE_TIMING_CACHE);
  }
  std::string build() {
    verbose.lines.clear();
    std::unique_ptr<ICudaEngine> engine(builder->buildEngineWithConfig(*network, *config));
    if (engine == nullptr) return "";
    std::unique_ptr<IEngineInspector> inspector(engine->createEngineInspector());
    return inspector->getEngineInformation(LayerInformationFormat::kONELINE);
  }
};

void edited() {
  Network made;
  std::unique_ptr<ITimingCache> cache(made.config->createTimingCache(nullptr, 0));
  EXPECT(cache != nullptr && made.config->setTimingCache(*cache, false));
  EXPECT(cache->queryKeys(nullptr, 0) == 0);
  const std::string before = made.build();
  const std::map<std::string, Tuned> ops = tuned();
  EXPECT(ops.size() == 2 && ops.count("first") == 1 && ops.count("second") == 1);
  EXPECT(cache->queryKeys(nullptr, 0) == 2);
  if (failures > 0) return;
  const Tuned &first = ops.at("first"), &second = ops.at("second");
  EXPECT(first.key.size() == 34 && first.key != second.key);  // layers that are alike have tactics of their own
  EXPECT(first.tactics.size() > 1 && first.tactics.count(first.selected) == 1);
  const std::string kernel = tactic_of(before, "first");
  EXPECT(first.tactics.at(first.selected) == kernel);
  const TimingCacheKey key = key_of(first.key);
  const TimingCacheValue known = cache->query(key);
  EXPECT(first.tactics.count(first.selected) == 1 && known.timingMSec > 0);

  // The tactic that the caller wants, though it is slower.
  std::string other;
  for (const auto& tactic : first.tactics)
    if (tactic.second != kernel) other = tactic.first;
  EXPECT(!other.empty());
  if (failures > 0) return;
  const TimingCacheValue wanted{std::strtoull(other.c_str(), nullptr, 16), 1.0F};
  EXPECT(cache->update(key, wanted));
  EXPECT(cache->query(key).tacticHash == wanted.tacticHash && near(cache->query(key).timingMSec, 1));
  const std::string after = made.build();
  EXPECT(tuned().at("first").selected == other && tuned().at("second").selected == second.selected);
  EXPECT(first.tactics.at(other) == tactic_of(after, "first"));

  // What is not known cannot be set; what is unknown is said so.
  EXPECT(!cache->update(key, TimingCacheValue{1, 1.0F}));
  EXPECT(!cache->update(key, TimingCacheValue{wanted.tacticHash, -1.0F}));
  EXPECT(!cache->update(TimingCacheKey{}, wanted));
  EXPECT(cache->query(TimingCacheKey{}).tacticHash == TimingCacheValue::kINVALID_TACTIC_HASH);
  EXPECT(cache->queryKeys(nullptr, 5) == -1);
  TimingCacheKey keys[1];
  EXPECT(cache->queryKeys(keys, 1) == 2 && cache->query(keys[0]).tacticHash != TimingCacheValue::kINVALID_TACTIC_HASH);

  // Through bytes, and joined.
  std::unique_ptr<IHostMemory> bytes(cache->serialize());
  std::unique_ptr<ITimingCache> copy(made.config->createTimingCache(bytes->data(), bytes->size()));
  std::unique_ptr<ITimingCache> joined(made.config->createTimingCache(nullptr, 0));
  EXPECT(copy->query(key).tacticHash == wanted.tacticHash);
  EXPECT(joined->combine(*copy, false) && joined->queryKeys(nullptr, 0) == 2 && joined->combine(*cache, false));
  std::string foreign(static_cast<const char*>(bytes->data()), bytes->size());
  foreign.insert(foreign.find('\n') + 1, "another machine ");
  std::unique_ptr<ITimingCache> strange(made.config->createTimingCache(foreign.data(), foreign.size()));
  EXPECT(!joined->combine(*strange, false) && joined->combine(*strange, true));
  EXPECT(made.config->createTimingCache("junk", 4) == nullptr);
  EXPECT(joined->reset() && joined->queryKeys(nullptr, 0) == 0);
}

// Takes the slowest candidate of the first layer, leaves the rest to the tuner, and remembers what it is told.
class Slowest : public IAlgorithmSelector {
 public:
  int32_t selectAlgorithms(const IAlgorithmContext& context, const IAlgorithm* const* choices, int32_t count,
                           int32_t* selection) NX override {
    asked.push_back(context.getName());
    EXPECT(count > 0 && context.getNbInputs() == 1 && context.getNbOutputs() == 1);
    const Dims x = context.getDimensions(0, OptProfileSelector::kMAX), y = context.getDimensions(1, kOpt);
    EXPECT(x.nbDims == 4 && x.d[1] == 32 && x.d[3] == 20 && y.nbDims == 4 && y.d[2] == 20);
    EXPECT(context.getDimensions(2, kOpt).nbDims < 0);
    int32_t slowest = 0;
    for (int32_t i = 0; i < count; ++i) {
      const IAlgorithmIOInfo* io = choices[i]->getAlgorithmIOInfoByIndex(1);
      EXPECT(io != nullptr && io->getDataType() == DataType::kFLOAT && io->getStrides().d[0] == 32 * 400);
      EXPECT(choices[i]->getAlgorithmIOInfoByIndex(2) == nullptr && choices[i]->getTimingMSec() > 0);
      if (choices[i]->getTimingMSec() > choices[slowest]->getTimingMSec()) slowest = i;
      selection[i] = i;
    }
    if (asked.back() != "first") return answer < 0 ? count : answer;
    tactic = choices[slowest]->getAlgorithmVariant().getTactic();
    selection[0] = slowest + beside;
    return 1;
  }
  void reportAlgorithms(const IAlgorithmContext* const* contexts, const IAlgorithm* const* choices,
                        int32_t count) NX override {
    for (int32_t i = 0; i < count; ++i)
      reported[contexts[i]->getName()] = choices[i]->getAlgorithmVariant().getTactic();
  }
  static constexpr OptProfileSelector kOpt = OptProfileSelector::kOPT;
  std::vector<std::string> asked;
  std::map<std::string, int64_t> reported;
  int64_t tactic = 0;
  int32_t beside = 0, answer = -1;
};

void selected() {
  Network made;
  std::unique_ptr<ITimingCache> cache(made.config->createTimingCache(nullptr, 0));
  made.config->setTimingCache(*cache, false);
  Slowest selector;
  made.config->setAlgorithmSelector(&selector);
  EXPECT(made.config->getAlgorithmSelector() == &selector);
  EXPECT(!made.build().empty());
  EXPECT(selector.asked == (std::vector<std::string>{"first", "second"}));
  EXPECT(selector.reported.size() == 2 && selector.reported["first"] == selector.tactic);
  EXPECT(static_cast<int64_t>(std::strtoull(tuned()["first"].selected.c_str(), nullptr, 16)) == selector.tactic);
  // The choice is this build's: the cache has measurements alone.
  made.config->setAlgorithmSelector(nullptr);
  EXPECT(!made.build().empty() && cache->queryKeys(nullptr, 0) == 2);
  EXPECT(static_cast<int64_t>(std::strtoull(tuned()["first"].selected.c_str(), nullptr, 16)) != selector.tactic);
  // No choice is the tuner's, where that is allowed; choices that are none are refused.
  made.config->setAlgorithmSelector(&selector);
  selector.answer = 0;
  EXPECT(!made.build().empty());
  made.config->setFlag(BuilderFlag::kREJECT_EMPTY_ALGORITHMS);
  EXPECT(made.build().empty());
  selector.answer = -1;
  selector.beside = 1000;
  EXPECT(made.build().empty());
}

// Products around a softmax, which would be one step, keep tactics of their own.
void products() {
  std::unique_ptr<IBuilder> builder(createInferBuilder(verbose));
  const auto network = explicit_network(*builder);
  std::unique_ptr<IBuilderConfig> config(builder->createBuilderConfig());
  ITensor* in[3];
  for (int i = 0; i < 3; ++i)
    in[i] = network->addInput(std::string(1, static_cast<char>('a' + i)).c_str(), DataType::kFLOAT, Dims2{128, 128});
  IMatrixMultiplyLayer* first =
      network->addMatrixMultiply(*in[0], MatrixOperation::kNONE, *in[1], MatrixOperation::kNONE);
  ISoftMaxLayer* softmax = network->addSoftMax(*first->getOutput(0));
  IMatrixMultiplyLayer* second =
      network->addMatrixMultiply(*softmax->getOutput(0), MatrixOperation::kNONE, *in[2], MatrixOperation::kNONE);
  network->markOutput(*second->getOutput(0));
  first->setName("matMul1");
  second->setName("matMul2");
  config->setProfilingVerbosity(ProfilingVerbosity::kDETAILED);
  config->setFlag(BuilderFlag::kEDITABLE_TIMING_CACHE);
  std::unique_ptr<ITimingCache> cache(config->createTimingCache(nullptr, 0));
  EXPECT(config->setTimingCache(*cache, true));
  const auto information = [&] {
    verbose.lines.clear();
    std::unique_ptr<ICudaEngine> engine(builder->buildEngineWithConfig(*network, *config));
    std::unique_ptr<IEngineInspector> inspector(engine == nullptr ? nullptr : engine->createEngineInspector());
    return std::string(inspector == nullptr ? "" : inspector->getEngineInformation(LayerInformationFormat::kONELINE));
  };
  information();
  const std::map<std::string, Tuned> ops = tuned();
  EXPECT(ops.count("matMul1") == 1 && ops.count("matMul2") == 1 && ops.at("matMul1").tactics.size() > 1);
  if (failures > 0) return;
  for (const auto& [hash, kernel] : ops.at("matMul1").tactics) {
    EXPECT(cache->update(key_of(ops.at("matMul1").key), {std::strtoull(hash.c_str(), nullptr, 16), 1.0F}));
    EXPECT(tactic_of(information(), "matMul1") == kernel);
  }
}

}  // namespace

int main() {
  edited();
  products();
  selected();
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
