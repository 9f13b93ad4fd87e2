// Plugins that libraries have: their fields, creators, and the registry.
#include "python/tensorrt/plugins.h"

#include <cstring>

#include "python/tensorrt/arrays.h"

namespace planish_python {
namespace {

using py::arg;
auto const borrowed = py::return_value_policy::reference;

struct FieldRow {
  PluginFieldType type;
  char const* name;
  char const* array;  // numpy's type; nullptr: bytes
};

FieldRow const field_rows[] = {
    {PluginFieldType::kFLOAT16, "FLOAT16", "float16"}, {PluginFieldType::kFLOAT32, "FLOAT32", "float32"},
    {PluginFieldType::kFLOAT64, "FLOAT64", "float64"}, {PluginFieldType::kINT8, "INT8", "int8"},
    {PluginFieldType::kINT16, "INT16", "int16"},       {PluginFieldType::kINT32, "INT32", "int32"},
    {PluginFieldType::kCHAR, "CHAR", nullptr},         {PluginFieldType::kDIMS, "DIMS", nullptr},
    {PluginFieldType::kUNKNOWN, "UNKNOWN", nullptr},   {PluginFieldType::kBF16, "BF16", nullptr},
    {PluginFieldType::kINT64, "INT64", "int64"},       {PluginFieldType::kFP8, "FP8", nullptr},
    {PluginFieldType::kINT4, "INT4", nullptr},         {PluginFieldType::kFP4, "FP4", nullptr},
};

void bind_fields(py::module_& m) {
  py::enum_<PluginFieldType> type(m, "PluginFieldType");
  for (FieldRow const& row : field_rows) type.value(row.name, row.type);
  py::class_<Field> field(m, "PluginField");
  field.def(py::init([](std::string const& name) { return Field(name, py::none(), PluginFieldType::kUNKNOWN); }),
            arg("name") = "");
  field.def(py::init<std::string const&, py::object const&, PluginFieldType>(), arg("name"), arg("data"),
            arg("type") = PluginFieldType::kUNKNOWN);
  field.def_readwrite("name", &Field::name);
  field.def_readwrite("type", &Field::type);
  field.def_property_readonly("size", &Field::length);
  field.def_property("data", &Field::values, &Field::set_values);
  py::class_<Fields> fields(m, "PluginFieldCollection");
  fields.def(py::init<>());
  fields.def(py::init([](std::vector<Field> const& rows) { return Fields{rows}; }), arg("fields"));
  fields.def("__len__", [](Fields const& f) { return f.rows.size(); });
  fields.def(
      "__getitem__",
      [](Fields& f, size_t i) -> Field& {
        if (i >= f.rows.size()) throw py::index_error();
        return f.rows[i];
      },
      py::return_value_policy::reference_internal);
  fields.def(
      "__iter__", [](Fields& f) { return py::make_iterator(f.rows.begin(), f.rows.end()); }, py::keep_alive<0, 1>());
  fields.def("append", [](Fields& f, Field const& row) { f.rows.push_back(row); });
  py::implicitly_convertible<py::list, Fields>();
  m.attr("PluginFieldCollection_") = fields;
}

void bind_plugin(py::module_& m) {
  py::enum_<TensorRTPhase>(m, "TensorRTPhase")
      .value("BUILD", TensorRTPhase::kBUILD)
      .value("RUNTIME", TensorRTPhase::kRUNTIME);
  py::enum_<PluginCreatorVersion>(m, "PluginCreatorVersion")
      .value("V1", PluginCreatorVersion::kV1)
      .value("V1_PYTHON", PluginCreatorVersion::kV1_PYTHON);
  // A plugin ends with destroy(), which the library or the program calls.
  Borrowed<IPluginV2> plugin(m, "IPluginV2");
  plugin.def_property_readonly("plugin_type", &IPluginV2::getPluginType);
  plugin.def_property_readonly("plugin_version", &IPluginV2::getPluginVersion);
  plugin.def_property("plugin_namespace", &IPluginV2::getPluginNamespace, &IPluginV2::setPluginNamespace);
  plugin.def_property_readonly("num_outputs", &IPluginV2::getNbOutputs);
  plugin.def_property_readonly("tensorrt_version", &IPluginV2::getTensorRTVersion);
  plugin.def_property_readonly("serialization_size", &IPluginV2::getSerializationSize);
  plugin.def("serialize", [](IPluginV2 const& p) {
    std::string bytes(p.getSerializationSize(), '\0');
    p.serialize(bytes.data());
    return py::bytes(bytes);
  });
  plugin.def("clone", &IPluginV2::clone, borrowed);
  plugin.def("destroy", &IPluginV2::destroy);
  plugin.def("initialize", &IPluginV2::initialize);
  plugin.def("terminate", &IPluginV2::terminate);
}

void bind_creators(py::module_& m) {
  py::class_<IPluginCreatorInterface, std::unique_ptr<IPluginCreatorInterface, py::nodelete>>(
      m, "IPluginCreatorInterface");
  py::class_<IPluginCreator, IPluginCreatorInterface, PyCreator, std::unique_ptr<IPluginCreator, py::nodelete>> creator(
      m, "IPluginCreator");
  creator.def(py::init<>());
  creator.def_property("name", &IPluginCreator::getPluginName, &set_python_attribute<IPluginCreator, 0>);
  creator.def_property("plugin_version", &IPluginCreator::getPluginVersion, &set_python_attribute<IPluginCreator, 1>);
  creator.def_property("plugin_namespace", &IPluginCreator::getPluginNamespace,
                       [](IPluginCreator& c, char const* name) { c.setPluginNamespace(name); });
  creator.def_property(
      "field_names", [](IPluginCreator& c) { return Fields::copied(c.getFieldNames()); },
      &set_field_names<IPluginCreator>);
  creator.def_property_readonly("tensorrt_version", &IPluginCreator::getTensorRTVersion);
  creator.def(
      "create_plugin",
      [](IPluginCreator& c, char const* name, Fields const& fields) {
        Fields::Table const table(fields);
        return c.createPlugin(name, &table.collection);
      },
      arg("name"), arg("field_collection"), borrowed);
  creator.def(
      "deserialize_plugin",
      [](IPluginCreator& c, char const* name, py::buffer const& bytes) {
        py::buffer_info const info = bytes.request();
        return c.deserializePlugin(name, info.ptr, static_cast<size_t>(info.size * info.itemsize));
      },
      arg("name"), arg("serialized_plugin"), borrowed);

  py::class_<IPluginCreatorV3One, IPluginCreatorInterface, PyCreatorV3,
             std::unique_ptr<IPluginCreatorV3One, py::nodelete>>
      third(m, "IPluginCreatorV3One");
  third.def(py::init<>());
  third.def_property("name", &IPluginCreatorV3One::getPluginName, &set_python_attribute<IPluginCreatorV3One, 0>);
  third.def_property("plugin_version", &IPluginCreatorV3One::getPluginVersion,
                     &set_python_attribute<IPluginCreatorV3One, 1>);
  third.def_property("plugin_namespace", &IPluginCreatorV3One::getPluginNamespace,
                     &set_python_attribute<IPluginCreatorV3One, 2>);
  third.def_property(
      "field_names", [](IPluginCreatorV3One& c) { return Fields::copied(c.getFieldNames()); },
      &set_field_names<IPluginCreatorV3One>);
  third.def(
      "create_plugin",
      [](IPluginCreatorV3One& c, char const* name, Fields const& fields, TensorRTPhase phase) {
        Fields::Table const table(fields);
        return c.createPlugin(name, &table.collection, phase);
      },
      arg("name"), arg("field_collection"), arg("phase"), borrowed);
}

// A creator as the class of its generation.
py::object creator_of(IPluginCreatorInterface* creator) {
  if (auto* second = dynamic_cast<IPluginCreator*>(creator)) return py::cast(second, borrowed);
  if (auto* third = dynamic_cast<IPluginCreatorV3One*>(creator)) return py::cast(third, borrowed);
  return py::cast(creator, borrowed);
}

void bind_registry(py::module_& m) {
  using R = IPluginRegistry;
  Borrowed<R> registry(m, "IPluginRegistry");
  registry.def_property_readonly("plugin_creator_list", [](R const& r) {
    int32_t count = 0;
    IPluginCreator* const* creators = r.getPluginCreatorList(&count);
    py::list list;
    for (int32_t i = 0; creators && i < count; ++i) list.append(creator_of(creators[i]));
    return list;
  });
  registry.def_property_readonly("all_creators", [](R const& r) {
    int32_t count = 0;
    IPluginCreatorInterface* const* creators = r.getAllCreators(&count);
    py::list list;
    for (int32_t i = 0; creators && i < count; ++i) list.append(creator_of(creators[i]));
    return list;
  });
  registry.def(
      "get_plugin_creator",
      [](R& r, char const* type, char const* version, char const* space) {
        return creator_of(r.getPluginCreator(type, version, space));
      },
      arg("type"), arg("version"), arg("plugin_namespace") = "");
  registry.def(
      "get_creator",
      [](R& r, char const* type, char const* version, char const* space) {
        return creator_of(r.getCreator(type, version, space));
      },
      arg("type"), arg("version"), arg("plugin_namespace") = "");
  // The registry refers to creators for as long as the process lives.
  registry.def(
      "register_creator",
      [](R& r, py::object const& creator, char const* space) {
        creator.inc_ref();
        if (py::isinstance<IPluginCreator>(creator)) return r.registerCreator(creator.cast<IPluginCreator&>(), space);
        return r.registerCreator(creator.cast<IPluginCreatorInterface&>(), space);
      },
      arg("creator"), arg("plugin_namespace") = "");
  registry.def(
      "deregister_creator", [](R& r, IPluginCreator const& creator) { return r.deregisterCreator(creator); },
      arg("creator"));
  registry.def(
      "deregister_creator", [](R& r, IPluginCreatorInterface const& creator) { return r.deregisterCreator(creator); },
      arg("creator"));
  registry.def(
      "load_library",
      [](R& r, char const* path) -> py::object {
        void* handle = r.loadLibrary(path);
        if (!handle) return py::none();
        return py::capsule(handle, "plugin library");
      },
      arg("plugin_path"));
  registry.def(
      "deregister_library", [](R& r, py::capsule const& handle) { r.deregisterLibrary(handle.get_pointer()); },
      arg("handle"));
  registry.def_property("parent_search_enabled", &R::isParentSearchEnabled, &R::setParentSearchEnabled);
  registry.def_property("error_recorder", py::cpp_function(&R::getErrorRecorder, borrowed),
                        py::cpp_function(&R::setErrorRecorder, py::keep_alive<1, 2>()));
  m.def("get_plugin_registry", &getPluginRegistry, borrowed);
  m.def("get_builder_plugin_registry", &getBuilderPluginRegistry, arg("capability"), borrowed);
  m.def(
      "init_libnvinfer_plugins",
      [](ILogger* logger, char const* space) { return initLibNvInferPlugins(logger, space); }, arg("logger"),
      arg("namespace"));
}

}  // namespace

Field::Field(std::string const& given, py::object const& data, PluginFieldType kind) : name(given), type(kind) {
  set_values(data);
}

Field::Field(PluginField const& field) : name(field.name ? field.name : ""), type(field.type) {
  if (!field.data || field.length <= 0) return;
  for (FieldRow const& row : field_rows) {
    if (row.type != type) continue;
    if (row.array) {
      data_ = row_of_elements(py::dtype(row.array), field.length, field.data);
    } else if (type == PluginFieldType::kCHAR || type == PluginFieldType::kUNKNOWN) {
      data_ = row_of_elements(py::dtype("uint8"), field.length, field.data);
    } else if (type == PluginFieldType::kDIMS) {
      data_ = row_of_elements(py::dtype("uint8"), static_cast<int64_t>(field.length * sizeof(Dims)), field.data);
    }
  }
}

void Field::set_values(py::object const& data) {
  if (data.is_none()) {
    data_ = py::array();
    return;
  }
  auto const numpy = py::module_::import("numpy");
  if (PyObject_CheckBuffer(data.ptr()) && !py::isinstance<py::array>(data)) {
    data_ = numpy.attr("frombuffer")(data, py::arg("dtype") = "uint8");
  } else if (py::isinstance<py::str>(data)) {
    data_ = numpy.attr("frombuffer")(data.attr("encode")(), py::arg("dtype") = "uint8");
  } else {
    data_ = numpy.attr("ascontiguousarray")(data);
  }
  if (type != PluginFieldType::kUNKNOWN) return;
  std::string const kind = py::str(data_.dtype().attr("name"));
  for (FieldRow const& row : field_rows)
    if (row.array && kind == row.array) type = row.type;
}

int32_t Field::length() const {
  auto const bytes = data_.attr("nbytes").cast<int64_t>();
  return static_cast<int32_t>(type == PluginFieldType::kDIMS ? bytes / static_cast<int64_t>(sizeof(Dims))
                                                             : data_.size());
}

PluginField Field::view() const {
  return PluginField(name.c_str(), data_.size() ? data_.data() : nullptr, type, length());
}

Fields Fields::copied(PluginFieldCollection const* given) {
  Fields fields;
  for (int32_t i = 0; given && i < given->nbFields; ++i) fields.rows.emplace_back(given->fields[i]);
  return fields;
}

void bind_plugins(py::module_& m) {
  bind_fields(m);
  bind_plugin(m);
  bind_plugin_types(m);
  bind_second_generation(m);
  bind_third_generation(m);
  bind_creators(m);
  bind_registry(m);
}

}  // namespace planish_python
