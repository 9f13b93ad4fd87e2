#pragma once
// XXH3 for content addressing and checksums. Not cryptographic.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace planish {

struct Hash128 {
  uint64_t low = 0;
  uint64_t high = 0;
  friend bool operator==(const Hash128&, const Hash128&) = default;
  friend auto operator<=>(const Hash128&, const Hash128&) = default;
  std::string hex() const;  // 32 lower-case digits
};

Hash128 hash128(const void* data, size_t bytes);
uint64_t hash64(const void* data, size_t bytes, uint64_t seed = 0);
inline uint64_t hash64(std::string_view text, uint64_t seed = 0) { return hash64(text.data(), text.size(), seed); }
inline uint64_t hash_combine(uint64_t a, uint64_t b) { return hash64(&b, sizeof b, a); }

}  // namespace planish
