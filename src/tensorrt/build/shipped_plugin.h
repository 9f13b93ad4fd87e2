#pragma once
// Plugins that ship with the library, as objects of the interface. A network does not run them: their layers become the
// nodes that the library makes of them.

#include <memory>
#include <string>
#include <vector>

#include "planish/planish.hpp"
#include "tensorrt/runtime/plugin_fields.h"

namespace planish::tensorrt {

// Two of the first generation alone, over [N, C, H, W]: fields order (ints), and axis (int).
inline constexpr const char* kPermutePlugin = "Permute";
inline constexpr const char* kConcatPlugin = "Concat";

// Which one, and with which fields.
class ShippedKind {
 public:
  // Error: there is no such plugin, or it does not take these fields.
  ShippedKind(std::string name, std::string version, Attributes fields);

  const std::string& name() const { return name_; }
  const std::string& version() const { return version_; }
  const Attributes& fields() const { return fields_; }
  int32_t outputs() const { return outputs_; }
  // The nodes it stands for, and their results.
  std::vector<Value> add_to(Network& network, const std::vector<Value>& operands, const std::string& name = {}) const;
  // Types of the results; extents that are not numbers are names.
  std::vector<TensorType> infer(const std::vector<TensorType>& operands) const;
  const nvinfer1::PluginFieldCollection& collection() const { return list_.collection; }

 private:
  std::string name_, version_;
  Attributes fields_;
  int32_t outputs_ = 0;
  FieldList list_;
};

// Interfaces tell our objects from callers' by it.
class ShippedPlugin {
 public:
  explicit ShippedPlugin(std::shared_ptr<const ShippedKind> kind, std::string space = {})
      : kind(std::move(kind)), space(std::move(space)) {}
  virtual ~ShippedPlugin() = default;
  const std::shared_ptr<const ShippedKind> kind;
  std::string space;
};

// What a layer's plugin is, or null: a plugin of the caller's.
const ShippedKind* shipped_kind(const nvinfer1::IPlugin& plugin);
const ShippedKind* shipped_kind(const nvinfer1::IPluginV2& plugin);
const ShippedKind* shipped_kind(nvinfer1::IPluginV3& plugin);

// Registers the creators of all under a namespace; more than once does no harm.
void register_shipped(nvinfer1::ILogger* logger, const char* space);

}  // namespace planish::tensorrt
