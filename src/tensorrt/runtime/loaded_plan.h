#pragma once
// A plan that was loaded, with what the interface adds to it. Shared by an engine and its contexts.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "planish/engine.hpp"
#include "tensorrt/runtime/memory.h"
#include "tensorrt/runtime/plugin_session.h"
#include "tensorrt/runtime/types.h"

namespace planish::tensorrt {

// Notes that the builder leaves in a plan.
inline constexpr const char* kNoteMaxBatch = "tensorrt.max_batch";   // there: tensors have an axis that dims omit
inline constexpr const char* kNoteName = "tensorrt.name";            // of the network
inline constexpr const char* kNoteVerbosity = "tensorrt.verbosity";  // ProfilingVerbosity
inline constexpr const char* kNoteTactics = "tactics";               // the library's: name, tab, tactic, a line each
inline constexpr const char* kNoteShapeValues =
    "tensorrt.shape_values";  // profile, input, min…, opt…, max…, a line each

// One input or output.
struct Io {
  std::string name;
  bool is_input;
  nvinfer1::DataType type;
  size_t element_bytes;
  Extents extents;  // all of them; -1: dynamic
};

// Values of an input that holds extents: min, opt, max.
struct ShapeValues {
  std::vector<int64_t> values[3];
  std::vector<int32_t> narrow[3];
};

// By input and profile.
using ShapeTable = std::map<std::pair<int, int>, ShapeValues>;

class LoadedPlan {
 public:
  // Error(invalid_plan), Error(mismatch).
  LoadedPlan(Blob blob, planish_device* device, std::shared_ptr<PluginSession> session);

  const Blob& blob() const { return blob_; }  // with what a refittable plan carries
  planish_engine* engine() const { return engine_.get(); }
  const std::vector<Io>& ios() const { return ios_; }
  int find(const char* name) const;  // -1: none, or null
  int profile_count() const { return profile_count_; }
  bool implicit_batch() const { return max_batch_ > 0; }
  int max_batch() const { return implicit_batch() ? max_batch_ : 1; }
  const std::string& name() const { return name_; }
  nvinfer1::ProfilingVerbosity verbosity() const { return verbosity_; }
  const std::shared_ptr<PluginSession>& session() const { return session_; }
  int64_t constant_bytes() const { return constant_bytes_; }
  // Of weights that the plan was built without; it cannot be run before a refitter gives them.
  int64_t stripped_bytes() const { return stripped_bytes_; }
  int64_t arena_bytes(int profile) const;
  // Extents that a profile accepts or yields; Error for a profile that is not there.
  Range range(int io, int profile) const;
  const ShapeValues* shape_values(int io, int profile) const;  // null: no such input
  const std::shared_ptr<const ShapeTable>& shape_table() const { return shape_values_; }
  // The tensor of a name, or of a binding; Error(not_found, invalid_argument) otherwise.
  int io_at(const char* name) const;
  int io_of_binding(int32_t index, int* profile = nullptr) const;
  // What computes a step: its tactic, where the plan was built for one that the caller chose by name, else its kernel.
  std::string tactic(const planish_step_info& step) const;
  // What the interface shows of extents.
  Extents shown(const Extents& extents) const { return implicit_batch() ? without_first(extents) : extents; }

 private:
  void fix_extents(int io);
  void read_notes();
  ShapeTable read_shape_values(const char* note) const;

  Blob blob_;
  std::shared_ptr<PluginSession> session_;
  detail::Handle<planish_engine, planish_engine_destroy> engine_;
  std::vector<Io> ios_;
  std::map<std::string, int, std::less<>> index_;
  std::shared_ptr<const ShapeTable> shape_values_ = std::make_shared<const ShapeTable>();
  std::map<std::string, std::string, std::less<>> tactics_;  // by name of the layer
  std::string name_;
  int profile_count_ = 0, max_batch_ = 0;
  nvinfer1::ProfilingVerbosity verbosity_ = nvinfer1::ProfilingVerbosity::kLAYER_NAMES_ONLY;
  int64_t constant_bytes_ = 0, stripped_bytes_ = 0;
};

}  // namespace planish::tensorrt
