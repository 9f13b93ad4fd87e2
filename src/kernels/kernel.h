#pragma once
// Kernel: one row of a kernel table. Reference and fast kernels alike are called through KernelArgs.
//
// A file of kernels/reference or kernels/cpu is registered by its name: `softmax.cpp` defines
// `void register_softmax(KernelTable&)`, the build writes the call.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/cpu_features.h"
#include "base/thread_pool.h"
#include "tensor/attrs.h"
#include "tensor/view.h"

namespace planish {

struct KernelArgs {
  std::span<const TensorView> inputs;   // a missing optional operand has present() == false
  std::span<const TensorView> outputs;  // never overlap inputs
  const void* params = nullptr;         // what `decode` made
  std::byte* workspace = nullptr;       // `workspace` bytes, 64-byte aligned
  ThreadPool* pool = nullptr;           // never null when run
  // For a step that binds symbols (the rows extents.*): their values, which the kernel writes.
  std::span<int64_t> bound_symbols;

  template <class P>
  const P& as() const {
    return *static_cast<const P*>(params);
  }
  bool has_input(size_t i) const { return i < inputs.size() && inputs[i].present(); }
  bool has_output(size_t i) const { return i < outputs.size() && outputs[i].present(); }
};

struct Kernel {
  std::string name;  // reference kernels: the operator's name; others "family.variant"
  int version = 1;   // raised when results or parameters change meaning; plans name (name, version)

  // Turns attributes into the typed parameters that `run` reads; may throw Error(invalid_model).
  std::shared_ptr<const void> (*decode)(const Attrs&) = nullptr;
  // The contract, asked whenever shapes are set, before `workspace` and `run`, which rely on it: number of operands,
  // element types, extents, strides, parameters (kernels/check.h). Data pointers are not valid here.
  // Throws Error(invalid_plan).
  void (*check)(const KernelArgs&) = nullptr;
  // Scratch bytes for these views (data pointers are not valid here); nullptr: none.
  int64_t (*workspace)(const KernelArgs&) = nullptr;
  // Computes. May throw Error for data that only now shows itself wrong (an index out of range).
  void (*run)(const KernelArgs&) = nullptr;
};

template <class P>
Kernel make_kernel(std::string name, void (*check)(const KernelArgs&), void (*run)(const KernelArgs&),
                   int64_t (*workspace)(const KernelArgs&) = nullptr) {
  Kernel kernel;
  kernel.name = std::move(name);
  kernel.decode = [](const Attrs& attrs) -> std::shared_ptr<const void> {
    return std::make_shared<const P>(attrs_to<P>(attrs));
  };
  kernel.check = check;
  kernel.workspace = workspace;
  kernel.run = run;
  return kernel;
}

class KernelTable {
 public:
  void add(Kernel kernel);  // Error(internal) for a second row of one name
  const Kernel* find(std::string_view name) const;
  std::vector<const Kernel*> rows() const;  // sorted by name

 private:
  std::vector<std::unique_ptr<const Kernel>> rows_;
};

// Tables, built on first use. cpu_kernels: the rows of one level. Of a level that the host lacks they can be asked for
// everything but `run`, so that a plan can be made for another machine: nothing else may depend on the level.
const KernelTable& reference_kernels();
const KernelTable& cpu_kernels(Isa isa);

}  // namespace planish
