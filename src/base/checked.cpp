#include "base/checked.h"

#include "base/error.h"

namespace planish {

int64_t checked_add(int64_t a, int64_t b) {
  int64_t sum;
  if (__builtin_add_overflow(a, b, &sum)) fail(Code::invalid_argument, "{} + {} overflows 64 bits", a, b);
  return sum;
}

int64_t checked_mul(int64_t a, int64_t b) {
  int64_t product;
  if (__builtin_mul_overflow(a, b, &product)) fail(Code::invalid_argument, "{} * {} overflows 64 bits", a, b);
  return product;
}

int64_t checked_product(std::span<const int64_t> extents) {
  int64_t product = 1;
  for (int64_t extent : extents) {
    if (extent < 0) fail(Code::invalid_argument, "a negative extent, {}", extent);
    product = checked_mul(product, extent);
  }
  return product;
}

}  // namespace planish
