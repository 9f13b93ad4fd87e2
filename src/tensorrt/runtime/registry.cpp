#include "tensorrt/runtime/registry.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tensorrt/runtime/report.h"

namespace planish::tensorrt {
namespace {

using nvinfer1::IPluginCreator;
using nvinfer1::IPluginCreatorInterface;
using nvinfer1::IPluginCreatorV3One;

std::string text_or_empty(const char* text) { return text == nullptr ? "" : text; }

std::string lower_case(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// Creators are found by "namespace::name:version"; the caller owns them.
struct Registered {
  std::string key;
  IPluginCreatorInterface* creator;
  IPluginCreator* second;  // of the second generation; null: the third
};

struct Resource {
  nvinfer1::IPluginResource* resource = nullptr;
  int references = 0;
};

class Finder final : public nvinfer1::ILoggerFinder {
 public:
  nvinfer1::ILogger* findLogger() override { return first_logger(); }
};

class Registry final : public nvinfer1::IPluginRegistry {
 public:
  bool registerCreator(IPluginCreator& creator, char const* space) override {
    return reporter().guard("registerCreator", false, [&] {
      if (space != nullptr && *space != '\0') creator.setPluginNamespace(space);
      return add({key_of(space, answered(creator.getPluginName(), "getPluginName").c_str(),
                         answered(creator.getPluginVersion(), "getPluginVersion").c_str()),
                  &creator, &creator});
    });
  }
  bool registerCreator(IPluginCreatorInterface& creator, char const* space) override {
    return reporter().guard("registerCreator", false, [&] {
      if (auto* second = dynamic_cast<IPluginCreator*>(&creator)) return registerCreator(*second, space);
      auto* third = dynamic_cast<IPluginCreatorV3One*>(&creator);
      if (third == nullptr) refuse("a creator of an unknown kind; IPluginCreator and IPluginCreatorV3One are known");
      return add({key_of(space, answered(third->getPluginName(), "getPluginName").c_str(),
                         answered(third->getPluginVersion(), "getPluginVersion").c_str()),
                  &creator, nullptr});
    });
  }
  bool deregisterCreator(IPluginCreator const& creator) override { return remove(&creator); }
  bool deregisterCreator(IPluginCreatorInterface const& creator) override { return remove(&creator); }

  IPluginCreator* const* getPluginCreatorList(int32_t* count) const override {
    const std::lock_guard lock(mutex_);
    second_.clear();
    for (const Registered& row : rows_)
      if (row.second != nullptr) second_.push_back(row.second);
    if (count != nullptr) *count = static_cast<int32_t>(second_.size());
    return second_.data();
  }
  IPluginCreatorInterface* const* getAllCreators(int32_t* count) const override {
    const std::lock_guard lock(mutex_);
    all_.clear();
    for (const Registered& row : rows_) all_.push_back(row.creator);
    if (count != nullptr) *count = static_cast<int32_t>(all_.size());
    return all_.data();
  }
  IPluginCreatorInterface* const* getAllCreatorsRecursive(int32_t* count) override { return getAllCreators(count); }

  IPluginCreator* getPluginCreator(char const* name, char const* version, char const* space) override {
    const Registered* row = find(name, version, space);
    return row == nullptr ? nullptr : row->second;
  }
  IPluginCreatorInterface* getCreator(char const* name, char const* version, char const* space) override {
    const Registered* row = find(name, version, space);
    return row == nullptr ? nullptr : row->creator;
  }

  // The keys of creators of that name, whatever their version and namespace; else of names that begin like it; else
  // all.
  std::vector<std::string> near(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> found;
    for (const size_t length : {name.size() + 1, std::min<size_t>(name.size(), 4), size_t{0}}) {
      const std::string part = lower_case("::" + name + ":").substr(0, length == 0 ? 2 : length + 2);
      for (const Registered& row : rows_)
        if (lower_case(row.key).find(part) != std::string::npos) found.push_back(row.key);
      if (!found.empty()) break;
    }
    return found;
  }

  void setErrorRecorder(nvinfer1::IErrorRecorder* recorder) override { recorder_ = recorder; }
  nvinfer1::IErrorRecorder* getErrorRecorder() const override { return recorder_; }
  bool isParentSearchEnabled() const override { return parent_search_; }
  void setParentSearchEnabled(bool enabled) override { parent_search_ = enabled; }

  PluginLibraryHandle loadLibrary(char const* path) override;
  void deregisterLibrary(PluginLibraryHandle handle) override;
  nvinfer1::IPluginResource* acquirePluginResource(char const* key, nvinfer1::IPluginResource* resource) override;
  int32_t releasePluginResource(char const* key) override;

 private:
  Reporter reporter() const { return Reporter(first_logger(), recorder_); }
  static std::string key_of(const char* space, const char* name, const char* version) {
    if (name == nullptr || version == nullptr) refuse("a creator without name or version");
    return text_or_empty(space) + "::" + name + ":" + version;
  }
  bool add(Registered row) {
    const std::lock_guard lock(mutex_);
    for (const Registered& other : rows_)
      if (other.key == row.key) return false;
    rows_.push_back(std::move(row));
    return true;
  }
  bool remove(const IPluginCreatorInterface* creator) {
    const std::lock_guard lock(mutex_);
    return std::erase_if(rows_, [&](const Registered& row) { return row.creator == creator; }) > 0;
  }
  const Registered* find(const char* name, const char* version, const char* space) const {
    if (name == nullptr || version == nullptr) return nullptr;
    const std::lock_guard lock(mutex_);
    const std::string key = key_of(space, name, version);
    const auto at = std::find_if(rows_.begin(), rows_.end(), [&](const Registered& row) { return row.key == key; });
    return at == rows_.end() ? nullptr : &*at;
  }

  // Whether a creator's code is the library's.
  bool has_creators_of(void* library) const {
    link_map* map = nullptr;
    if (dlinfo(library, RTLD_DI_LINKMAP, &map) != 0) return false;
    const std::lock_guard lock(mutex_);
    return std::any_of(rows_.begin(), rows_.end(), [&](const Registered& row) {
      Dl_info found{};
      return dladdr(*reinterpret_cast<void* const*>(row.creator), &found) != 0 &&
             found.dli_fbase == reinterpret_cast<void*>(map->l_addr);
    });
  }

  mutable std::mutex mutex_;
  std::vector<Registered> rows_;
  mutable std::vector<IPluginCreator*> second_;
  mutable std::vector<IPluginCreatorInterface*> all_;
  std::map<std::string, Resource> resources_;
  nvinfer1::IErrorRecorder* recorder_ = nullptr;
  bool parent_search_ = true;
};

// A library registers what its static objects register, and what getCreators or getPluginCreators list.
nvinfer1::IPluginRegistry::PluginLibraryHandle Registry::loadLibrary(char const* path) {
  return reporter().guard("loadLibrary", static_cast<void*>(nullptr), [&]() -> void* {
    if (path == nullptr) refuse("the path is null");
    void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw Error(Code::not_found, dlerror());
    std::unique_ptr<void, int (*)(void*)> opened(library, dlclose);
    using SetFinder = void (*)(nvinfer1::ILoggerFinder*);
    static Finder finder;
    if (auto set = reinterpret_cast<SetFinder>(dlsym(library, "setLoggerFinder"))) set(&finder);
    int32_t count = 0;
    using GetCreators = IPluginCreatorInterface* const* (*)(int32_t&);
    using GetSecond = IPluginCreator* const* (*)(int32_t&);
    if (auto get = reinterpret_cast<GetCreators>(dlsym(library, "getCreators"))) {
      IPluginCreatorInterface* const* creators = get(count);
      for (int32_t i = 0; i < count; ++i) registerCreator(*creators[i], "");
    } else if (auto get_second = reinterpret_cast<GetSecond>(dlsym(library, "getPluginCreators"))) {
      IPluginCreator* const* creators = get_second(count);
      for (int32_t i = 0; i < count; ++i) registerCreator(*creators[i], creators[i]->getPluginNamespace());
    } else {
      count = static_cast<int32_t>(has_creators_of(library));  // those that it registered as it was loaded
    }
    if (count <= 0)
      refuse(std::string(path) +
             ": the library registers no plugins; REGISTER_TENSORRT_PLUGIN, getCreators or getPluginCreators do");
    return opened.release();
  });
}

void Registry::deregisterLibrary(PluginLibraryHandle handle) {
  if (handle == nullptr) return;
  reporter().guard("deregisterLibrary", [&] {
    using GetCreators = IPluginCreatorInterface* const* (*)(int32_t&);
    int32_t count = 0;
    if (auto get = reinterpret_cast<GetCreators>(dlsym(handle, "getCreators"))) {
      IPluginCreatorInterface* const* creators = get(count);
      for (int32_t i = 0; i < count; ++i) remove(creators[i]);
    }
    dlclose(handle);
  });
}

nvinfer1::IPluginResource* Registry::acquirePluginResource(char const* key, nvinfer1::IPluginResource* resource) {
  return reporter().guard("acquirePluginResource", static_cast<nvinfer1::IPluginResource*>(nullptr), [&] {
    if (key == nullptr || resource == nullptr) refuse("the key or the resource is null");
    const std::lock_guard lock(mutex_);
    Resource& kept = resources_[key];
    if (kept.resource == nullptr) kept.resource = resource->clone();
    if (kept.resource != nullptr) ++kept.references;
    return kept.resource;
  });
}

int32_t Registry::releasePluginResource(char const* key) {
  return reporter().guard("releasePluginResource", int32_t{-1}, [&] {
    const std::lock_guard lock(mutex_);
    const auto at = key == nullptr ? resources_.end() : resources_.find(key);
    if (at == resources_.end()) refuse("there is no such resource");
    if (--at->second.references > 0) return 0;
    const int32_t status = at->second.resource->release();
    resources_.erase(at);
    return status;
  });
}

}  // namespace

static Registry& registry() {
  static Registry all;
  return all;
}

nvinfer1::IPluginRegistry& plugin_registry() { return registry(); }

std::string not_registered_text(const std::string& name, const std::string& version, const std::string& space) {
  constexpr size_t kMost = 8;
  const std::vector<std::string> near = registry().near(name);
  std::string list;
  for (size_t i = 0; i < std::min(near.size(), kMost); ++i) list += (i == 0 ? "" : ", ") + near[i];
  if (near.size() > kMost) list += " and " + std::to_string(near.size() - kMost) + " more";
  return "no creator of plugin '" + name + "', version '" + version + "', namespace '" + space + "' is registered; " +
         (list.empty() ? "none is" : "there are (namespace::name:version) " + list);
}

}  // namespace planish::tensorrt

extern "C" nvinfer1::IPluginRegistry* getPluginRegistry() { return &planish::tensorrt::plugin_registry(); }
