// Creators of plugins, and the registry that finds them by name, version and namespace.
#ifndef PLANISH_TENSORRT_PLUGIN_REGISTRY_H
#define PLANISH_TENSORRT_PLUGIN_REGISTRY_H

#include "nvinfer/plugin_v2.h"
#include "nvinfer/plugin_v3.h"

namespace nvinfer1 {

class IPluginCreatorInterface : public IVersionedInterface {};

// Implemented by callers: makes plugins of the second generation.
class IPluginCreator : public IPluginCreatorInterface {
 public:
  InterfaceInfo getInterfaceInfo() const override { return InterfaceInfo{"PLUGIN CREATOR_V1", 1, 0}; }
  virtual int32_t getTensorRTVersion() const { return NV_TENSORRT_VERSION; }
  virtual AsciiChar const* getPluginName() const = 0;
  virtual AsciiChar const* getPluginVersion() const = 0;
  virtual PluginFieldCollection const* getFieldNames() = 0;
  virtual IPluginV2* createPlugin(AsciiChar const* name, PluginFieldCollection const* fc) = 0;
  virtual IPluginV2* deserializePlugin(AsciiChar const* name, void const* serialData, size_t serialLength) = 0;
  virtual void setPluginNamespace(AsciiChar const* pluginNamespace) = 0;
  virtual AsciiChar const* getPluginNamespace() const = 0;
};

// Implemented by callers: makes plugins of the third generation.
class IPluginCreatorV3One : public IPluginCreatorInterface {
 public:
  InterfaceInfo getInterfaceInfo() const override { return InterfaceInfo{"PLUGIN CREATOR_V3ONE", 1, 0}; }
  virtual IPluginV3* createPlugin(AsciiChar const* name, PluginFieldCollection const* fc, TensorRTPhase phase) = 0;
  virtual PluginFieldCollection const* getFieldNames() = 0;
  virtual AsciiChar const* getPluginName() const = 0;
  virtual AsciiChar const* getPluginVersion() const = 0;
  virtual AsciiChar const* getPluginNamespace() const = 0;
};

class IPluginRegistry {
 public:
  using PluginLibraryHandle = void*;
  virtual ~IPluginRegistry() = default;

  virtual bool registerCreator(IPluginCreator& creator, AsciiChar const* pluginNamespace) = 0;
  virtual bool registerCreator(IPluginCreatorInterface& creator, AsciiChar const* pluginNamespace) = 0;
  virtual bool deregisterCreator(IPluginCreator const& creator) = 0;
  virtual bool deregisterCreator(IPluginCreatorInterface const& creator) = 0;
  virtual IPluginCreator* const* getPluginCreatorList(int32_t* numCreators) const = 0;
  virtual IPluginCreatorInterface* const* getAllCreators(int32_t* numCreators) const = 0;
  virtual IPluginCreatorInterface* const* getAllCreatorsRecursive(int32_t* numCreators) = 0;
  virtual IPluginCreator* getPluginCreator(AsciiChar const* pluginName, AsciiChar const* pluginVersion,
                                           AsciiChar const* pluginNamespace = "") = 0;
  virtual IPluginCreatorInterface* getCreator(AsciiChar const* pluginName, AsciiChar const* pluginVersion,
                                              AsciiChar const* pluginNamespace = "") = 0;
  virtual void setErrorRecorder(IErrorRecorder* recorder) = 0;
  virtual IErrorRecorder* getErrorRecorder() const = 0;
  virtual bool isParentSearchEnabled() const = 0;
  virtual void setParentSearchEnabled(bool enabled) = 0;
  // Loads a library of plugins and registers what it exports; nullptr when that fails.
  virtual PluginLibraryHandle loadLibrary(AsciiChar const* pluginPath) = 0;
  virtual void deregisterLibrary(PluginLibraryHandle handle) = 0;
  // The resource of that key, made by cloning `resource` at the first call. References are counted.
  virtual IPluginResource* acquirePluginResource(AsciiChar const* key, IPluginResource* resource) = 0;
  virtual int32_t releasePluginResource(AsciiChar const* key) = 0;
};

}  // namespace nvinfer1

// The registry of this process.
extern "C" TENSORRTAPI nvinfer1::IPluginRegistry* getPluginRegistry();

namespace nvinfer1 {

// Registers a creator of type T while its library is loaded.
template <typename T>
class PluginRegistrar {
 public:
  PluginRegistrar() { getPluginRegistry()->registerCreator(instance_, ""); }

 private:
  T instance_{};
};

}  // namespace nvinfer1

#define REGISTER_TENSORRT_PLUGIN(name) \
  static nvinfer1::PluginRegistrar<name> pluginRegistrar##name {}

#endif
