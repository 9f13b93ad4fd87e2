#pragma once
// Calibration table: a scale for each tensor, in the text that TensorRT keeps it in:
//   TRT-8601-EntropyCalibration2
//   data: 3ca94044
// a header with version and algorithm, then a tensor's name and the bits of its scale (f32, hexadecimal): the largest
// magnitude by 127. 0: the tensor is zero throughout the samples. Further lines are of our own:
//   data mean: bd4c1a20 3da0c8f1 …     of each channel of what a product reads: its bias is corrected with it
//   data range: bf800000 40c00000      least and greatest element, where numbers shall span what is between them
//   data largest: 3f800000 …           magnitude of each channel: channels are brought to like ranges
//   data power: 3e99999a …             mean square of each channel: with it
//   conv1 weights: 7f03fe…             numbers of a product's weights, two digits each
//   conv1 scales: 3c010204 …           and what they are multiplied with, column by column

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace planish {

struct ChannelTable {
  std::vector<float> largest, power;
};

struct CalibrationTable {
  std::string algorithm = "EntropyCalibration2";
  std::map<std::string, float> scales;
  std::map<std::string, std::vector<float>> means;          // by value
  std::map<std::string, std::pair<float, float>> ranges;    // by value
  std::map<std::string, ChannelTable> channels;             // by value
  std::map<std::string, std::vector<int8_t>> weights;       // by layer
  std::map<std::string, std::vector<float>> weight_scales;  // by layer, of columns
};

std::string print_table(const CalibrationTable& table);
// Error(invalid_argument) names the line: no header, no such bits, a scale that is negative, denormal, infinite or NaN,
// a name twice, figures that are not finite.
CalibrationTable parse_table(std::string_view text);

}  // namespace planish
