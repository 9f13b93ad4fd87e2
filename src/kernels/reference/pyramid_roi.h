#pragma once
// Attributes of pyramid_roi_align.

#include <cstdint>

namespace planish {

struct PyramidRoiAttrs {
  int64_t pooled = 7;
  int64_t image_height = 1024, image_width = 1024;
  int64_t scale = 224;         // a region of this side is taken from the third map
  int64_t sampling_ratio = 0;  // samples along an axis of a bin; 0: as many as it has elements
  int64_t absolute = 1;        // regions are in pixels of the image; 0: in shares
  int64_t swapped = 0;         // y1, x1, y2, x2
  int64_t plus_one = 0;        // sizes count one pixel more
  int64_t transform = 2;       // 2: pixels' centres at halves; 1: bins' alone; 0: none; -1: corners of bins on corners
  template <class V>
  void fields(V& v) {
    v("pooled", pooled);
    v("image_height", image_height);
    v("image_width", image_width);
    v("scale", scale);
    v("sampling_ratio", sampling_ratio);
    v("absolute", absolute);
    v("swapped", swapped);
    v("plus_one", plus_one);
    v("transform", transform);
  }
};

}  // namespace planish
