// Plugins of the second generation that Python implements: IPluginV2DynamicExt.
#include "python/tensorrt/plugin_calls.h"

namespace planish_python {
namespace {

auto const borrowed = py::return_value_policy::reference;

class PyDynamicPlugin : public IPluginV2DynamicExt, public Labels {
 public:
  using Base = IPluginV2DynamicExt;
  AsciiChar const* getPluginType() const override { return texts[0].c_str(); }
  AsciiChar const* getPluginVersion() const override { return texts[1].c_str(); }
  AsciiChar const* getPluginNamespace() const override { return texts[2].c_str(); }
  void setPluginNamespace(AsciiChar const* space) override { texts[2] = space ? space : ""; }
  int32_t getNbOutputs() const override { return outputs; }
  int32_t initialize() override { return optional("initialize"); }
  void terminate() override { optional("terminate"); }
  // What was handed to the library holds a reference until the library says so.
  void destroy() override {
    py::gil_scoped_acquire gil;
    optional("destroy");
    self_of<Base>(this).dec_ref();
  }
  IPluginV2DynamicExt* clone() const override {
    return answered<IPluginV2DynamicExt*>(nullptr, "IPluginV2DynamicExt.clone", [&] {
      py::object copy = method<Base>(this, "clone")();
      auto* plugin = copy.cast<IPluginV2DynamicExt*>();
      copy.inc_ref();
      return plugin;
    });
  }
  size_t getSerializationSize() const override {
    return answered(size_t{0}, "IPluginV2DynamicExt.serialize", [&] { return bytes().size(); });
  }
  void serialize(void* buffer) const override {
    told("IPluginV2DynamicExt.serialize", [&] {
      std::string const all = bytes();
      std::copy(all.begin(), all.end(), static_cast<char*>(buffer));
    });
  }
  DataType getOutputDataType(int32_t index, DataType const* types, int32_t count) const override {
    return answered(DataType::kFLOAT, "IPluginV2DynamicExt.get_output_datatype", [&] {
      return method<Base>(this, "get_output_datatype")(index, std::vector<DataType>(types, types + count))
          .cast<DataType>();
    });
  }
  DimsExprs getOutputDimensions(int32_t index, DimsExprs const* inputs, int32_t count, IExprBuilder& builder) override {
    DimsExprs none{};
    none.nbDims = -1;
    return answered(none, "IPluginV2DynamicExt.get_output_dimensions", [&] {
      return method<Base>(this, "get_output_dimensions")(index, list_of(inputs, count), py::cast(&builder, borrowed))
          .cast<DimsExprs>();
    });
  }
  bool supportsFormatCombination(int32_t pos, PluginTensorDesc const* all, int32_t inputs, int32_t count) override {
    return answered(false, "IPluginV2DynamicExt.supports_format_combination", [&] {
      return method<Base>(this, "supports_format_combination")(pos, list_of(all, inputs + count), inputs).cast<bool>();
    });
  }
  void configurePlugin(DynamicPluginTensorDesc const* in, int32_t inputs, DynamicPluginTensorDesc const* out,
                       int32_t count) override {
    operands = inputs;
    told("IPluginV2DynamicExt.configure_plugin",
         [&] { method<Base>(this, "configure_plugin")(list_of(in, inputs), list_of(out, count)); });
  }
  size_t getWorkspaceSize(PluginTensorDesc const* in, int32_t inputs, PluginTensorDesc const* out,
                          int32_t count) const override {
    operands = inputs;
    return answered(size_t{0}, "IPluginV2DynamicExt.get_workspace_size", [&] {
      py::function call = py::get_override(static_cast<Base const*>(this), "get_workspace_size");
      return call ? call(list_of(in, inputs), list_of(out, count)).cast<size_t>() : size_t{0};
    });
  }
  int32_t enqueue(PluginTensorDesc const* in, PluginTensorDesc const* out, void const* const* inputs,
                  void* const* results, void* workspace, cudaStream_t stream) override {
    return answered(-1, "IPluginV2DynamicExt.enqueue", [&] {
      int32_t const n = operands;
      return status_of(method<Base>(this, "enqueue")(list_of(in, n), list_of(out, outputs), addresses_of(inputs, n),
                                                     addresses_of(results, outputs), address(workspace),
                                                     reinterpret_cast<Address>(stream)));
    });
  }

  int32_t outputs = 1;

 private:
  int32_t optional(char const* name) {
    return answered(-1, name, [&] {
      py::function call = py::get_override(static_cast<Base const*>(this), name);
      return call ? status_of(call()) : 0;
    });
  }
  std::string bytes() const {
    py::function call = py::get_override(static_cast<Base const*>(this), "serialize");
    return call ? std::string(py::bytes(call())) : std::string();
  }
  mutable int32_t operands = 0;  // as the library said last
};

}  // namespace

IPluginV2* PyCreator::createPlugin(AsciiChar const* name, PluginFieldCollection const* fields) {
  return answered<IPluginV2*>(nullptr, "IPluginCreator.create_plugin", [&] {
    py::object plugin = method<IPluginCreator>(this, "create_plugin")(name, Fields::copied(fields));
    auto* made = plugin.cast<IPluginV2*>();
    plugin.inc_ref();
    return made;
  });
}

IPluginV2* PyCreator::deserializePlugin(AsciiChar const* name, void const* data, size_t length) {
  return answered<IPluginV2*>(nullptr, "IPluginCreator.deserialize_plugin", [&] {
    py::object plugin =
        method<IPluginCreator>(this, "deserialize_plugin")(name, py::bytes(static_cast<char const*>(data), length));
    auto* made = plugin.cast<IPluginV2*>();
    plugin.inc_ref();
    return made;
  });
}

void bind_second_generation(py::module_& m) {
  py::class_<IPluginV2DynamicExt, IPluginV2, PyDynamicPlugin> second(m, "IPluginV2DynamicExt");
  second.def(py::init<>());
  second.def_property("plugin_type", &IPluginV2::getPluginType, &set_python_attribute<IPluginV2DynamicExt, 0>);
  second.def_property("plugin_version", &IPluginV2::getPluginVersion, &set_python_attribute<IPluginV2DynamicExt, 1>);
  second.def_property("num_outputs", &IPluginV2::getNbOutputs, [](IPluginV2DynamicExt& p, int32_t count) {
    if (auto* own = dynamic_cast<PyDynamicPlugin*>(&p)) own->outputs = count;
  });
}

}  // namespace planish_python
