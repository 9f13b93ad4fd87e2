#pragma once
// The fixed head of a plan file.

#include <cstddef>
#include <cstdint>
#include <span>

namespace planish {

struct PlanHeader {
  char magic[8];                       // "PLANISH\0"
  uint32_t version;                    // kPlanFormatVersion
  uint32_t header_bytes;               // sizeof(PlanHeader)
  uint64_t file_bytes;                 // of the whole file
  uint64_t index_offset, index_bytes;  // FlatBuffers
  uint64_t data_offset, data_bytes;    // constants
  uint64_t index_checksum;             // XXH3 of the index
  uint64_t checksum;                   // XXH3 of everything behind the header, seeded with the fields above
};
static_assert(sizeof(PlanHeader) == 72);

// XXH3-64 over the header's fields before `checksum` and all bytes behind the header.
uint64_t plan_checksum(const PlanHeader& header, std::span<const std::byte> file);
uint64_t plan_index_checksum(const PlanHeader& header, std::span<const std::byte> index);

}  // namespace planish
