// Loading plans, and exchanging the weights of engines.
#include "python/tensorrt/bindings.h"

namespace planish_python {
namespace {

using py::arg;
auto const owned = py::return_value_policy::take_ownership;
auto const borrowed = py::return_value_policy::reference;

void bind_loading(py::module_& m) {
  py::enum_<TempfileControlFlag>(m, "TempfileControlFlag")
      .value("ALLOW_IN_MEMORY_FILES", TempfileControlFlag::kALLOW_IN_MEMORY_FILES)
      .value("ALLOW_TEMPORARY_FILES", TempfileControlFlag::kALLOW_TEMPORARY_FILES);
  py::class_<IRuntime> runtime(m, "Runtime");
  runtime.def(py::init([](ILogger& logger) { return createInferRuntime(logger); }), arg("logger"),
              py::keep_alive<1, 2>());
  runtime.def(
      "deserialize_cuda_engine",
      [](IRuntime& r, py::buffer const& plan) {
        py::buffer_info const info = plan.request();
        py::gil_scoped_release free;
        return r.deserializeCudaEngine(info.ptr, static_cast<size_t>(info.size * info.itemsize));
      },
      arg("serialized_engine"), owned, py::keep_alive<0, 1>());
  runtime.def(
      "deserialize_cuda_engine", [](IRuntime& r, IStreamReader& reader) { return r.deserializeCudaEngine(reader); },
      arg("stream_reader"), owned, NoGil(), py::keep_alive<0, 1>());
  runtime.def(
      "deserialize_cuda_engine", [](IRuntime& r, IStreamReaderV2& reader) { return r.deserializeCudaEngine(reader); },
      arg("stream_reader_v2"), owned, NoGil(), py::keep_alive<0, 1>());
  runtime.def_property("DLA_core", &IRuntime::getDLACore, &IRuntime::setDLACore);
  runtime.def_property_readonly("num_DLA_cores", &IRuntime::getNbDLACores);
  runtime.def_property_readonly("logger", &IRuntime::getLogger, borrowed);
  runtime.def_property("error_recorder", py::cpp_function(&IRuntime::getErrorRecorder, borrowed),
                       py::cpp_function(&IRuntime::setErrorRecorder, py::keep_alive<1, 2>()));
  runtime.def_property("gpu_allocator", nullptr, py::cpp_function(&IRuntime::setGpuAllocator, py::keep_alive<1, 2>()));
  runtime.def_property("max_threads", &IRuntime::getMaxThreads, &IRuntime::setMaxThreads);
  runtime.def_property("temporary_directory", &IRuntime::getTemporaryDirectory, &IRuntime::setTemporaryDirectory);
  runtime.def_property("tempfile_control_flags", &IRuntime::getTempfileControlFlags,
                       &IRuntime::setTempfileControlFlags);
  runtime.def_property("engine_host_code_allowed", &IRuntime::getEngineHostCodeAllowed,
                       &IRuntime::setEngineHostCodeAllowed);
  runtime.def("get_plugin_registry", &IRuntime::getPluginRegistry, py::return_value_policy::reference_internal);
  runtime.def("load_runtime", &IRuntime::loadRuntime, arg("path"), owned);
  runtime.def("__enter__", [](py::object self) { return self; });
  runtime.def("__exit__", [](py::object const&, py::args const&) {});
}

using Refitter = py::class_<IRefitter>;

// Layers and roles, as `call` counts and lists them.
template <typename F>
py::tuple layers_and_roles(F&& call) {
  int32_t const count = call(0, nullptr, nullptr);
  std::vector<char const*> names(static_cast<size_t>(std::max(0, count)));
  std::vector<WeightsRole> roles(names.size());
  call(count, names.data(), roles.data());
  std::vector<std::string> const texts(names.begin(), names.end());
  return py::make_tuple(texts, roles);
}

template <typename F>
std::vector<std::string> names_of(F&& call) {
  int32_t const count = call(0, nullptr);
  std::vector<char const*> names(static_cast<size_t>(std::max(0, count)));
  call(count, names.data());
  return {names.begin(), names.end()};
}

// Weights stay alive until the refitter ends: the refit reads them.
Weights refit_weights(py::object const& self, py::object const& value) {
  if (py::isinstance<Weights>(value)) {
    py::detail::keep_alive_impl(self, value);
    return value.cast<Weights>();
  }
  py::array const array = py::module_::import("numpy").attr("ascontiguousarray")(value);
  py::detail::keep_alive_impl(self, array);
  return Weights{element_type(array.dtype()), array.data(), static_cast<int64_t>(array.size())};
}

void bind_refitting(Refitter& refitter) {
  using R = IRefitter;
  refitter.def(py::init([](ICudaEngine& engine, ILogger& logger) { return createInferRefitter(engine, logger); }),
               arg("engine"), arg("logger"), py::keep_alive<1, 2>(), py::keep_alive<1, 3>());
  refitter.def(
      "set_weights",
      [](py::object const& self, char const* layer, WeightsRole role, py::object const& weights) {
        return self.cast<R&>().setWeights(layer, role, refit_weights(self, weights));
      },
      arg("layer_name"), arg("role"), arg("weights"));
  refitter.def(
      "set_named_weights",
      [](py::object const& self, char const* name, py::object const& weights, TensorLocation location) {
        return self.cast<R&>().setNamedWeights(name, refit_weights(self, weights), location);
      },
      arg("name"), arg("weights"), arg("location") = TensorLocation::kHOST);
  refitter.def("unset_named_weights", &R::unsetNamedWeights, arg("weights_name"));
  refitter.def("get_named_weights", &R::getNamedWeights, arg("weights_name"), py::keep_alive<0, 1>());
  refitter.def("get_weights_location", &R::getWeightsLocation, arg("weights_name"));
  refitter.def("get_weights_prototype", &R::getWeightsPrototype, arg("weights_name"), py::keep_alive<0, 1>());
  refitter.def("refit_cuda_engine", &R::refitCudaEngine, NoGil());
  refitter.def(
      "refit_cuda_engine_async", [](R& r, Address handle) { return r.refitCudaEngineAsync(stream(handle)); },
      arg("stream_handle"), NoGil());
  refitter.def("get_missing", [](R& r) {
    return layers_and_roles(
        [&](int32_t n, char const** names, WeightsRole* roles) { return r.getMissing(n, names, roles); });
  });
  refitter.def("get_all", [](R& r) {
    return layers_and_roles(
        [&](int32_t n, char const** names, WeightsRole* roles) { return r.getAll(n, names, roles); });
  });
  refitter.def("get_missing_weights", [](R& r) {
    return names_of([&](int32_t n, char const** names) { return r.getMissingWeights(n, names); });
  });
  refitter.def("get_all_weights",
               [](R& r) { return names_of([&](int32_t n, char const** names) { return r.getAllWeights(n, names); }); });
  refitter.def("get_tensors_with_dynamic_range", [](R& r) {
    return names_of([&](int32_t n, char const** names) { return r.getTensorsWithDynamicRange(n, names); });
  });
  refitter.def(
      "set_dynamic_range",
      [](R& r, char const* tensor, std::pair<float, float> range) {
        return r.setDynamicRange(tensor, range.first, range.second);
      },
      arg("tensor_name"), arg("range"));
  refitter.def(
      "get_dynamic_range",
      [](R const& r, char const* tensor) {
        return std::make_pair(r.getDynamicRangeMin(tensor), r.getDynamicRangeMax(tensor));
      },
      arg("tensor_name"));
  refitter.def_property("weights_validation", &R::getWeightsValidation, &R::setWeightsValidation);
  refitter.def_property("max_threads", &R::getMaxThreads, &R::setMaxThreads);
  refitter.def_property_readonly("logger", &R::getLogger, borrowed);
  refitter.def("__enter__", [](py::object self) { return self; });
  refitter.def("__exit__", [](py::object const&, py::args const&) {});
}

}  // namespace

void bind_runtime(py::module_& m) {
  bind_loading(m);
  Refitter refitter(m, "Refitter");
  bind_refitting(refitter);
  m.def("version", [] {
    return std::to_string(getInferLibMajorVersion()) + "." + std::to_string(getInferLibMinorVersion()) + "." +
           std::to_string(getInferLibPatchVersion());
  });
}

}  // namespace planish_python
