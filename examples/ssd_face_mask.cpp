// Faces with and without masks by a Caffe network (the detector of AIZOOTech's FaceMaskDetection), in the style of
// TensorRT 5 to 7.
//
//   ssd_face_mask face_mask_detection.prototxt face_mask_detection.caffemodel PICTURE.ppm...
//
// Pictures of 260 x 260. Prints a line a face: score, 0 with a mask or 1 without, box in shares of the picture.

#include <cuda_runtime_api.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "NvCaffeParser.h"
#include "NvInfer.h"
#include "common.h"

using namespace nvinfer1;

namespace {

constexpr int kSide = 260, kAnchors = 5972;
constexpr float kLeastScore = 0.5F, kMostOverlap = 0.4F;

struct Destroy {
  template <class T>
  void operator()(T* object) const {
    object->destroy();
  }
};
template <class T>
using Owned = std::unique_ptr<T, Destroy>;

Owned<ICudaEngine> build(const char* deploy, const char* model) {
  const Owned<IBuilder> builder(made(createInferBuilder(logger), "a builder"));
  const Owned<INetworkDefinition> network(builder->createNetworkV2(0));
  const Owned<nvcaffeparser1::ICaffeParser> parser(nvcaffeparser1::createCaffeParser());
  const auto* blobs = made(parser->parse(deploy, model, *network, DataType::kFLOAT), "the network");
  for (const char* name : {"loc_branch_concat", "cls_branch_concat"})
    network->markOutput(*made(blobs->find(name), name));
  builder->setMaxBatchSize(1);
  const Owned<IBuilderConfig> config(builder->createBuilderConfig());
  config->setMaxWorkspaceSize(size_t{1} << 24);
  return Owned<ICudaEngine>(made(builder->buildEngineWithConfig(*network, *config), "the engine"));
}

using Box = std::array<float, 4>;  // left, top, right, bottom

// Centres and extents: grids of five resolutions, cell by cell two squares and two rectangles.
std::vector<Box> anchors() {
  static constexpr int kGrids[] = {33, 17, 9, 5, 3};
  static constexpr float kSides[][2] = {{.04F, .056F}, {.08F, .11F}, {.16F, .22F}, {.32F, .45F}, {.64F, .72F}};
  std::vector<Box> list;
  for (size_t g = 0; g < 5; ++g)
    for (int row = 0; row < kGrids[g]; ++row)
      for (int column = 0; column < kGrids[g]; ++column) {
        const auto n = static_cast<float>(kGrids[g]);
        const float x = (static_cast<float>(column) + .5F) / n, y = (static_cast<float>(row) + .5F) / n;
        for (float side : kSides[g]) list.push_back({x, y, side, side});
        for (float ratio : {.62F, .42F})
          list.push_back({x, y, kSides[g][0] * std::sqrt(ratio), kSides[g][0] / std::sqrt(ratio)});
      }
  return list;
}

Box decoded(const Box& anchor, const float* place) {
  const float x = place[0] * .1F * anchor[2] + anchor[0], y = place[1] * .1F * anchor[3] + anchor[1];
  const float half_width = std::exp(place[2] * .2F) * anchor[2] / 2,
              half_height = std::exp(place[3] * .2F) * anchor[3] / 2;
  return {x - half_width, y - half_height, x + half_width, y + half_height};
}

float area(const Box& box) { return (box[2] - box[0]) * (box[3] - box[1]); }

float overlap(const Box& a, const Box& b) {
  const float width = std::min(a[2], b[2]) - std::max(a[0], b[0]), height = std::min(a[3], b[3]) - std::max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  return width * height / (area(a) + area(b) - width * height);
}

void print_faces(const std::vector<float>& places, const std::vector<float>& scores) {
  const std::vector<Box> around = anchors();
  const auto best = [&](size_t i) { return std::max(scores[2 * i], scores[2 * i + 1]); };
  std::vector<size_t> order(kAnchors);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return best(a) > best(b); });
  std::vector<Box> kept;
  for (size_t i : order) {
    if (best(i) <= kLeastScore) break;
    const Box box = decoded(around[i], &places[4 * i]);
    if (std::any_of(kept.begin(), kept.end(), [&](const Box& other) { return overlap(box, other) > kMostOverlap; }))
      continue;
    kept.push_back(box);
    std::printf("%.5f %d %.5f %.5f %.5f %.5f\n", best(i), scores[2 * i + 1] > scores[2 * i] ? 1 : 0, box[0], box[1],
                box[2], box[3]);
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 4) fail("ssd_face_mask NET.prototxt NET.caffemodel PICTURE.ppm...");
  const Owned<ICudaEngine> engine = build(arguments[1], arguments[2]);
  const Owned<IExecutionContext> context(engine->createExecutionContext());
  std::vector<float> places(4 * kAnchors), scores(2 * kAnchors);
  void* buffers[3];
  const int input = engine->getBindingIndex("data");
  const int at[2] = {engine->getBindingIndex("loc_branch_concat"), engine->getBindingIndex("cls_branch_concat")};
  std::vector<float>* results[2] = {&places, &scores};
  check(cudaMalloc(&buffers[input], 3 * kSide * kSide * sizeof(float)));
  for (int i = 0; i < 2; ++i) check(cudaMalloc(&buffers[at[i]], results[i]->size() * sizeof(float)));
  for (int i = 3; i < count; ++i) {
    const auto picture = read_picture(arguments[i], kSide, kSide, 1.0F / 255, false);
    check(cudaMemcpy(buffers[input], picture.data(), picture.size() * sizeof(float), cudaMemcpyHostToDevice));
    if (!context->execute(1, buffers)) fail("the network could not be executed");
    for (int k = 0; k < 2; ++k)
      check(cudaMemcpy(results[k]->data(), buffers[at[k]], results[k]->size() * sizeof(float), cudaMemcpyDeviceToHost));
    std::printf("%s\n", arguments[i]);
    print_faces(places, scores);
  }
  for (void* buffer : buffers) check(cudaFree(buffer));
  return 0;
}
