#pragma once
// Calibration table: a scale for each tensor, in the text that TensorRT keeps it in:
//   TRT-8601-EntropyCalibration2
//   data: 3ca94044
// a header with version and algorithm, then a tensor's name and the bits of its scale (f32, hexadecimal): the largest
// magnitude by 127. 0: the tensor is zero throughout the samples. Where bias shall be corrected, further lines, of our
// own, have the mean of each channel of what a product reads:
//   data mean: bd4c1a20 3da0c8f1 …

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace planish {

struct CalibrationTable {
  std::string algorithm = "EntropyCalibration2";
  std::map<std::string, float> scales;
  std::map<std::string, std::vector<float>> means;  // by value
};

std::string print_table(const CalibrationTable& table);
// Error(invalid_argument) names the line: no header, no such bits, a scale that is negative, denormal, infinite or NaN,
// a name twice.
CalibrationTable parse_table(std::string_view text);

}  // namespace planish
