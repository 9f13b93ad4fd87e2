// Plugins of the third generation that Python implements: a plugin and its three parts.
#include "python/tensorrt/plugin_calls.h"

namespace planish_python {
namespace {

auto const borrowed = py::return_value_policy::reference;

// The parts of a plugin of the third generation read their labels where the class has them.
template <typename T>
std::string const& label(T const* self, char const* name, std::string& kept) {
  kept = answered(std::string(), name, [&] { return self_of<T>(self).attr(name).template cast<std::string>(); });
  return kept;
}

// What the library owns: a reference to the Python object, let go of when the library ends the plugin.
class Handle : public IPluginV3 {
 public:
  explicit Handle(py::object plugin) : plugin_(std::move(plugin)) {}
  ~Handle() override {
    py::gil_scoped_acquire gil;
    plugin_ = py::object();
  }
  APILanguage getAPILanguage() const override { return APILanguage::kPYTHON; }
  IPluginCapability* getCapabilityInterface(PluginCapabilityType type) override {
    return plugin_.cast<IPluginV3*>()->getCapabilityInterface(type);
  }
  IPluginV3* clone() override { return plugin_.cast<IPluginV3*>()->clone(); }

 private:
  py::object plugin_;
};

IPluginV3* handed(py::object const& plugin) {
  if (plugin.is_none()) return nullptr;
  plugin.cast<IPluginV3*>();
  return new Handle(plugin);
}

class PyPluginV3 : public IPluginV3 {
 public:
  APILanguage getAPILanguage() const override { return APILanguage::kPYTHON; }
  IPluginCapability* getCapabilityInterface(PluginCapabilityType type) override {
    return answered<IPluginCapability*>(nullptr, "IPluginV3.get_capability_interface", [&]() -> IPluginCapability* {
      py::object const part = method<IPluginV3>(this, "get_capability_interface")(type);
      if (part.is_none()) return nullptr;
      if (type == PluginCapabilityType::kCORE) return part.cast<IPluginV3OneCore*>();
      if (type == PluginCapabilityType::kBUILD) return part.cast<IPluginV3OneBuild*>();
      return part.cast<IPluginV3OneRuntime*>();
    });
  }
  IPluginV3* clone() override {
    return answered<IPluginV3*>(nullptr, "IPluginV3.clone", [&] { return handed(method<IPluginV3>(this, "clone")()); });
  }
};

class PyCore : public IPluginV3OneCore {
 public:
  APILanguage getAPILanguage() const override { return APILanguage::kPYTHON; }
  AsciiChar const* getPluginName() const override {
    return label<IPluginV3OneCore>(this, "plugin_name", name_).c_str();
  }
  AsciiChar const* getPluginVersion() const override {
    return label<IPluginV3OneCore>(this, "plugin_version", version_).c_str();
  }
  AsciiChar const* getPluginNamespace() const override {
    return label<IPluginV3OneCore>(this, "plugin_namespace", space_).c_str();
  }

 private:
  mutable std::string name_, version_, space_;
};

class PyBuild : public IPluginV3OneBuild {
 public:
  using Base = IPluginV3OneBuild;
  APILanguage getAPILanguage() const override { return APILanguage::kPYTHON; }
  int32_t getNbOutputs() const override {
    return answered(0, "IPluginV3OneBuild.num_outputs",
                    [&] { return self_of<Base>(this).attr("num_outputs").cast<int32_t>(); });
  }
  int32_t configurePlugin(DynamicPluginTensorDesc const* in, int32_t inputs, DynamicPluginTensorDesc const* out,
                          int32_t outputs) override {
    return answered(-1, "IPluginV3OneBuild.configure_plugin", [&] {
      return status_of(method<Base>(this, "configure_plugin")(list_of(in, inputs), list_of(out, outputs)));
    });
  }
  int32_t getOutputDataTypes(DataType* types, int32_t outputs, DataType const* inputs, int32_t count) const override {
    return answered(-1, "IPluginV3OneBuild.get_output_data_types", [&] {
      auto const result = method<Base>(this, "get_output_data_types")(std::vector<DataType>(inputs, inputs + count))
                              .cast<std::vector<DataType>>();
      if (static_cast<int32_t>(result.size()) != outputs)
        throw py::value_error("as many types as outputs are accepted");
      std::copy(result.begin(), result.end(), types);
      return 0;
    });
  }
  int32_t getOutputShapes(DimsExprs const* inputs, int32_t count, DimsExprs const* shapes, int32_t shape_count,
                          DimsExprs* results, int32_t outputs, IExprBuilder& builder) override {
    return answered(-1, "IPluginV3OneBuild.get_output_shapes", [&] {
      auto const result = method<Base>(this, "get_output_shapes")(list_of(inputs, count), list_of(shapes, shape_count),
                                                                  py::cast(&builder, borrowed))
                              .cast<std::vector<DimsExprs>>();
      if (static_cast<int32_t>(result.size()) != outputs)
        throw py::value_error("as many shapes as outputs are accepted");
      std::copy(result.begin(), result.end(), results);
      return 0;
    });
  }
  bool supportsFormatCombination(int32_t pos, DynamicPluginTensorDesc const* all, int32_t inputs,
                                 int32_t outputs) override {
    return answered(false, "IPluginV3OneBuild.supports_format_combination", [&] {
      return method<Base>(this, "supports_format_combination")(pos, list_of(all, inputs + outputs), inputs)
          .cast<bool>();
    });
  }
  size_t getWorkspaceSize(DynamicPluginTensorDesc const* in, int32_t inputs, DynamicPluginTensorDesc const* out,
                          int32_t outputs) const override {
    return answered(size_t{0}, "IPluginV3OneBuild.get_workspace_size", [&] {
      py::function call = py::get_override(static_cast<Base const*>(this), "get_workspace_size");
      return call ? call(list_of(in, inputs), list_of(out, outputs)).cast<size_t>() : size_t{0};
    });
  }
  int32_t getNbTactics() override { return static_cast<int32_t>(tactics().size()); }
  int32_t getValidTactics(int32_t* numbers, int32_t count) override {
    std::vector<int32_t> const all = tactics();
    std::copy_n(all.begin(), std::min<size_t>(all.size(), static_cast<size_t>(count)), numbers);
    return 0;
  }

 private:
  std::vector<int32_t> tactics() {
    return answered(std::vector<int32_t>(), "IPluginV3OneBuild.get_valid_tactics", [&] {
      py::function call = py::get_override(static_cast<Base const*>(this), "get_valid_tactics");
      return call ? call().cast<std::vector<int32_t>>() : std::vector<int32_t>();
    });
  }
};

class PyRuntime : public IPluginV3OneRuntime {
 public:
  using Base = IPluginV3OneRuntime;
  APILanguage getAPILanguage() const override { return APILanguage::kPYTHON; }
  int32_t setTactic(int32_t tactic) override {
    return answered(-1, "IPluginV3OneRuntime.set_tactic", [&] {
      py::function call = py::get_override(static_cast<Base const*>(this), "set_tactic");
      return call ? status_of(call(tactic)) : 0;
    });
  }
  int32_t onShapeChange(PluginTensorDesc const* in, int32_t inputs, PluginTensorDesc const* out,
                        int32_t outputs) override {
    inputs_ = inputs;
    outputs_ = outputs;
    return answered(-1, "IPluginV3OneRuntime.on_shape_change", [&] {
      return status_of(method<Base>(this, "on_shape_change")(list_of(in, inputs), list_of(out, outputs)));
    });
  }
  int32_t enqueue(PluginTensorDesc const* in, PluginTensorDesc const* out, void const* const* inputs,
                  void* const* outputs, void* workspace, cudaStream_t stream) override {
    return answered(-1, "IPluginV3OneRuntime.enqueue", [&] {
      return status_of(method<Base>(this, "enqueue")(list_of(in, inputs_), list_of(out, outputs_),
                                                     addresses_of(inputs, inputs_), addresses_of(outputs, outputs_),
                                                     address(workspace), reinterpret_cast<Address>(stream)));
    });
  }
  IPluginV3* attachToContext(IPluginResourceContext* context) override {
    return answered<IPluginV3*>(nullptr, "IPluginV3OneRuntime.attach_to_context", [&] {
      return handed(method<Base>(this, "attach_to_context")(py::cast(context, borrowed)));
    });
  }
  PluginFieldCollection const* getFieldsToSerialize() override {
    return answered<PluginFieldCollection const*>(nullptr, "IPluginV3OneRuntime.get_fields_to_serialize", [&] {
      labels_.fields = method<Base>(this, "get_fields_to_serialize")().cast<Fields>();
      return labels_.collection();
    });
  }

 private:
  Labels labels_;
  int32_t inputs_ = 0;
  int32_t outputs_ = 0;
};

}  // namespace

IPluginV3* PyCreatorV3::createPlugin(AsciiChar const* name, PluginFieldCollection const* fields, TensorRTPhase phase) {
  return answered<IPluginV3*>(nullptr, "IPluginCreatorV3One.create_plugin", [&] {
    return handed(method<IPluginCreatorV3One>(this, "create_plugin")(name, Fields::copied(fields), phase));
  });
}

void bind_third_generation(py::module_& m) {
  py::enum_<PluginCapabilityType>(m, "PluginCapabilityType")
      .value("CORE", PluginCapabilityType::kCORE)
      .value("BUILD", PluginCapabilityType::kBUILD)
      .value("RUNTIME", PluginCapabilityType::kRUNTIME);
  py::class_<IPluginV3, PyPluginV3>(m, "IPluginV3").def(py::init<>());
  Borrowed<IPluginCapability>(m, "IPluginCapability");
  py::class_<IPluginV3OneCore, IPluginCapability, PyCore>(m, "IPluginV3OneCore").def(py::init<>());
  py::class_<IPluginV3OneBuild, IPluginCapability, PyBuild>(m, "IPluginV3OneBuild").def(py::init<>());
  py::class_<IPluginV3OneRuntime, IPluginCapability, PyRuntime>(m, "IPluginV3OneRuntime").def(py::init<>());
  Borrowed<IPluginResourceContext>(m, "IPluginResourceContext")
      .def_property_readonly("error_recorder", &IPluginResourceContext::getErrorRecorder, borrowed)
      .def_property_readonly("gpu_allocator", &IPluginResourceContext::getGpuAllocator, borrowed);
}

}  // namespace planish_python
