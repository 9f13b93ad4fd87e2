// People and their joints by a YOLO pose network from ONNX; the suppression of overlapping boxes is a part of the plan.
//
//   yolo_pose MODEL.onnx PICTURE.ppm...
//
// A head [1, 4 + 1 + 3 * 17, boxes]: box, score, and x, y, confidence of 17 joints. Pictures have the network's
// extents. Prints a line a person: score, left, top, right, bottom, then x,y,confidence of each joint.

#include "yolo_plan.h"

namespace {

constexpr int kJoints = 17;

Logger logger;

void print_person(int, const float* row) {
  std::printf("%.3f %.1f %.1f %.1f %.1f", row[4], row[0] - row[2] / 2, row[1] - row[3] / 2, row[0] + row[2] / 2,
              row[1] + row[3] / 2);
  for (int k = 0; k < kJoints; ++k) {
    const float* joint = row + 5 + 3 * k;
    std::printf(" %.1f,%.1f,%.3f", joint[0], joint[1], joint[2]);
  }
  std::printf("\n");
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) fail("yolo_pose MODEL.onnx PICTURE.ppm...");
  yolo::Detector detector(logger, arguments[1], 3 * kJoints, {},
                          [](nvinfer1::INetworkDefinition& network, yolo::Numbers&,
                             nvinfer1::ITensor& head) -> nvinfer1::ITensor& { return yolo::turned(network, head); });
  for (int i = 2; i < count; ++i) {
    const auto picture = read_picture(arguments[i], 3, detector.height(), detector.width());
    std::printf("%s\n", arguments[i]);
    detector.run(planes(picture, 1.0F / 255, false), print_person);
  }
  return 0;
}
