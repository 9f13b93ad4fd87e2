#include "sweep/windows.h"

#include <algorithm>

namespace planish::testing {

int64_t product_of(const Ints& values) {
  int64_t product = 1;
  for (int64_t value : values) product *= value;
  return product;
}

void pad_windows(Sketch& d, Windows& w, int64_t most) {
  const size_t axes = w.extents.size();
  w.pads.assign(2 * axes, 0);
  const int form = d.pick(3);
  for (size_t i = 0; i < axes; ++i) {
    if (form == 1) w.pads[i] = w.pads[i + axes] = (w.reach(i) - 1) / 2;
    if (form == 2) {
      w.pads[i] = d.between(0, most);
      w.pads[i + axes] = d.between(0, most);
    }
    w.extents[i] = std::max<int64_t>({w.extents[i], 1, w.reach(i) - w.pads[i] - w.pads[i + axes]});
    w.results.push_back((w.extents[i] + w.pads[i] + w.pads[i + axes] - w.reach(i)) / w.strides[i] + 1);
  }
}

Windows any_windows(Sketch& d, size_t axes, int64_t most_taps, int64_t most_extent) {
  Windows w;
  for (size_t i = 0; i < axes; ++i)
    w.add(d.between(1, most_extent), d.between(1, most_taps), d.between(1, 3), d.one_in(3) ? d.between(2, 3) : 1);
  pad_windows(d, w, 3);
  return w;
}

Windows square_windows(Sketch& d, int64_t taps, int64_t stride, int64_t most_extent) {
  Windows w;
  for (int i = 0; i < 2; ++i) w.add(d.between(1, most_extent), taps, stride, 1);
  pad_windows(d, w, 2);
  return w;
}

}  // namespace planish::testing
