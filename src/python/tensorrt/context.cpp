// One execution of an engine at a time. Memory is addresses: numpy's .ctypes.data, a pointer of the CUDA runtime,
// data_ptr().
#include "python/tensorrt/bindings.h"

namespace planish_python {
namespace {

using E = IExecutionContext;
struct EndContext {  // waits for work that may want the interpreter
  void operator()(E* context) const {
    py::gil_scoped_release const release;
    delete context;
  }
};
using Context = py::class_<E, std::unique_ptr<E, EndContext>>;
using py::arg;
auto const borrowed = py::return_value_policy::reference;

std::vector<void*> pointers(std::vector<Address> const& addresses) {
  std::vector<void*> result;
  for (Address const a : addresses) result.push_back(pointer(a));
  return result;
}

void bind_tensors(Context& c) {
  c.def("set_input_shape", &E::setInputShape, arg("name"), arg("shape"), NoGil());
  // Values of a shape input, kept until they are set again.
  c.def(
      "set_input_shape",
      [](E& e, char const* name, py::array const& shape) {
        return e.setInputShape(name, dims_of(shape.cast<std::vector<int64_t>>()));
      },
      arg("name"), arg("shape"));
  c.def("get_tensor_shape", &E::getTensorShape, arg("name"), NoGil());
  c.def("get_tensor_strides", &E::getTensorStrides, arg("name"), NoGil());
  c.def(
      "set_tensor_address",
      [](E& e, char const* name, Address memory) { return e.setTensorAddress(name, pointer(memory)); }, arg("name"),
      arg("memory"));
  c.def(
      "get_tensor_address", [](E const& e, char const* name) { return address(e.getTensorAddress(name)); },
      arg("name"));
  c.def("set_output_allocator", &E::setOutputAllocator, arg("name"), arg("output_allocator"), py::keep_alive<1, 3>());
  c.def("get_output_allocator", &E::getOutputAllocator, arg("name"), borrowed);
  c.def("get_max_output_size", &E::getMaxOutputSize, arg("name"), NoGil());
  // Names of inputs whose shapes or values are missing.
  c.def("infer_shapes", [](E& e) {
    std::vector<char const*> names(static_cast<size_t>(std::max(1, e.getEngine().getNbIOTensors())));
    int32_t const missing = [&] {
      py::gil_scoped_release const release;
      return e.inferShapes(static_cast<int32_t>(names.size()), names.data());
    }();
    if (missing < 0) throw py::value_error("the shapes of the inputs do not go together; the log says why");
    return std::vector<std::string>(names.begin(), names.begin() + missing);
  });
  c.def(
      "execute_async_v3", [](E& e, Address handle) { return e.enqueueV3(stream(handle)); }, arg("stream_handle"),
      NoGil());
}

void bind_bindings(Context& c) {
  c.def("set_binding_shape", &E::setBindingDimensions, arg("binding"), arg("shape"), NoGil());
  c.def("get_binding_shape", &E::getBindingDimensions, arg("binding"), NoGil());
  c.def("get_strides", &E::getStrides, arg("binding"), NoGil());
  c.def(
      "set_shape_input",
      [](E& e, int32_t binding, std::vector<int32_t> const& values) {
        return e.setInputShapeBinding(binding, values.data());
      },
      arg("binding"), arg("shape"));
  c.def(
      "get_shape",
      [](E const& e, int32_t binding) {
        Dims const dims = e.getEngine().getBindingDimensions(binding);
        int64_t count = 1;
        for (int32_t i = 0; i < dims.nbDims; ++i) count *= dims.d[i];
        std::vector<int32_t> values(static_cast<size_t>(std::max<int64_t>(count, 1)));
        if (!e.getShapeBinding(binding, values.data()))
          throw py::value_error("the binding has no values of a shape yet");
        values.resize(static_cast<size_t>(std::max<int64_t>(count, 0)));
        return values;
      },
      arg("binding"));
  c.def(
      "execute_v2", [](E& e, std::vector<Address> const& bindings) { return e.executeV2(pointers(bindings).data()); },
      arg("bindings"), NoGil());
  c.def(
      "execute",
      [](E& e, int32_t batch, std::vector<Address> const& bindings) {
        return e.execute(batch, pointers(bindings).data());
      },
      arg("batch_size") = 1, arg("bindings"), NoGil());
  c.def(
      "execute_async_v2",
      [](E& e, std::vector<Address> const& bindings, Address handle, Address consumed) {
        auto event = reinterpret_cast<cudaEvent_t>(consumed);
        return e.enqueueV2(pointers(bindings).data(), stream(handle), consumed ? &event : nullptr);
      },
      arg("bindings"), arg("stream_handle"), arg("input_consumed") = Address{0}, NoGil());
  c.def(
      "execute_async",
      [](E& e, int32_t batch, std::vector<Address> const& bindings, Address handle, Address consumed) {
        auto event = reinterpret_cast<cudaEvent_t>(consumed);
        return e.enqueue(batch, pointers(bindings).data(), stream(handle), consumed ? &event : nullptr);
      },
      arg("batch_size") = 1, arg("bindings"), arg("stream_handle"), arg("input_consumed") = Address{0}, NoGil());
}

void bind_profiles(Context& c) {
  c.def_property_readonly("all_binding_shapes_specified", &E::allInputDimensionsSpecified);
  c.def_property_readonly("all_shape_inputs_specified", &E::allInputShapesSpecified);
  c.def_property("active_optimization_profile", &E::getOptimizationProfile, [](E& e, int32_t index) {
    bool const taken = [&] {
      py::gil_scoped_release const release;
      return e.setOptimizationProfile(index);
    }();
    if (!taken) throw py::value_error("profile " + std::to_string(index) + " was refused; the log says why");
  });
  c.def(
      "set_optimization_profile_async",
      [](E& e, int32_t index, Address handle) { return e.setOptimizationProfileAsync(index, stream(handle)); },
      arg("profile_index"), arg("stream_handle"), NoGil());
}

void bind_whole(Context& c) {
  c.def_property_readonly("engine", &E::getEngine, borrowed);
  c.def_property("name", &E::getName, &E::setName);
  c.def_property("debug_sync", &E::getDebugSync, &E::setDebugSync);
  c.def_property("profiler", py::cpp_function(&E::getProfiler, borrowed),
                 py::cpp_function(&E::setProfiler, py::keep_alive<1, 2>(), NoGil()));
  c.def_property("enqueue_emits_profile", &E::getEnqueueEmitsProfile, &E::setEnqueueEmitsProfile);
  c.def("report_to_profiler", &E::reportToProfiler, NoGil());
  c.def_property("error_recorder", py::cpp_function(&E::getErrorRecorder, borrowed),
                 py::cpp_function(&E::setErrorRecorder, py::keep_alive<1, 2>()));
  c.def_property("nvtx_verbosity", &E::getNvtxVerbosity, &E::setNvtxVerbosity);
  c.def_property("device_memory", nullptr,
                 py::cpp_function([](E& e, Address memory) { e.setDeviceMemory(pointer(memory)); }, NoGil()));
  c.def(
      "set_device_memory", [](E& e, Address memory, int64_t size) { e.setDeviceMemoryV2(pointer(memory), size); },
      arg("memory"), arg("size"), NoGil());
  c.def("update_device_memory_size_for_shapes", &E::updateDeviceMemorySizeForShapes, NoGil());
  c.def(
      "set_input_consumed_event",
      [](E& e, Address event) { return e.setInputConsumedEvent(reinterpret_cast<cudaEvent_t>(event)); }, arg("event"));
  c.def("get_input_consumed_event", [](E const& e) { return reinterpret_cast<Address>(e.getInputConsumedEvent()); });
  c.def(
      "set_aux_streams",
      [](E& e, std::vector<Address> const& handles) {
        std::vector<cudaStream_t> streams;
        for (Address const handle : handles) streams.push_back(stream(handle));
        e.setAuxStreams(streams.data(), static_cast<int32_t>(streams.size()));
      },
      arg("aux_streams"));
  c.def_property("temporary_allocator", py::cpp_function(&E::getTemporaryStorageAllocator, borrowed),
                 py::cpp_function(&E::setTemporaryStorageAllocator, py::keep_alive<1, 2>()));
  c.def_property("persistent_cache_limit", &E::getPersistentCacheLimit, &E::setPersistentCacheLimit);
  c.def("set_debug_listener", &E::setDebugListener, arg("listener"), py::keep_alive<1, 2>());
  c.def("get_debug_listener", &E::getDebugListener, borrowed);
  c.def("set_tensor_debug_state", &E::setTensorDebugState, arg("name"), arg("flag"));
  c.def("set_all_tensors_debug_state", &E::setAllTensorsDebugState, arg("flag"));
  c.def("get_debug_state", &E::getDebugState, arg("name"));
  c.def("__enter__", [](py::object self) { return self; });
  c.def("__exit__", [](py::object const&, py::args const&) {});
}

}  // namespace

void bind_context(py::module_& m) {
  py::class_<ICudaEngine>(m, "ICudaEngine");  // named in signatures; engine.cpp has its methods
  Context context(m, "IExecutionContext");
  bind_tensors(context);
  bind_bindings(context);
  bind_profiles(context);
  bind_whole(context);
}

}  // namespace planish_python
