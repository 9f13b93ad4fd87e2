#pragma once
// What a refittable plan carries behind itself: the network that it was made from, how, and whose weights its constants
// are.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "NvInferRuntime.h"
#include "tensorrt/runtime/memory.h"

namespace planish::tensorrt {

struct RefitRecord {
  struct Weights {
    std::string layer;
    nvinfer1::WeightsRole role = nvinfer1::WeightsRole::kANY;
    std::string constant;        // a value of the network
    std::string name;            // as the caller or the model calls it; may be empty
    int64_t stripped_bytes = 0;  // of the constant, where the network has zeros in its place
  };
  std::string network;  // as planish_network_write wrote it
  std::vector<Weights> weights;
  std::string options;  // of the build, as the builder packed them
  std::string cache;    // its timing cache

  int64_t stripped_bytes() const;
};

// The plan with a record behind it.
Blob with_record(const Blob& plan, const RefitRecord& record);
// How many bytes the plan itself has.
size_t plan_bytes(const Blob& blob);
// Error(invalid_plan): it has a record, which is damaged.
void check_record(const Blob& blob);
// Nothing: the plan has none, or one that does not hold together.
std::optional<RefitRecord> record_of(const Blob& blob);

// A plan whose weights are zeros, as a caller is given it: without the runs of zeros, and back.
bool is_squeezed(const Blob& blob);
Blob squeezed(const Blob& blob);
Blob unsqueezed(const Blob& blob);  // Error(invalid_plan)

// A refittable plan without its weights; of the half that builds, null where that is not linked.
extern Blob (*strip_weights)(const Blob& plan);

// Texts and numbers in a row.
class Packer {
 public:
  Packer& put(std::string_view text);
  Packer& put(int64_t number);
  std::string bytes;
};
class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : rest_(bytes) {}
  std::string text();  // Error(invalid_plan) where there is none
  int64_t number();
  int64_t count();  // of entries that follow

 private:
  std::string_view rest_;
};

}  // namespace planish::tensorrt
