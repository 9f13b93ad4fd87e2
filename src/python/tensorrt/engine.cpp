// A built network: what can be asked of it, and what it makes.
#include "python/tensorrt/bindings.h"

namespace planish_python {
namespace {

using G = ICudaEngine;
using Engine = py::class_<G>;
using py::arg;
auto const owned = py::return_value_policy::take_ownership;
auto const borrowed = py::return_value_policy::reference;

std::vector<Dims> shapes_of(std::initializer_list<Dims> all) {
  for (Dims const& dims : all)
    if (dims.nbDims < 0) return {};
  return all;
}

void bind_enums(py::module_& m) {
  py::enum_<ExecutionContextAllocationStrategy>(m, "ExecutionContextAllocationStrategy")
      .value("STATIC", ExecutionContextAllocationStrategy::kSTATIC)
      .value("ON_PROFILE_CHANGE", ExecutionContextAllocationStrategy::kON_PROFILE_CHANGE)
      .value("USER_MANAGED", ExecutionContextAllocationStrategy::kUSER_MANAGED);
  py::enum_<LayerInformationFormat>(m, "LayerInformationFormat")
      .value("ONELINE", LayerInformationFormat::kONELINE)
      .value("JSON", LayerInformationFormat::kJSON);
  py::enum_<SerializationFlag>(m, "SerializationFlag")
      .value("EXCLUDE_WEIGHTS", SerializationFlag::kEXCLUDE_WEIGHTS)
      .value("EXCLUDE_LEAN_RUNTIME", SerializationFlag::kEXCLUDE_LEAN_RUNTIME)
      .value("INCLUDE_REFIT", SerializationFlag::kINCLUDE_REFIT);
  py::enum_<EngineStat>(m, "EngineStat")
      .value("TOTAL_WEIGHTS_SIZE", EngineStat::kTOTAL_WEIGHTS_SIZE)
      .value("STRIPPED_WEIGHTS_SIZE", EngineStat::kSTRIPPED_WEIGHTS_SIZE);
  py::class_<ISerializationConfig>(m, "ISerializationConfig")
      .def_property("flags", &ISerializationConfig::getFlags, &ISerializationConfig::setFlags)
      .def("set_flag", &ISerializationConfig::setFlag, arg("flag"))
      .def("clear_flag", &ISerializationConfig::clearFlag, arg("flag"))
      .def("get_flag", &ISerializationConfig::getFlag, arg("flag"));
  py::class_<IRuntimeConfig>(m, "IRuntimeConfig")
      .def("set_execution_context_allocation_strategy", &IRuntimeConfig::setExecutionContextAllocationStrategy,
           arg("strategy"))
      .def("get_execution_context_allocation_strategy", &IRuntimeConfig::getExecutionContextAllocationStrategy);
  py::class_<IEngineInspector>(m, "EngineInspector")
      .def_property("execution_context", py::cpp_function(&IEngineInspector::getExecutionContext, borrowed),
                    py::cpp_function(&IEngineInspector::setExecutionContext, py::keep_alive<1, 2>()))
      .def("get_layer_information", &IEngineInspector::getLayerInformation, arg("layer_index"), arg("format"))
      .def("get_engine_information", &IEngineInspector::getEngineInformation, arg("format"));
}

void bind_tensors_of(Engine& engine) {
  engine.def_property_readonly("num_io_tensors", &G::getNbIOTensors);
  engine.def("get_tensor_name", &G::getIOTensorName, arg("index"));
  engine.def("get_tensor_shape", &G::getTensorShape, arg("name"));
  engine.def("get_tensor_dtype", &G::getTensorDataType, arg("name"));
  engine.def("get_tensor_mode", &G::getTensorIOMode, arg("name"));
  engine.def("get_tensor_location", &G::getTensorLocation, arg("name"));
  engine.def("is_shape_inference_io", &G::isShapeInferenceIO, arg("name"));
  engine.def("get_aliased_input_tensor", &G::getAliasedInputTensor, arg("name"));
  engine.def(
      "get_tensor_bytes_per_component",
      [](G const& g, char const* name, int32_t profile) { return g.getTensorBytesPerComponent(name, profile); },
      arg("name"), arg("profile_index") = 0);
  engine.def(
      "get_tensor_components_per_element",
      [](G const& g, char const* name, int32_t profile) { return g.getTensorComponentsPerElement(name, profile); },
      arg("name"), arg("profile_index") = 0);
  engine.def(
      "get_tensor_format",
      [](G const& g, char const* name, int32_t profile) { return g.getTensorFormat(name, profile); }, arg("name"),
      arg("profile_index") = 0);
  engine.def(
      "get_tensor_format_desc",
      [](G const& g, char const* name, int32_t profile) { return g.getTensorFormatDesc(name, profile); }, arg("name"),
      arg("profile_index") = 0);
  engine.def(
      "get_tensor_vectorized_dim",
      [](G const& g, char const* name, int32_t profile) { return g.getTensorVectorizedDim(name, profile); },
      arg("name"), arg("profile_index") = 0);
  engine.def(
      "get_tensor_profile_shape",
      [](G const& g, char const* name, int32_t profile) {
        return shapes_of({g.getProfileShape(name, profile, OptProfileSelector::kMIN),
                          g.getProfileShape(name, profile, OptProfileSelector::kOPT),
                          g.getProfileShape(name, profile, OptProfileSelector::kMAX)});
      },
      arg("name"), arg("profile_index"));
  engine.def(
      "get_tensor_profile_values",
      [](G const& g, char const* name, int32_t profile) {
        Dims const dims = g.getTensorShape(name);
        std::vector<std::vector<int64_t>> all;
        for (auto which : {OptProfileSelector::kMIN, OptProfileSelector::kOPT, OptProfileSelector::kMAX}) {
          int64_t const* values = g.getProfileTensorValuesV2(name, profile, which);
          if (!values) return std::vector<std::vector<int64_t>>();
          all.emplace_back(values, values + (dims.nbDims == 0 ? 1 : dims.d[0]));
        }
        return all;
      },
      arg("name"), arg("profile_index"));
  engine.def("is_debug_tensor", &G::isDebugTensor, arg("name"));
}

// Bindings by index or name.
int32_t index_of(G const& g, py::object const& binding) {
  if (!py::isinstance<py::str>(binding)) return binding.cast<int32_t>();
  int32_t const index = g.getBindingIndex(binding.cast<std::string>().c_str());
  if (index < 0) throw py::key_error("no binding is called " + binding.cast<std::string>());
  return index;
}

void bind_bindings_of(Engine& engine) {
  engine.def_property_readonly("num_bindings", &G::getNbBindings);
  engine.def("__len__", &G::getNbBindings);
  engine.def("__getitem__", [](G const& g, py::object const& key) -> py::object {
    if (py::isinstance<py::str>(key)) return py::int_(index_of(g, key));
    int32_t const given = key.cast<int32_t>();
    int32_t const index = given < 0 ? given + g.getNbBindings() : given;
    char const* name = index < 0 || index >= g.getNbBindings() ? nullptr : g.getBindingName(index);
    if (!name) throw py::index_error("binding " + std::to_string(given) + " of " + std::to_string(g.getNbBindings()));
    return py::str(name);
  });
  engine.def("get_binding_name", &G::getBindingName, arg("index"));
  engine.def("get_binding_index", &G::getBindingIndex, arg("name"));
  engine.def(
      "binding_is_input", [](G const& g, py::object const& b) { return g.bindingIsInput(index_of(g, b)); },
      arg("binding"));
  engine.def(
      "get_binding_shape", [](G const& g, py::object const& b) { return g.getBindingDimensions(index_of(g, b)); },
      arg("binding"));
  engine.def(
      "get_binding_dtype", [](G const& g, py::object const& b) { return g.getBindingDataType(index_of(g, b)); },
      arg("binding"));
  engine.def(
      "get_location", [](G const& g, py::object const& b) { return g.getLocation(index_of(g, b)); }, arg("binding"));
  engine.def("get_binding_bytes_per_component", &G::getBindingBytesPerComponent, arg("index"));
  engine.def("get_binding_components_per_element", &G::getBindingComponentsPerElement, arg("index"));
  engine.def("get_binding_format", &G::getBindingFormat, arg("index"));
  engine.def("get_binding_format_desc", &G::getBindingFormatDesc, arg("index"));
  engine.def("get_binding_vectorized_dim", &G::getBindingVectorizedDim, arg("index"));
  engine.def("is_shape_binding", &G::isShapeBinding, arg("binding"));
  engine.def("is_execution_binding", &G::isExecutionBinding, arg("binding"));
  engine.def(
      "get_profile_shape",
      [](G const& g, int32_t profile, py::object const& b) {
        int32_t const index = index_of(g, b);
        return shapes_of({g.getProfileDimensions(index, profile, OptProfileSelector::kMIN),
                          g.getProfileDimensions(index, profile, OptProfileSelector::kOPT),
                          g.getProfileDimensions(index, profile, OptProfileSelector::kMAX)});
      },
      arg("profile_index"), arg("binding"));
}

void bind_facts(Engine& engine) {
  engine.def_property_readonly("name", &G::getName);
  engine.def_property_readonly("num_layers", &G::getNbLayers);
  engine.def_property_readonly("max_batch_size", &G::getMaxBatchSize);
  engine.def_property_readonly("has_implicit_batch_dimension", &G::hasImplicitBatchDimension);
  engine.def_property_readonly("num_optimization_profiles", &G::getNbOptimizationProfiles);
  engine.def_property_readonly("engine_capability", &G::getEngineCapability);
  engine.def_property_readonly("refittable", &G::isRefittable);
  engine.def_property_readonly("tactic_sources", &G::getTacticSources);
  engine.def_property_readonly("profiling_verbosity", &G::getProfilingVerbosity);
  engine.def_property_readonly("hardware_compatibility_level", &G::getHardwareCompatibilityLevel);
  engine.def_property_readonly("num_aux_streams", &G::getNbAuxStreams);
  engine.def_property_readonly("max_workspace_size", &G::getWorkspaceSize);
  engine.def_property_readonly("device_memory_size", &G::getDeviceMemorySize);
  engine.def_property_readonly("device_memory_size_v2", &G::getDeviceMemorySizeV2);
  engine.def("get_device_memory_size_for_profile", &G::getDeviceMemorySizeForProfile, arg("profile_index"));
  engine.def("get_device_memory_size_for_profile_v2", &G::getDeviceMemorySizeForProfileV2, arg("profile_index"));
  engine.def("get_engine_stat", &G::getEngineStat, arg("stat"));
  engine.def_property("weight_streaming_budget_v2", &G::getWeightStreamingBudgetV2, &G::setWeightStreamingBudgetV2);
  engine.def_property("weight_streaming_budget", &G::getWeightStreamingBudget, &G::setWeightStreamingBudget);
  engine.def_property_readonly("streamable_weights_size", &G::getStreamableWeightsSize);
  engine.def_property_readonly("minimum_weight_streaming_budget", &G::getMinimumWeightStreamingBudget);
  engine.def_property_readonly("weight_streaming_scratch_memory_size", &G::getWeightStreamingScratchMemorySize);
  engine.def("get_weight_streaming_automatic_budget", &G::getWeightStreamingAutomaticBudget);
  engine.def_property("error_recorder", py::cpp_function(&G::getErrorRecorder, borrowed),
                      py::cpp_function(&G::setErrorRecorder, py::keep_alive<1, 2>()));
}

void bind_makes(Engine& engine) {
  engine.def("serialize", &G::serialize, owned, NoGil());
  engine.def("create_serialization_config", &G::createSerializationConfig, owned, py::keep_alive<0, 1>());
  engine.def("serialize_with_config", &G::serializeWithConfig, arg("config"), owned, NoGil());
  engine.def(
      "create_execution_context",
      [](G& g, ExecutionContextAllocationStrategy strategy) { return g.createExecutionContext(strategy); },
      arg("strategy") = ExecutionContextAllocationStrategy::kSTATIC, owned, NoGil(), py::keep_alive<0, 1>());
  engine.def(
      "create_execution_context", [](G& g, IRuntimeConfig& config) { return g.createExecutionContext(&config); },
      arg("runtime_config"), owned, NoGil(), py::keep_alive<0, 1>());
  engine.def("create_execution_context_without_device_memory", &G::createExecutionContextWithoutDeviceMemory, owned,
             NoGil(), py::keep_alive<0, 1>());
  engine.def("create_runtime_config", &G::createRuntimeConfig, owned, py::keep_alive<0, 1>());
  engine.def("create_engine_inspector", &G::createEngineInspector, owned, py::keep_alive<0, 1>());
  engine.def("__enter__", [](py::object self) { return self; });
  engine.def("__exit__", [](py::object const&, py::args const&) {});
}

}  // namespace

void bind_engine(py::module_& m) {
  bind_enums(m);
  auto engine = py::reinterpret_borrow<Engine>(m.attr("ICudaEngine"));
  bind_tensors_of(engine);
  bind_bindings_of(engine);
  bind_facts(engine);
  bind_makes(engine);
}

}  // namespace planish_python
