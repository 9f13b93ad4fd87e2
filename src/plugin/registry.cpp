#include <map>
#include <mutex>

#include "plugin/plugin.h"

namespace planish {
namespace {

struct Registry {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<PluginCreator>, std::less<>> creators;
};

Registry& registry() {
  static Registry* instance = new Registry;  // outlives static objects that unregister in their destructors
  return *instance;
}

std::string known_plugins() {
  std::string text;
  for (const std::string& name : plugin_names()) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "no plugin is registered" : "registered: " + text;
}

// An instance that keeps its creator alive.
class Owned final : public Plugin {
 public:
  Owned(std::shared_ptr<PluginCreator> creator, std::unique_ptr<Plugin> plugin)
      : creator_(std::move(creator)), plugin_(std::move(plugin)) {}
  std::string serialize() override { return plugin_->serialize(); }
  std::vector<TensorType> infer(std::span<const TensorType> inputs) override { return plugin_->infer(inputs); }
  int64_t workspace(const PluginCall& call) override { return plugin_->workspace(call); }
  bool any_strides() const override { return plugin_->any_strides(); }
  void run(const PluginCall& call) override { plugin_->run(call); }

 private:
  std::shared_ptr<PluginCreator> creator_;  // destroyed after the instance
  std::unique_ptr<Plugin> plugin_;
};

}  // namespace

void register_plugin(std::shared_ptr<PluginCreator> creator) {
  const std::string name = creator->name();
  if (name.empty()) fail(Code::invalid_argument, "a plugin without a name");
  const std::lock_guard lock(registry().mutex);
  if (!registry().creators.emplace(name, std::move(creator)).second)
    fail(Code::invalid_argument, "a plugin '{}' is registered already", name);
}

void unregister_plugin(std::string_view name) {
  std::shared_ptr<PluginCreator> last;  // released outside the lock: its code is the user's
  const std::lock_guard lock(registry().mutex);
  auto at = registry().creators.find(name);
  if (at == registry().creators.end()) fail(Code::not_found, "there is no plugin '{}'", name);
  last = std::move(at->second);
  registry().creators.erase(at);
}

std::shared_ptr<PluginCreator> find_plugin(std::string_view name) {
  const std::lock_guard lock(registry().mutex);
  auto at = registry().creators.find(name);
  return at == registry().creators.end() ? nullptr : at->second;
}

std::vector<std::string> plugin_names() {
  const std::lock_guard lock(registry().mutex);
  std::vector<std::string> names;
  for (const auto& [name, creator] : registry().creators) names.push_back(name);
  return names;
}

std::shared_ptr<PluginCreator> find_plugin_for(const std::string& node_type, const Attrs& attrs) {
  if (auto named = find_plugin(node_type)) return named;
  for (const std::string& name : plugin_names())
    if (auto creator = find_plugin(name); creator != nullptr && creator->stands_for(node_type, attrs)) return creator;
  return nullptr;
}

std::shared_ptr<PluginCreator> require_plugin(std::string_view name) {
  auto creator = find_plugin(name);
  if (creator == nullptr) fail(Code::not_found, "there is no plugin '{}'; {}", name, known_plugins());
  return creator;
}

std::unique_ptr<Plugin> load_plugin(std::string_view name, int version, std::string_view bytes) {
  auto creator = find_plugin(name);
  if (creator == nullptr)
    fail(Code::mismatch, "the plan needs plugin '{}' version {}; {}; register it before the plan is loaded", name,
         version, known_plugins());
  if (creator->version() != version)
    fail(Code::mismatch, "the plan needs plugin '{}' version {}, version {} is registered; rebuild the plan", name,
         version, creator->version());
  auto plugin =
      with_context([&] { return fmt::format("plugin '{}'", name); }, [&] { return creator->deserialize(bytes); });
  return std::make_unique<Owned>(std::move(creator), std::move(plugin));
}

}  // namespace planish
