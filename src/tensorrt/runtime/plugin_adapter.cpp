#include "tensorrt/runtime/plugin_adapter.h"

#include <mutex>

#include "tensorrt/runtime/plugin_configure.h"
#include "tensorrt/runtime/plugin_fields.h"
#include "tensorrt/runtime/plugin_generations.h"
#include "tensorrt/runtime/registry.h"
#include "tensorrt/runtime/report.h"

namespace planish::tensorrt {
namespace {

[[noreturn]] void not_registered(const PluginRecord& record) {
  throw Error(Code::mismatch, "the plan's layer '" + record.layer +
                                  "' is a plugin: " + not_registered_text(record.type, record.version, record.space));
}

nvinfer1::IPlugin& first_generation(const PluginRecord& record, PluginSession* session) {
  if (session == nullptr) not_registered(record);
  nvinfer1::IPlugin*& kept = session->v1[record.layer];
  if (kept == nullptr && session->factory() != nullptr) {
    kept = session->factory()->createPlugin(record.layer.c_str(), record.payload.data(), record.payload.size());
  }
  if (kept == nullptr)
    throw Error(Code::mismatch, "layer '" + record.layer + "' is a plugin; deserializeCudaEngine needs its factory");
  if (session->started.insert(record.layer).second) require(kept->initialize(), record, "initialize");
  return *kept;
}

nvinfer1::IPluginV2* second_generation(const PluginRecord& record, PluginSession* session) {
  if (session != nullptr)
    if (const auto at = session->v2.find(record.layer); at != session->v2.end()) return at->second->clone();
  auto* creator = plugin_registry().getPluginCreator(record.type.c_str(), record.version.c_str(), record.space.c_str());
  if (creator == nullptr) not_registered(record);
  return creator->deserializePlugin(record.layer.c_str(), record.payload.data(), record.payload.size());
}

nvinfer1::IPluginV3* third_generation(const PluginRecord& record, PluginSession* session) {
  if (session != nullptr)
    if (const auto at = session->v3.find(record.layer); at != session->v3.end()) return at->second->clone();
  auto* creator = dynamic_cast<nvinfer1::IPluginCreatorV3One*>(
      plugin_registry().getCreator(record.type.c_str(), record.version.c_str(), record.space.c_str()));
  if (creator == nullptr) not_registered(record);
  const Fields fields(record.payload);
  return creator->createPlugin(record.layer.c_str(), &fields.collection, nvinfer1::TensorRTPhase::kRUNTIME);
}

std::unique_ptr<Plugin> make_adapter(PluginRecord record, PluginSession* session) {
  const auto alive = [&](auto* plugin) {
    if (plugin == nullptr) throw Error(Code::mismatch, "plugin '" + record.type + "' could not be made from its bytes");
    return plugin;
  };
  switch (record.generation) {
    case Generation::v1:
    case Generation::v1_ext: {
      nvinfer1::IPlugin& plugin = first_generation(record, session);
      return adapted(std::move(record), plugin);
    }
    case Generation::v3: {
      auto* plugin = alive(third_generation(record, session));
      return adapted(std::move(record), plugin);
    }
    default: {
      auto* plugin = alive(second_generation(record, session));
      return adapted(std::move(record), plugin);
    }
  }
}

// What the attributes of a model's node say of its plugin.
struct Wanted {
  std::string version, space;
};
Wanted wanted_by(const Attributes& attributes) {
  const auto text = [&](std::initializer_list<const char*> names, const char* otherwise) {
    for (const char* name : names)
      if (const auto* value = attributes.find(name); value != nullptr && std::holds_alternative<std::string>(*value))
        return std::get<std::string>(*value);
    return std::string(otherwise);
  };
  return {text({"plugin_version", "version"}, "1"), text({"plugin_namespace", "namespace"}, "")};
}

// The creator of a model's node; null: none. Those that ship with the library are known to it without us.
nvinfer1::IPluginCreatorInterface* creator_for(const std::string& type, const Attributes& attributes) {
  const Wanted wanted = wanted_by(attributes);
  auto* found = plugin_registry().getCreator(type.c_str(), wanted.version.c_str(), wanted.space.c_str());
  return dynamic_cast<Shipped*>(found) != nullptr ? nullptr : found;
}

// A plugin for a model's node of that type, its fields from the node's attributes.
std::unique_ptr<Plugin> make_fresh(const std::string& type, const Attributes& attributes) {
  auto* creator = creator_for(type, attributes);
  if (creator == nullptr) {
    const Wanted wanted = wanted_by(attributes);
    refuse(not_registered_text(type, wanted.version, wanted.space));
  }
  PluginRecord record;
  record.type = type;
  record.layer = "node of type " + type;
  const auto alive = [&](auto* plugin) {
    if (plugin == nullptr) refuse("the creator of plugin '" + type + "' does not take these attributes");
    return plugin;
  };
  if (auto* third = dynamic_cast<nvinfer1::IPluginCreatorV3One*>(creator)) {
    record.generation = Generation::v3;
    record.version = answered(third->getPluginVersion(), "getPluginVersion");
    record.space = third->getPluginNamespace() == nullptr ? "" : third->getPluginNamespace();
    const FieldList fields(attributes, third->getFieldNames());
    auto* plugin = third->createPlugin(record.layer.c_str(), &fields.collection, nvinfer1::TensorRTPhase::kBUILD);
    return adapted(std::move(record), alive(plugin));
  }
  auto* second = dynamic_cast<nvinfer1::IPluginCreator*>(creator);
  if (second == nullptr) refuse("the creator of plugin '" + type + "' is of an unknown kind");
  record.version = answered(second->getPluginVersion(), "getPluginVersion");
  record.space = second->getPluginNamespace() == nullptr ? "" : second->getPluginNamespace();
  const FieldList fields(attributes, second->getFieldNames());
  nvinfer1::IPluginV2* plugin = alive(second->createPlugin(record.layer.c_str(), &fields.collection));
  plugin->setPluginNamespace(record.space.c_str());
  record.generation = generation_of(*plugin);
  return adapted(std::move(record), plugin, true);
}

class AdapterCreator final : public PluginCreator {
 public:
  std::string name() const override { return plugin_type_name(); }
  bool on_device() const override { return true; }
  bool stands_for(std::string_view type, const Attributes& attributes) const override {
    return creator_for(std::string(type), attributes) != nullptr;
  }
  std::unique_ptr<Plugin> create(const Attributes& attributes) const override {
    if (const PluginDraft* draft = PluginDraft::current()) return make_adapter(draft->record, &draft->session);
    if (attributes.find(PLANISH_ATTR_NODE_TYPE) == nullptr)
      refuse("such a plugin is added through TensorRT's interface");
    return make_fresh(attributes.get<std::string>(PLANISH_ATTR_NODE_TYPE), attributes);
  }
  std::unique_ptr<Plugin> deserialize(std::string_view bytes) const override {
    return make_adapter(PluginRecord::parse(bytes), PluginSession::current());
  }
};

}  // namespace

thread_local const PluginDraft* PluginDraft::current_ = nullptr;

void register_adapters() {
  static std::once_flag once;
  std::call_once(once, [] { register_plugin(std::make_unique<AdapterCreator>()); });
}

}  // namespace planish::tensorrt

// The library at `path` is linked with this one: its creators serve whichever copy of planish asks, which may be linked
// into a program as a whole.
extern "C" PLANISH_API planish_status planish_register_plugins(const char* path, planish_plugin_add_fn add) {
  using namespace planish::tensorrt;
  try {
    if (plugin_registry().loadLibrary(path) == nullptr) return PLANISH_INVALID_ARGUMENT;
    planish::register_plugin(std::make_unique<AdapterCreator>(), add);
    return PLANISH_OK;
  } catch (const planish::Error& error) {  // it has ours already
    return error.code() == planish::Code::invalid_state ? PLANISH_OK : PLANISH_INVALID_ARGUMENT;
  } catch (...) {
    return PLANISH_INVALID_ARGUMENT;
  }
}
