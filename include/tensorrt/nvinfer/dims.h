// Extents of tensors. Elements have 32 bits below major 10 and 64 from there on; up to 7 each axis has a kind as well.
#ifndef PLANISH_TENSORRT_DIMS_H
#define PLANISH_TENSORRT_DIMS_H

#include "nvinfer/base.h"

namespace nvinfer1 {

enum class DimensionType : int32_t { kSPATIAL = 0, kCHANNEL = 1, kINDEX = 2, kSEQUENCE = 3 };
template <>
constexpr int32_t EnumMax<DimensionType>() {
  return 4;
}

#if PLANISH_TENSORRT_LAYOUT == 7
class Dims {
 public:
  static constexpr int MAX_DIMS = 8;
  int nbDims;
  int d[MAX_DIMS];
  DimensionType type[MAX_DIMS];
};
using Dims32 = Dims;
#else
class Dims32 {
 public:
  static constexpr int32_t MAX_DIMS = 8;
  int32_t nbDims;
  int32_t d[MAX_DIMS];
};
#endif
class Dims64 {
 public:
  static constexpr int32_t MAX_DIMS = 8;
  int32_t nbDims;
  int64_t d[MAX_DIMS];
};
#if PLANISH_TENSORRT_LAYOUT == 8
using Dims = Dims32;
#elif PLANISH_TENSORRT_LAYOUT == 10
using Dims = Dims64;
#endif

namespace door {
// All of a Dims: `rank` axes, the rest zero; kinds of axes where the layout has them.
inline void fill(Dims& dims, int32_t rank, Extent a, Extent b, Extent c, Extent e) {
  dims.nbDims = rank;
  for (int32_t i = 0; i < 8; ++i) dims.d[i] = i == 0 ? a : i == 1 ? b : i == 2 ? c : i == 3 ? e : 0;
#if PLANISH_TENSORRT_LAYOUT == 7
  for (int32_t i = 0; i < 8; ++i) dims.type[i] = DimensionType::kSPATIAL;
#endif
}
inline void kind(Dims& dims, int32_t axis, DimensionType type) {
#if PLANISH_TENSORRT_LAYOUT == 7
  dims.type[axis] = type;
#else
  static_cast<void>(dims), static_cast<void>(axis), static_cast<void>(type);
#endif
}
}  // namespace door

class Dims2 : public Dims {
 public:
  Dims2() { door::fill(*this, 2, 0, 0, 0, 0); }
  Dims2(door::Extent d0, door::Extent d1) { door::fill(*this, 2, d0, d1, 0, 0); }
};

class DimsHW : public Dims2 {
 public:
  DimsHW() = default;
  DimsHW(door::Extent height, door::Extent width) : Dims2(height, width) {}
  door::Extent& h() { return d[0]; }
  door::Extent h() const { return d[0]; }
  door::Extent& w() { return d[1]; }
  door::Extent w() const { return d[1]; }
};

class Dims3 : public Dims {
 public:
  Dims3() { door::fill(*this, 3, 0, 0, 0, 0); }
  Dims3(door::Extent d0, door::Extent d1, door::Extent d2) { door::fill(*this, 3, d0, d1, d2, 0); }
};

class DimsCHW : public Dims3 {
 public:
  DimsCHW() { door::kind(*this, 0, DimensionType::kCHANNEL); }
  DimsCHW(door::Extent channels, door::Extent height, door::Extent width) : Dims3(channels, height, width) {
    door::kind(*this, 0, DimensionType::kCHANNEL);
  }
  door::Extent& c() { return d[0]; }
  door::Extent c() const { return d[0]; }
  door::Extent& h() { return d[1]; }
  door::Extent h() const { return d[1]; }
  door::Extent& w() { return d[2]; }
  door::Extent w() const { return d[2]; }
};

class Dims4 : public Dims {
 public:
  Dims4() { door::fill(*this, 4, 0, 0, 0, 0); }
  Dims4(door::Extent d0, door::Extent d1, door::Extent d2, door::Extent d3) { door::fill(*this, 4, d0, d1, d2, d3); }
};

class DimsNCHW : public Dims4 {
 public:
  DimsNCHW() { kinds(); }
  DimsNCHW(door::Extent batch, door::Extent channels, door::Extent height, door::Extent width)
      : Dims4(batch, channels, height, width) {
    kinds();
  }
  door::Extent& n() { return d[0]; }
  door::Extent n() const { return d[0]; }
  door::Extent& c() { return d[1]; }
  door::Extent c() const { return d[1]; }
  door::Extent& h() { return d[2]; }
  door::Extent h() const { return d[2]; }
  door::Extent& w() { return d[3]; }
  door::Extent w() const { return d[3]; }

 private:
  void kinds() {
    door::kind(*this, 0, DimensionType::kINDEX);
    door::kind(*this, 1, DimensionType::kCHANNEL);
  }
};

}  // namespace nvinfer1

#endif
