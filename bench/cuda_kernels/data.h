#pragma once
// Data of a layer, random and of integers, with what a plain convolution makes of them.

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "device.h"

namespace planish::kernel_bench {

// As in checks.cuh.
struct CheckShape {
  int images, channels, filters, groups, transposed;
  int extents[3], out[3], taps[3], strides[3], pads[3], dilations[3];
};

// Data of a layer: random in sets that together do not fit L2, and integers once.
class Data {
 public:
  Data(const std::string& folder, const Job& job)
      : layer_(*job.layer),
        type_(job.type),
        checks_(folder + "/check_" + job.program() + ".cubin"),
        weights_(layer_.weights() * type_.size),
        weights_int_(layer_.weights() * type_.size),
        bias_(layer_.filters * 4),
        bias_int_(layer_.filters * 4),
        scale_(layer_.filters * 4),
        scale_int_(layer_.filters * 4),
        expected_(layer_.output() * type_.result_size),
        expected_int_(layer_.output() * type_.result_size),
        packed_(2 * half()),
        verdict_(24) {
    const double bytes = layer_.bytes(type_.size);
    sets = bytes < 8e6 ? 1 : static_cast<int>(std::clamp(300e6 / bytes + 1, 2.0, 10.0));
    const bool bytes_only = type_.size == 1;
    const double depth = static_cast<double>(layer_.weights()) / layer_.filters;
    for (int i = 0; i <= sets; i++) {  // the last one: integers
      inputs_.emplace_back(layer_.input() * type_.size);
      residuals_.emplace_back(layer_.residual ? layer_.output() * type_.result_size : 4);
      results_.emplace_back(layer_.output() * type_.result_size);
      const bool integers = i == sets || bytes_only;
      const float limit = i == sets ? 2.0f : bytes_only ? 90.0f : 1.0f;
      fill("fill_left", inputs_[i], layer_.input(), 10 + i, -limit, limit, integers);
      if (layer_.residual) fill("fill_out", residuals_[i], layer_.output(), 40 + i, -limit, limit, integers);
    }
    const float weight = bytes_only ? 60.0f : static_cast<float>(std::sqrt(3.0 / depth));
    fill("fill_left", weights_, layer_.weights(), 1, -weight, weight, bytes_only);
    fill("fill_left", weights_int_, layer_.weights(), 2, -1, 1, true);
    fill("fill_float", bias_, layer_.filters, 3, bytes_only ? -20.0f : -0.5f, bytes_only ? 20.0f : 0.5f, false);
    fill("fill_float", bias_int_, layer_.filters, 4, -4, 4, true);
    const float step = static_cast<float>(1 / (50 * std::sqrt(depth)));
    fill("fill_float", scale_, layer_.filters, 5, 0.5f * step, step, false);
    fill("fill_float", scale_int_, layer_.filters, 6, 1, 2, true);
    plain(0, weights_, bias_, scale_, expected_);
    plain(sets, weights_int_, bias_int_, scale_int_, expected_int_);
    CHECK(stream_synchronize(stream));
  }

  // As the configuration's kernel wants weights; `padded`: channels of a tap.
  void pack(const Config& c, int padded) {
    for (bool integers : {false, true}) {
      const Address to = packed(integers), from = (integers ? weights_int_ : weights_).address;
      if (c.family == Config::depthwise)
        launch_plain(checks_.function("pack_depthwise"), 64, to, from, layer_.filters, layer_.all_taps());
      else if (c.family == Config::first)
        launch_plain(checks_.function("pack_first"), 64, to, from, shape(), c.group);
      else
        launch_plain(checks_.function("pack_weights"), 1056, to, from, shape(), c.group, padded);
    }
  }
  Address packed(bool integers) const { return packed_.address + (integers ? static_cast<Address>(half()) : 0); }
  void poison(int set) {
    CHECK(set_bytes(results_[set].address, 0xff, static_cast<size_t>(layer_.output() * type_.result_size), stream));
  }
  // Wrong values, relative error.
  std::pair<int64_t, double> compare(int set) {
    const bool integers = set == sets, exact = integers || type_.size == 1;
    CHECK(set_bytes(verdict_.address, 0, 24, stream));
    launch_plain(checks_.function("compare_out"), 528, results_[set].address,
                 (integers ? expected_int_ : expected_).address, layer_.output(), exact ? 0.0f : 4e-3f,
                 exact                    ? 0.0f
                 : type_.result_size == 4 ? 2e-3f
                 : type_.map_type == 9    ? 1.2e-2f
                                          : 2e-3f,
                 verdict_.address);
    double found[3];
    CHECK(copy_to_host(found, verdict_.address, 24, stream));
    CHECK(stream_synchronize(stream));
    return {static_cast<int64_t>(found[2]), std::sqrt(found[0] / (found[1] + 1e-30))};
  }

  int sets = 1;
  Address input(int i) const { return inputs_[i].address; }
  Address result(int i) const { return results_[i].address; }
  Address residual(int i) const { return residuals_[i].address; }
  Address bias(int i) const { return (i == sets ? bias_int_ : bias_).address; }
  Address scale(int i) const { return (i == sets ? scale_int_ : scale_).address; }

 private:
  int64_t half() const {  // bytes of packed weights at most
    const int64_t padding = int64_t{layer_.filters + 64 * layer_.groups} * layer_.all_taps() * 128;
    return ((layer_.weights() * 2 + padding) * type_.size + 65536) / 1024 * 1024;
  }
  CheckShape shape() const {
    const Layer& s = layer_;
    CheckShape out{s.images, s.channels, s.filters, s.groups, s.transposed, {}, {}, {}, {}, {}, {}};
    for (int i = 0; i < 3; i++) {
      out.extents[i] = s.extent(i), out.out[i] = s.out(i), out.taps[i] = s.taps_of(i);
      out.strides[i] = s.stride_of(i), out.pads[i] = s.pad_of(i), out.dilations[i] = s.dilation;
    }
    return out;
  }
  void fill(const char* kernel, const Buffer& to, int64_t count, uint64_t seed, float low, float high, int integers) {
    launch_plain(checks_.function(kernel), 1056, to.address, count, seed, low, high, integers);
  }
  void plain(int set, const Buffer& w, const Buffer& bias, const Buffer& scale, const Buffer& y) {
    launch_plain(checks_.function("plain"), 4224, inputs_[set].address, w.address, bias.address, scale.address,
                 residuals_[set].address, y.address, shape());
  }

  const Layer& layer_;
  Type type_;
  Module checks_;
  std::vector<Buffer> inputs_, residuals_, results_;
  Buffer weights_, weights_int_, bias_, bias_int_, scale_, scale_int_, expected_, expected_int_, packed_, verdict_;
};

}  // namespace planish::kernel_bench
