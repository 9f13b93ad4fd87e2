#pragma once
// Frame: what the steps of one context are made from. Shapes, memory, plugins; prepare.cpp makes the steps.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/engine.h"
#include "runtime/prepared.h"

namespace planish {

struct Frame {
  std::shared_ptr<const Engine> engine;
  const Profile* profile = nullptr;
  Isa isa = Isa::scalar;
  std::shared_ptr<std::byte> arena;
  std::map<uint32_t, std::unique_ptr<Plugin>> plugins;  // by step id
  SymbolValues symbols;
  std::vector<void*> addresses;  // by binding
  std::vector<int64_t> needed;   // bytes of each binding at the current shapes

  const std::vector<Binding>& bindings() const { return engine->plan().bindings; }
  std::vector<int64_t> extents_of(size_t binding) const { return bindings()[binding].type.shape.evaluate(symbols); }

  void make_plugins(const std::vector<Step>& list);
  void measure_bindings();                    // fills `needed`
  std::vector<PreparedStep> prepare() const;  // the profile's steps for the current shapes, without addresses
  void patch(PreparedStep& prepared) const;   // gives it the addresses

 private:
  const BufferDesc& buffer_of(const ViewDesc& view) const { return profile->buffers[static_cast<size_t>(view.buffer)]; }
  std::byte* base_of(const ViewDesc& view) const;
  Place place_of(const ViewDesc& view) const;
  TensorView resolve(const ViewDesc& desc) const;
  Attrs evaluated(const Attrs& params) const;
  PreparedStep prepare(const Step& step) const;
  PreparedStep resolve(const Step& step) const;
  int64_t workspace_bytes(const Step& step) const;
  void check_contract(const PreparedStep& prepared) const;
};

}  // namespace planish
