#pragma once
// The rows of a product of reduced precision in words: where they lie, and to which rows of the result they belong.

#include "kernels/cpu/common/mma_end.h"
#include "kernels/cpu/common/mma_rows.h"

namespace planish::kernels::cpu::PLANISH_ISA {

// Where A's words lie: [group][plane][item][…], an item being what is put down at a time. A row of A is `runs` runs of
// depth, run t `offset[t]` words on. Rows lie `pitch` words apart in lines of `width`, the lines anyhow.
struct MmaPlaces {
  ImageForm form = ImageForm::gathered;
  int64_t rows = 0, runs = 1, values = 0;  // values of one run
  int64_t pitch = 0, steps = 0;            // words of a row; of these a run reads `steps`
  int64_t items = 0, item_words = 0;       // rows, lines of the image, or positions of it
  int64_t pixel = 0;                       // values of a pixel of a line
  int64_t positions = 0;                   // those up to the last result's
  int64_t plane = 0, planes = 1;
  int64_t offsets[kMostTaps] = {};
  int64_t width = 0;                         // rows of a line
  std::array<int64_t, 3> line{};             // words from one line to the next along the result's image and two axes
  std::array<int64_t, 3> grid{}, results{};  // extents of the image with its borders, and of the result

  int64_t group() const { return plane * planes; }
  // Where a line begins.
  int64_t line_at(int64_t index) const {
    if (form != ImageForm::lines) return 0;
    const int64_t y = index % results[1], z = index / results[1] % results[0];
    return index / results[1] / results[0] * line[0] + z * line[1] + y * line[2];
  }
};

// Rows lie an odd number of cache lines apart for tiles: an even one would map them to few sets.
inline MmaPlaces mma_places(const MmaParams& params, int64_t runs, int64_t values, int64_t rows) {
  MmaPlaces places;
  places.runs = runs;
  places.values = values;
  places.rows = places.items = places.width = rows;
  places.planes = params.format.planes;
  places.steps = params.format.steps_of(values);
  places.pitch = places.item_words = is_tiled(params.mma) ? ((places.steps + 15) / 16 | 1) * 16 : places.steps;
  return places;
}

// Words behind the last item that blocks read, and multiply for nothing.
inline void close_places(MmaPlaces& places, int64_t reach) {
  places.plane = (places.items + reach + kMostMmaRows) * places.item_words;
}

// Consecutive results among positions [first, last) of an image with borders: the first of them, its row, and how many;
// 0: none is left.
struct MmaSegment {
  int64_t position = 0, row = 0, count = 0;
};

inline MmaSegment next_segment(const MmaPlaces& places, int64_t first, int64_t last) {
  const auto& [d, h, w] = places.grid;
  for (int64_t p = first; p < last;) {
    const int64_t x = p % w, y = p / w % h, z = p / w / h % d, image = p / w / h / d;
    const auto& [od, oh, ow] = places.results;
    if (z >= od)
      p = (image + 1) * d * h * w;
    else if (y >= oh)
      p = (image * d + z + 1) * h * w;
    else if (x >= ow)
      p += w - x;
    else
      return {p, ((image * od + z) * oh + y) * ow + x, std::min(ow - x, last - p)};
  }
  return {};
}

struct MmaProduct {
  const MmaParams* params = nullptr;
  int32_t* words = nullptr;
  const int32_t* weights = nullptr;
  MmaPlaces places;
  MmaEnd end;
  bool in_place = false;  // the rows are multiplied where they lie
  int64_t x_zero = 0;     // what stands beside the image

  int64_t panels() const { return (params->attrs.columns + params->format.columns - 1) / params->format.columns; }
  int64_t panel_words() const { return places.planes * places.runs * places.steps * params->format.columns; }
  // What rows are counted in: results, or positions among which they are.
  int64_t count() const { return places.form == ImageForm::positions ? places.positions : places.rows; }
};

// Where the sums of a panel go, of all rows.
inline MmaSpan span_of(const MmaProduct& p, int64_t g, int64_t panel) {
  const int64_t width = p.params->format.columns, columns = p.params->attrs.columns;
  return {.column = g * columns + panel * width, .width = std::min(width, columns - panel * width)};
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
