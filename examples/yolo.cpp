// Boxes, or people and their joints, by a YOLO network from ONNX; decoding and the suppression of overlapping boxes are
// parts of the plan.
//
//   yolo detect MODEL.onnx PICTURE.ppm...
//   yolo pose MODEL.onnx PICTURE.ppm...
//
// Heads of YOLOv8 and its kin, [1, 4 + classes, boxes], and of YOLOX, [1, boxes, 5 + classes], whose rows are turned
// into boxes by the plan; for poses [1, 4 + 1 + 3 * 17, boxes]: box, score, and x, y, confidence of 17 joints. Pictures
// have the network's extents. Prints a line a box: class, score, left, top, right, bottom in pixels; or a line a
// person: score, left, top, right, bottom, then x,y,confidence of each joint.

#include <cuda_runtime_api.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "NvInfer.h"
#include "NvOnnxParser.h"
#include "common.h"

using namespace nvinfer1;

namespace {

constexpr int kJoints = 17;

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
void suppress(INetworkDefinition& network, Numbers& numbers, ITensor& rows, int classes, const Limits& limits) {
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
ITensor& turned(INetworkDefinition& network, ITensor& head) {
  IShuffleLayer* shuffle = network.addShuffle(head);
  shuffle->setFirstTranspose(Permutation{{0, 2, 1}});
  return *shuffle->getOutput(0);
}

bool is_yolox(const Dims& head) { return head.d[1] > head.d[2]; }

// Columns and rows of the cells of YOLOX's three grids, and their strides: [1, boxes, 2] each.
struct Cells {
  std::vector<float> places, strides;
  Cells(int64_t height, int64_t width) {
    for (int64_t stride : {8, 16, 32})
      for (int64_t y = 0; y < height / stride; ++y)
        for (int64_t x = 0; x < width / stride; ++x) {
          places.insert(places.end(), {static_cast<float>(x), static_cast<float>(y)});
          strides.insert(strides.end(), {static_cast<float>(stride), static_cast<float>(stride)});
        }
  }
};

// Centre (offset + cell) * stride, extents e^size * stride, scores objectness * class.
ITensor& decoded(INetworkDefinition& network, Numbers& numbers, ITensor& head) {
  const Dims dims = head.getDimensions(), picture = network.getInput(0)->getDimensions();
  const Cells cells(picture.d[2], picture.d[3]);
  if (static_cast<int64_t>(cells.places.size()) != 2 * dims.d[1]) fail("a head of other grids than YOLOX's");
  const auto part = [&](int64_t from, int64_t count) -> ITensor& {
    return *network.addSlice(head, Dims3{0, 0, from}, Dims3{1, dims.d[1], count}, Dims3{1, 1, 1})->getOutput(0);
  };
  const auto join = [&](ITensor& a, ITensor& b, ElementWiseOperation operation) -> ITensor& {
    return *network.addElementWise(a, b, operation)->getOutput(0);
  };
  ITensor& strides = numbers.floats(Dims3{1, dims.d[1], 2}, cells.strides);
  ITensor& moved = join(part(0, 2), numbers.floats(Dims3{1, dims.d[1], 2}, cells.places), ElementWiseOperation::kSUM);
  ITensor& grown = *network.addUnary(part(2, 2), UnaryOperation::kEXP)->getOutput(0);
  ITensor* parts[] = {&join(moved, strides, ElementWiseOperation::kPROD),
                      &join(grown, strides, ElementWiseOperation::kPROD),
                      &join(part(5, dims.d[2] - 5), part(4, 1), ElementWiseOperation::kPROD)};
  IConcatenationLayer* rows = network.addConcatenation(parts, 3);
  rows->setAxis(2);
  return *rows->getOutput(0);
}

void print_person(int, const float* row) {
  std::printf("%.3f %.1f %.1f %.1f %.1f", row[4], row[0] - row[2] / 2, row[1] - row[3] / 2, row[0] + row[2] / 2,
              row[1] + row[3] / 2);
  for (int k = 0; k < kJoints; ++k) {
    const float* joint = row + 5 + 3 * k;
    std::printf(" %.1f,%.1f,%.3f", joint[0], joint[1], joint[2]);
  }
  std::printf("\n");
}

void print_thing(int kind, const float* row) {
  std::printf("%d %.3f %.1f %.1f %.1f %.1f\n", kind, row[4 + kind], row[0] - row[2] / 2, row[1] - row[3] / 2,
              row[0] + row[2] / 2, row[1] + row[3] / 2);
}

}  // namespace

int main(int count, char** arguments) {
  const std::string task = count < 4 ? "" : arguments[1];
  if (task != "detect" && task != "pose") fail("yolo detect|pose MODEL.onnx PICTURE.ppm...");
  const bool poses = task == "pose";
  bool as_bytes = false;  // YOLOX takes values 0 to 255, blue first; the others 0 to 1, red first
  Detector detector(logger, arguments[2], poses ? 3 * kJoints : 0, {},
                    [&](INetworkDefinition& network, Numbers& numbers, ITensor& head) -> ITensor& {
                      as_bytes = !poses && is_yolox(head.getDimensions());
                      return as_bytes ? decoded(network, numbers, head) : turned(network, head);
                    });
  for (int i = 3; i < count; ++i) {
    std::printf("%s\n", arguments[i]);
    detector.run(
        read_picture(arguments[i], detector.height(), detector.width(), as_bytes ? 1.0F : 1.0F / 255, as_bytes),
        poses ? print_person : print_thing);
  }
  return 0;
}
