// What yolo_detect and yolo_pose share: the network of an ONNX file with decoding and suppression of overlapping boxes
// behind its head, so that the plan gives what is found and nothing else.
#ifndef PLANISH_EXAMPLES_YOLO_PLAN_H
#define PLANISH_EXAMPLES_YOLO_PLAN_H

#include <cstdint>
#include <cstring>
#include <memory>

#include "NvOnnxParser.h"
#include "common.h"

namespace yolo {

using namespace nvinfer1;

// Constants of a network; their numbers live as long as this.
class Numbers {
 public:
  explicit Numbers(INetworkDefinition& network) : network_(network) {}
  template <class T>
  ITensor& add(const Dims& dims, const std::vector<T>& values, DataType type) {
    kept_.emplace_back(values.size() * sizeof(T));
    std::memcpy(kept_.back().data(), values.data(), kept_.back().size());
    return *network_.addConstant(dims, {type, kept_.back().data(), static_cast<int64_t>(values.size())})->getOutput(0);
  }
  ITensor& integers(const Dims& dims, const std::vector<int32_t>& values) {
    return add(dims, values, DataType::kINT32);
  }
  ITensor& floats(const Dims& dims, const std::vector<float>& values) { return add(dims, values, DataType::kFLOAT); }
  ITensor& number(float value) { return floats(Dims{0, {}}, {value}); }

 private:
  INetworkDefinition& network_;
  std::vector<std::vector<char>> kept_;
};

struct Limits {
  float score = 0.25F, overlap = 0.45F;
  int32_t most_of_a_class = 100;
};

// `rows` [1, boxes, 4 + classes + more]: centre, extents, scores, and what else belongs to a box. The network's outputs
// become `found` [n, 4 + classes + more], the rows that remain, the best first of each class, and `places` [n, 3]:
// batch, class, box.
inline void suppress(INetworkDefinition& network, Numbers& numbers, ITensor& rows, int classes, const Limits& limits) {
  const Dims all = rows.getDimensions();
  const auto part = [&](int64_t from, int64_t count) {
    return network.addSlice(rows, Dims3{0, 0, from}, Dims3{1, all.d[1], count}, Dims3{1, 1, 1})->getOutput(0);
  };
  INMSLayer* nms =
      network.addNMS(*part(0, 4), *part(4, classes), numbers.integers(Dims{0, {}}, {limits.most_of_a_class}));
  nms->setBoundingBoxFormat(BoundingBoxFormat::kCENTER_SIZES);
  nms->setInput(3, numbers.number(limits.overlap));
  nms->setInput(4, numbers.number(limits.score));
  ITensor* places = nms->getOutput(0);
  ITensor* boxes = network.addGather(*places, numbers.integers(Dims{1, {2}}, {0, 2}), 1)->getOutput(0);
  ITensor* found = network.addGatherV2(rows, *boxes, GatherMode::kND)->getOutput(0);
  found->setName("found");
  places->setName("places");
  network.markOutput(*found);
  network.markOutput(*places);
}

// An output whose extents are known when the network has run.
class Output : public IOutputAllocator {
 public:
  ~Output() override { cudaFree(memory_); }
  void* reallocateOutputAsync(char const*, void*, uint64_t size, uint64_t, cudaStream_t) override {
    if (size > room_) {
      check(cudaFree(memory_));
      check(cudaMalloc(&memory_, room_ = size));
    }
    return memory_;
  }
  void notifyShape(char const*, Dims const& dims) override { dims_ = dims; }
  int64_t extent(int axis) const { return dims_.d[axis]; }
  template <class T>
  std::vector<T> values() const {
    std::vector<T> list(static_cast<size_t>(dims_.d[0] * dims_.d[1]));
    check(cudaMemcpy(list.data(), memory_, list.size() * sizeof(T), cudaMemcpyDeviceToHost));
    return list;
  }

 private:
  void* memory_ = nullptr;
  uint64_t room_ = 0;
  Dims dims_{};
};

class Detector {
 public:
  // decode(network, numbers, head): the rows of suppress() of the model's output.
  template <class Decode>
  Detector(ILogger& logger, const std::string& model, int extra, const Limits& limits, Decode decode) {
    const std::unique_ptr<IBuilder> builder(made(createInferBuilder(logger), "a builder"));
    const std::unique_ptr<INetworkDefinition> network(builder->createNetworkV2(0));
    const std::unique_ptr<nvonnxparser::IParser> parser(nvonnxparser::createParser(*network, logger));
    if (!parser->parseFromFile(model.c_str(), 2)) fail(model + " cannot be parsed");
    if (network->getNbInputs() != 1 || network->getNbOutputs() != 1)
      fail(model + ": one input and one output are accepted");
    input_ = network->getInput(0)->getName();
    dims_ = network->getInput(0)->getDimensions();
    ITensor* head = network->getOutput(0);
    if (dims_.nbDims != 4 || dims_.d[0] != 1 || dims_.d[1] != 3 || dims_.d[2] < 1 || head->getDimensions().nbDims != 3)
      fail(model + ": an input [1, 3, height, width] and an output of three axes are accepted");
    network->unmarkOutput(*head);
    Numbers numbers(*network);
    ITensor& rows = decode(*network, numbers, *head);
    width_ = rows.getDimensions().d[2];
    if (width_ <= 4 + extra) fail(model + ": rows of " + std::to_string(width_) + " numbers");
    suppress(*network, numbers, rows, classes(extra), limits);
    const std::unique_ptr<IBuilderConfig> config(builder->createBuilderConfig());
    const std::unique_ptr<IHostMemory> plan(made(builder->buildSerializedNetwork(*network, *config), "the plan"));
    runtime_.reset(createInferRuntime(logger));
    engine_.reset(made(runtime_->deserializeCudaEngine(plan->data(), plan->size()), "the engine"));
    context_.reset(engine_->createExecutionContext());
    context_->setOutputAllocator("found", &found_);
    context_->setOutputAllocator("places", &places_);
    check(cudaMalloc(&picture_, 3 * sizeof(float) * static_cast<size_t>(dims_.d[2] * dims_.d[3])));
    context_->setTensorAddress(input_.c_str(), picture_);
    check(cudaStreamCreate(&stream_));
  }
  ~Detector() {
    cudaStreamDestroy(stream_);
    cudaFree(picture_);
  }
  Detector(const Detector&) = delete;
  Detector& operator=(const Detector&) = delete;

  int height() const { return static_cast<int>(dims_.d[2]); }
  int width() const { return static_cast<int>(dims_.d[3]); }

  // each(class, row of numbers) for what is found.
  template <class Each>
  void run(const std::vector<float>& picture, Each each) {
    check(cudaMemcpyAsync(picture_, picture.data(), picture.size() * sizeof(float), cudaMemcpyHostToDevice, stream_));
    if (!context_->enqueueV3(stream_)) fail("the network could not be enqueued");
    check(cudaStreamSynchronize(stream_));
    const std::vector<float> rows = found_.values<float>();
    const std::vector<int32_t> places = places_.values<int32_t>();
    for (size_t i = 0; 3 * i < places.size(); ++i) each(places[3 * i + 1], &rows[i * static_cast<size_t>(width_)]);
  }

 private:
  int classes(int extra) const { return static_cast<int>(width_) - 4 - extra; }
  std::string input_;
  Dims dims_{};
  int64_t width_ = 0;
  Output found_, places_;
  void* picture_ = nullptr;
  cudaStream_t stream_ = nullptr;
  std::unique_ptr<IRuntime> runtime_;
  std::unique_ptr<ICudaEngine> engine_;
  std::unique_ptr<IExecutionContext> context_;
};

// [1, numbers, boxes] to [1, boxes, numbers].
inline ITensor& turned(INetworkDefinition& network, ITensor& head) {
  IShuffleLayer* shuffle = network.addShuffle(head);
  shuffle->setFirstTranspose(Permutation{{0, 2, 1}});
  return *shuffle->getOutput(0);
}

}  // namespace yolo

#endif
