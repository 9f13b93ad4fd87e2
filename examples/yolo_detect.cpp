// Boxes by a YOLO network from ONNX; decoding and the suppression of overlapping boxes are parts of the plan.
//
//   yolo_detect MODEL.onnx PICTURE.ppm...
//
// Heads of YOLOv8 and its kin, [1, 4 + classes, boxes], and of YOLOX, [1, boxes, 5 + classes], whose rows are turned
// into boxes by the plan. Pictures have the network's extents. Prints a line a box: class, score, left, top, right,
// bottom in pixels.

#include "yolo_plan.h"

namespace {

using namespace nvinfer1;

Logger logger;

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
ITensor& decoded(INetworkDefinition& network, yolo::Numbers& numbers, ITensor& head) {
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

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) fail("yolo_detect MODEL.onnx PICTURE.ppm...");
  bool as_bytes = false;  // YOLOX takes values 0 to 255, blue first; the others 0 to 1, red first
  yolo::Detector detector(logger, arguments[1], 0, {},
                          [&](INetworkDefinition& network, yolo::Numbers& numbers, ITensor& head) -> ITensor& {
                            as_bytes = is_yolox(head.getDimensions());
                            return as_bytes ? decoded(network, numbers, head) : yolo::turned(network, head);
                          });
  for (int i = 2; i < count; ++i) {
    const auto picture = read_picture(arguments[i], 3, detector.height(), detector.width());
    std::printf("%s\n", arguments[i]);
    detector.run(planes(picture, as_bytes ? 1.0F : 1.0F / 255, as_bytes), [](int kind, const float* row) {
      std::printf("%d %.3f %.1f %.1f %.1f %.1f\n", kind, row[4 + kind], row[0] - row[2] / 2, row[1] - row[3] / 2,
                  row[0] + row[2] / 2, row[1] + row[3] / 2);
    });
  }
  return 0;
}
