#pragma once
// What calibration keeps of a value: its range, a histogram, and figures of each channel.

#include <vector>

#include "base/thread_pool.h"
#include "compile/calibrate/histogram.h"
#include "tensor/view.h"

namespace planish {

struct ChannelFigures {
  float least = 0, most = 0;
  double sum = 0, squares = 0;
};

// Range and figures count every element. The histogram takes a sample of tensors of more than 16,384 elements: runs of
// 64, evenly spread, others for each tensor that comes.
class ValueObserver {
 public:
  explicit ValueObserver(int channel_axis) : axis_(channel_axis) {}

  // Elements of f32, of any strides. The result does not depend on the number of threads. False, and nothing is added,
  // where an element is NaN or infinite.
  bool add(const TensorView& view, ThreadPool& pool);

  const Histogram& histogram() const { return histogram_; }
  const std::vector<ChannelFigures>& channels() const { return channels_; }  // empty: nothing came, or extents differ
  double rows() const { return rows_; }                                      // elements of a channel
  int64_t tensors() const { return tensors_; }

 private:
  void take_channels(const std::vector<ChannelFigures>& found);
  void sample(const float* x, int64_t n);

  int axis_;
  Histogram histogram_;
  std::vector<ChannelFigures> channels_;
  bool uneven_ = false;  // numbers of channels differed
  double rows_ = 0;
  int64_t tensors_ = 0;
};

}  // namespace planish
