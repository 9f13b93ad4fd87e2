#pragma once
// Samples from files: a folder of pictures, .npy or .npz files, or one .npy or .npz whose first axis counts them.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "compile/calibrate/calibrate.h"

namespace planish::cli {

struct DataFlags {
  std::string data;
  std::vector<std::string> images;  // NAME:RECIPE, of pictures
  int samples = 0;                  // evenly spread over all; 0: all
  int except = 0;                   // leave out those that --samples of this number takes
};

using InputTypes = std::vector<std::pair<std::string, TensorType>>;
InputTypes input_types(const Graph& graph);
InputTypes input_types(const Plan& plan);

class Samples {
 public:
  // Error: no such folder or file, or none in it that is a sample. `flag` stands in messages.
  Samples(const std::string& flag, const DataFlags& flags, InputTypes inputs);
  ~Samples();

  int count() const;                  // of those chosen
  Sample at(int index) const;         // Error names the file
  std::string name(int index) const;  // of the file: "n01440764.jpg"; of a row "x.npy[3]"
  SampleSource source() const;        // all, in order; the object must outlive it

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace planish::cli
