// Plugins that Python implements: IPluginV2DynamicExt, and the third generation's parts.
#include "python/tensorrt/plugins.h"

namespace planish_python {
namespace {

using py::arg;
auto const borrowed = py::return_value_policy::reference;

template <typename T>
py::object self_of(T const* self) {
  return py::cast(self, borrowed);
}

// `count` descriptions as a list of references: valid during the call.
template <typename T>
py::list list_of(T const* rows, int32_t count) {
  py::list list;
  for (int32_t i = 0; i < count; ++i) list.append(py::cast(rows[i]));
  return list;
}

py::list addresses_of(void const* const* pointers, int32_t count) {
  py::list list;
  for (int32_t i = 0; i < count; ++i) list.append(py::int_(address(pointers[i])));
  return list;
}

// A call that returns nothing, 0 or False where all is well.
int32_t status_of(py::object const& result) {
  return result.is_none() || result.is(py::bool_(true)) ? 0 : py::int_(result).cast<int32_t>();
}

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

void bind_expressions(py::module_& m) {
  py::enum_<DimensionOperation>(m, "DimensionOperation")
      .value("SUM", DimensionOperation::kSUM)
      .value("PROD", DimensionOperation::kPROD)
      .value("MAX", DimensionOperation::kMAX)
      .value("MIN", DimensionOperation::kMIN)
      .value("SUB", DimensionOperation::kSUB)
      .value("EQUAL", DimensionOperation::kEQUAL)
      .value("LESS", DimensionOperation::kLESS)
      .value("FLOOR_DIV", DimensionOperation::kFLOOR_DIV)
      .value("CEIL_DIV", DimensionOperation::kCEIL_DIV);
  Borrowed<IDimensionExpr>(m, "IDimensionExpr")
      .def("is_constant", &IDimensionExpr::isConstant)
      .def("get_constant_value", &IDimensionExpr::getConstantValue)
      .def("is_size_tensor", &IDimensionExpr::isSizeTensor);
  Borrowed<IExprBuilder>(m, "IExprBuilder")
      .def("constant", &IExprBuilder::constant, arg("value"), borrowed)
      .def("operation", &IExprBuilder::operation, arg("op"), arg("first"), arg("second"), borrowed)
      .def("declare_size_tensor", &IExprBuilder::declareSizeTensor, arg("output_index"), arg("opt"), arg("upper"),
           borrowed);
  auto const axis = [](DimsExprs const& d, int64_t i) {
    int64_t const at = i < 0 ? i + d.nbDims : i;
    if (at < 0 || at >= d.nbDims) throw py::index_error();
    return static_cast<size_t>(at);
  };
  auto const from_list = [](std::vector<IDimensionExpr const*> const& all) {
    if (all.size() > Dims::MAX_DIMS) throw py::value_error("at most 8 extents are accepted");
    DimsExprs d{};
    d.nbDims = static_cast<int32_t>(all.size());
    std::copy(all.begin(), all.end(), d.d);
    return d;
  };
  py::class_<DimsExprs>(m, "DimsExprs")
      .def(py::init([](int32_t rank) {
             if (rank < 0 || rank > static_cast<int32_t>(Dims::MAX_DIMS))
               throw py::value_error("0 to 8 extents are accepted");
             DimsExprs d{};
             d.nbDims = rank;
             return d;
           }),
           arg("nb_dims") = 0)
      .def(py::init(from_list), arg("dims"))
      .def(py::init([](DimsExprs const& other) { return other; }), arg("other"))
      .def("__len__", [](DimsExprs const& d) { return d.nbDims; })
      .def(
          "__getitem__", [axis](DimsExprs const& d, int64_t i) { return d.d[axis(d, i)]; }, borrowed)
      .def("__setitem__", [axis](DimsExprs& d, int64_t i, IDimensionExpr const* e) { d.d[axis(d, i)] = e; });
  py::implicitly_convertible<py::list, DimsExprs>();
}

void bind_descriptions(py::module_& m) {
  py::class_<PluginTensorDesc>(m, "PluginTensorDesc")
      .def(py::init([] { return PluginTensorDesc{}; }))
      .def_readwrite("dims", &PluginTensorDesc::dims)
      .def_readwrite("type", &PluginTensorDesc::type)
      .def_readwrite("format", &PluginTensorDesc::format)
      .def_readwrite("scale", &PluginTensorDesc::scale);
  py::class_<DynamicPluginTensorDesc>(m, "DynamicPluginTensorDesc")
      .def(py::init([] { return DynamicPluginTensorDesc{}; }))
      .def_readwrite("desc", &DynamicPluginTensorDesc::desc)
      .def_readwrite("min", &DynamicPluginTensorDesc::min)
      .def_readwrite("max", &DynamicPluginTensorDesc::max)
      .def_readwrite("opt", &DynamicPluginTensorDesc::opt);
}

void bind_generations(py::module_& m) {
  py::enum_<PluginCapabilityType>(m, "PluginCapabilityType")
      .value("CORE", PluginCapabilityType::kCORE)
      .value("BUILD", PluginCapabilityType::kBUILD)
      .value("RUNTIME", PluginCapabilityType::kRUNTIME);
  py::class_<IPluginV2DynamicExt, IPluginV2, PyDynamicPlugin> second(m, "IPluginV2DynamicExt");
  second.def(py::init<>());
  second.def_property("plugin_type", &IPluginV2::getPluginType, &set_python_attribute<IPluginV2DynamicExt, 0>);
  second.def_property("plugin_version", &IPluginV2::getPluginVersion, &set_python_attribute<IPluginV2DynamicExt, 1>);
  second.def_property("num_outputs", &IPluginV2::getNbOutputs, [](IPluginV2DynamicExt& p, int32_t count) {
    if (auto* own = dynamic_cast<PyDynamicPlugin*>(&p)) own->outputs = count;
  });
  py::class_<IPluginV3, PyPluginV3>(m, "IPluginV3").def(py::init<>());
  Borrowed<IPluginCapability>(m, "IPluginCapability");
  py::class_<IPluginV3OneCore, IPluginCapability, PyCore>(m, "IPluginV3OneCore").def(py::init<>());
  py::class_<IPluginV3OneBuild, IPluginCapability, PyBuild>(m, "IPluginV3OneBuild").def(py::init<>());
  py::class_<IPluginV3OneRuntime, IPluginCapability, PyRuntime>(m, "IPluginV3OneRuntime").def(py::init<>());
  Borrowed<IPluginResourceContext>(m, "IPluginResourceContext")
      .def_property_readonly("error_recorder", &IPluginResourceContext::getErrorRecorder, borrowed)
      .def_property_readonly("gpu_allocator", &IPluginResourceContext::getGpuAllocator, borrowed);
}

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

IPluginV3* PyCreatorV3::createPlugin(AsciiChar const* name, PluginFieldCollection const* fields, TensorRTPhase phase) {
  return answered<IPluginV3*>(nullptr, "IPluginCreatorV3One.create_plugin", [&] {
    return handed(method<IPluginCreatorV3One>(this, "create_plugin")(name, Fields::copied(fields), phase));
  });
}

void bind_python_plugins(py::module_& m) {
  bind_expressions(m);
  bind_descriptions(m);
  bind_generations(m);
}

}  // namespace planish_python
