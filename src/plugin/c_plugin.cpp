#include "plugin/c_plugin.h"

#include <array>

#include "base/sized.h"
#include "plugin/c_attrs.h"

namespace planish {
namespace {

// What a C function said: pieces of its result, and why it failed.
struct Sink {
  std::vector<std::string> written;
  std::string failure;
  bool exhausted = false;  // no memory for what was said
};

Sink& sink_of(planish_sink* sink) { return *reinterpret_cast<Sink*>(sink); }

// Called by C code: nothing may be thrown through it.
template <class Body>
void kept(planish_sink* sink, Body body) noexcept {
  try {
    body();
  } catch (...) {
    sink_of(sink).exhausted = true;
  }
}

void say_failure(planish_sink* sink, const char* text, size_t size) {
  kept(sink, [&] { sink_of(sink).failure.assign(text, size); });
}

void say_result(planish_sink* sink, const char* text, size_t size) {
  kept(sink, [&] { sink_of(sink).written.emplace_back(text, size); });
}

template <class Call>
Sink checked_call(const char* function, Call call) {
  Sink sink;
  const int32_t result = call(reinterpret_cast<planish_sink*>(&sink));
  if (sink.exhausted) fail(Code::out_of_memory, "{}: out of memory", function);
  if (result != 0)
    fail(Code::invalid_argument, "{} failed: {}", function,
         sink.failure.empty() ? "no reason was given" : sink.failure);
  return sink;
}

planish_view to_c(const TensorView& view) {
  return {view.data, static_cast<planish_dtype>(view.dtype), view.rank, view.dims.data(), view.strides.data()};
}

// Views of one call, without touching the heap for as many operands as plugins usually have.
class CViews {
 public:
  explicit CViews(std::span<const TensorView> views) : size_(views.size()) {
    if (size_ > few_.size()) many_.resize(size_);
    planish_view* out = size_ > few_.size() ? many_.data() : few_.data();
    for (size_t i = 0; i < size_; ++i) out[i] = to_c(views[i]);
    data_ = out;
  }
  CViews(const CViews&) = delete;
  CViews& operator=(const CViews&) = delete;
  const planish_view* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  size_t size_;
  std::array<planish_view, 16> few_;
  std::vector<planish_view> many_;
  const planish_view* data_ = nullptr;
};

void run_parallel(const planish_plugin_call* call, int64_t n, int64_t grain, planish_range_fn body, void* user) {
  static_cast<ThreadPool*>(call->pool)->parallel_for(n, grain, [&](int64_t begin, int64_t end) {
    body(user, begin, end);
  });
}

template <class Use>
auto with_c_call(const PluginCall& call, Use use) {
  const CViews inputs(call.inputs), outputs(call.outputs);
  planish_plugin_call c{};
  c.struct_size = sizeof c;
  c.inputs = inputs.data();
  c.input_count = inputs.size();
  c.outputs = outputs.data();
  c.output_count = outputs.size();
  c.workspace = call.workspace;
  c.parallel_for = run_parallel;
  c.pool = call.pool;
  c.stream = call.stream;
  c.on_device = call.on_device ? 1 : 0;
  return use(c);
}

// The table; its release is called when the type and all instances are gone.
struct CType {
  explicit CType(const planish_plugin_type& given) : table(given), name(given.name) { table.name = name.c_str(); }
  ~CType() {
    if (registered && table.release != nullptr) table.release(table.user);
  }
  CType(const CType&) = delete;
  CType& operator=(const CType&) = delete;

  planish_plugin_type table;
  const std::string name;
  bool registered = false;
};

class CPlugin final : public Plugin {
 public:
  CPlugin(std::shared_ptr<const CType> type, void* plugin) : type_(std::move(type)), plugin_(plugin) {}
  ~CPlugin() override { table().destroy(plugin_); }
  CPlugin(const CPlugin&) = delete;
  CPlugin& operator=(const CPlugin&) = delete;

  std::string serialize() override {
    const Sink sink = checked_call(
        "serialize", [&](planish_sink* to) { return table().serialize(plugin_, say_result, say_failure, to); });
    std::string bytes;
    for (const std::string& piece : sink.written) bytes += piece;
    return bytes;
  }

  std::vector<TensorType> infer(std::span<const TensorType> inputs) override {
    std::vector<std::string> texts;
    for (const TensorType& type : inputs) texts.push_back(type.dtype == DataType::none ? "" : type.str());
    std::vector<const char*> pointers;
    for (const std::string& text : texts) pointers.push_back(text.c_str());
    const Sink sink = checked_call("infer", [&](planish_sink* to) {
      return table().infer(plugin_, pointers.data(), pointers.size(), say_result, say_failure, to);
    });
    std::vector<TensorType> types;
    for (const std::string& text : sink.written) types.push_back(TensorType::parse(text));
    return types;
  }

  int64_t workspace(const PluginCall& call) override {
    if (table().workspace == nullptr) return 0;
    return with_c_call(call, [&](const planish_plugin_call& c) { return table().workspace(plugin_, &c); });
  }

  bool any_strides() const override { return table().any_strides != 0; }

  void run(const PluginCall& call) override {
    with_c_call(call, [&](const planish_plugin_call& c) {
      checked_call("run", [&](planish_sink* to) { return table().run(plugin_, &c, say_failure, to); });
    });
  }

 private:
  const planish_plugin_type& table() const { return type_->table; }
  std::shared_ptr<const CType> type_;
  void* plugin_;
};

class CCreator final : public PluginCreator {
 public:
  explicit CCreator(std::shared_ptr<const CType> type) : type_(std::move(type)) {}
  std::string name() const override { return type_->name; }
  int version() const override { return type_->table.version; }
  bool any_strides() const override { return type_->table.any_strides != 0; }
  bool on_device() const override { return type_->table.on_device != 0; }

  std::unique_ptr<Plugin> create(const Attrs& attrs) override {
    const CAttrs list(attrs);
    return made("create", [&](void** plugin, planish_sink* to) {
      return type_->table.create(type_->table.user, list.data(), list.size(), plugin, say_failure, to);
    });
  }
  bool stands_for(const std::string& node_type, const Attrs& attrs) const override {
    if (type_->table.stands_for == nullptr) return false;
    const CAttrs list(attrs);
    return type_->table.stands_for(type_->table.user, node_type.c_str(), list.data(), list.size()) != 0;
  }
  std::unique_ptr<Plugin> deserialize(std::string_view bytes) override {
    return made("deserialize", [&](void** plugin, planish_sink* to) {
      return type_->table.deserialize(type_->table.user, bytes.data(), bytes.size(), plugin, say_failure, to);
    });
  }

 private:
  template <class Make>
  std::unique_ptr<Plugin> made(const char* function, Make make) {
    void* plugin = nullptr;
    checked_call(function, [&](planish_sink* to) { return make(&plugin, to); });
    return std::make_unique<CPlugin>(type_, plugin);
  }
  std::shared_ptr<const CType> type_;
};

planish_plugin_type checked_type(const planish_plugin_type* given) {
  if (given == nullptr) fail(Code::invalid_argument, "a plugin type is NULL");
  const planish_plugin_type type = read_sized(given, "a plugin type");
  if (type.name == nullptr || *type.name == '\0') fail(Code::invalid_argument, "a plugin type without a name");
  if (type.abi != PLANISH_PLUGIN_ABI)
    fail(Code::mismatch, "plugin '{}' is of ABI version {}, this library takes {}", type.name, type.abi,
         PLANISH_PLUGIN_ABI);
  if (type.create == nullptr || type.deserialize == nullptr || type.destroy == nullptr || type.serialize == nullptr ||
      type.infer == nullptr || type.run == nullptr)
    fail(Code::invalid_argument,
         "plugin '{}' lacks a function; create, deserialize, destroy, serialize, infer and run must be there",
         type.name);
  return type;
}

}  // namespace

void register_c_plugin(const planish_plugin_type* given) {
  auto type = std::make_shared<CType>(checked_type(given));
  register_plugin(std::make_shared<CCreator>(type));
  type->registered = true;
}

}  // namespace planish
