#pragma once
// Elements of 8 bits and less that are stored, cast and quantised but not computed with.
//
// In memory an element has a byte of its own, its code in the low bits: of signed integers the sign fills the upper
// bits, of all others they are 0; reading looks at the code alone. Packed (two elements of 4 bits or four of 2 in a
// byte, the first in the lowest bits) they are in model files only.

#include <cstdint>
#include <span>

#include "tensor/data_type.h"

namespace planish {

// How a number becomes a power of two (f8e8m0): the next above, the next below, the nearest (ties go up).
enum class ScaleRounding : uint8_t { up, down, nearest };

double decode_narrow(DataType type, uint8_t code);

// Rounds to nearest even. What is too large becomes the largest (saturate), else infinity, or NaN where there is none;
// integers and f4e2m1 always saturate. Integers: NaN becomes 0.
uint8_t encode_narrow(DataType type, double value, bool saturate = true, ScaleRounding rounding = ScaleRounding::up);

// Of narrow integers: the value, and the code of the low bits of `value`.
int64_t decode_narrow_int(DataType type, uint8_t code);
uint8_t encode_narrow_int(DataType type, int64_t value);

// Bytes of so many elements in a file.
int64_t packed_bytes(DataType type, int64_t count);
// packed: packed_bytes(type, codes.size()) bytes. Each code becomes an element as it is in memory.
void unpack_narrow(DataType type, std::span<const uint8_t> packed, std::span<uint8_t> elements);

}  // namespace planish
