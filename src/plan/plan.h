#pragma once
// Plan: a closed, position-independent program. Data, not code that the host runs.
//
// Nothing here refers to the graph it came from. Extents, strides and offsets are Dim expressions over the
// plan's symbols, so one plan serves every shape within its profile. docs/plan_format.md describes the file.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tensor/attrs.h"
#include "tensor/dim.h"
#include "tensor/tensor.h"
#include "tensor/type.h"

namespace planish {

constexpr uint32_t kPlanFormatVersion = 2;

enum class MemorySpace : uint8_t { host, device };

enum class BufferKind : uint8_t {
  constant,  // index into Plan::constants
  arena,     // at a fixed offset of the context's arena
  binding,   // index into Plan::bindings: memory that the caller binds
  dynamic,   // of data-dependent size: given memory by the context when the first step that writes it is run
};

struct BufferDesc {
  BufferKind kind = BufferKind::arena;
  MemorySpace space = MemorySpace::host;
  int32_t index = -1;  // constants and bindings
  int64_t offset = 0;  // arena: bytes from the start of its space's, a multiple of 64
  int64_t bytes = 0;   // arena: size at the profile's maximum
  Dim size;            // dynamic: bytes, once the symbols in it are bound
  friend bool operator==(const BufferDesc&, const BufferDesc&) = default;
};

// A strided window on a buffer of the profile. buffer < 0: an optional operand that is absent.
struct ViewDesc {
  int32_t buffer = -1;
  Dim offset;  // bytes
  DataType dtype = DataType::none;
  std::vector<Dim> dims;
  std::vector<Dim> strides;  // elements
  friend bool operator==(const ViewDesc&, const ViewDesc&) = default;
};

enum class StepKind : uint8_t {
  cpu,        // kernel row of the CPU table at `isa`
  reference,  // kernel row of the reference table
  copy,       // inputs[0] to outputs[0], any strides
  control,    // "if" or "loop" with nested step lists (runtime/execute_control.cpp)
  plugin,     // a user's plugin
  launch,     // device image; grid and arguments as expressions (plan/launch.h)
};

struct Step {
  uint32_t id = 0;  // unique in the profile, nested steps included
  StepKind kind = StepKind::reference;
  std::string name;                  // "conv1 + bn1 + relu1"
  std::vector<std::string> origins;  // node names of the model
  std::string op;                    // operator, for people ("conv")
  std::string kernel;                // table row; "if" or "loop" for control
  int32_t version = 1;
  Attrs params;  // a value of Dims is evaluated to ints, once its symbols are bound, before the kernel decodes
  std::vector<ViewDesc> inputs;
  std::vector<ViewDesc> outputs;
  ViewDesc workspace;                     // u8, absent when none
  std::vector<std::string> binds;         // symbols of kind `step` that it gives values (KernelArgs::bound_symbols)
  std::vector<std::vector<Step>> bodies;  // control: if {then, else}; loop {iteration, hand-over}
  Dim flops;                              // for measurement only
  Dim bytes;                              // read + written
  friend bool operator==(const Step&, const Step&) = default;
};

struct Binding {
  std::string name;
  bool is_input = true;
  TensorType type;  // row-major
  MemorySpace space = MemorySpace::host;
  friend bool operator==(const Binding&, const Binding&) = default;
};

struct Profile {
  SymbolTable symbols;        // with the ranges this profile is legal for
  std::vector<Guard> guards;  // checked once their symbols are bound: when shapes are set, or by the last binding step
  std::vector<BufferDesc> buffers;
  std::vector<Step> steps;
  int64_t arena_bytes = 0;
  int64_t device_arena_bytes = 0;
  int64_t live_peak_bytes = 0;  // lower bound of the arena: largest sum of live buffers
  friend bool operator==(const Profile&, const Profile&) = default;
};

struct Plan {
  std::string producer;                      // "planish 0.1.0"
  std::string target;                        // "cpu", "cuda:sm_90a"
  std::string isa;                           // level its cpu kernels need (isa_name)
  std::string model;                         // file name and graph name, for people
  std::map<std::string, std::string> notes;  // build options and what they led to
  std::vector<Binding> bindings;             // inputs first, in the model's order
  std::vector<Profile> profiles;
  std::vector<Tensor> constants;
};

struct LoadOptions {
  bool verify_checksum = true;  // false: check the index only, trust the constants' bytes
};

// Whole file as bytes; equal plans give equal bytes.
std::vector<std::byte> serialize(const Plan& plan);
// `owner` keeps the bytes alive; constants point into them. Every offset, count, index, enum and expression
// is checked first: Error(invalid_plan) says what was found and what is accepted.
Plan deserialize(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, const LoadOptions& = {});

void save(const Plan& plan, const std::string& path);         // atomic
Plan load(const std::string& path, const LoadOptions& = {});  // memory-mapped

// Indices in range, fixed views inside their buffers, steps of known kinds. What depends on symbols the context checks.
void verify(const Plan& plan);

std::string print(const Plan& plan);                      // whole, as text; stable
std::string diff(const Plan& before, const Plan& after);  // lines of print(), '-' and '+'; empty when equal

}  // namespace planish
