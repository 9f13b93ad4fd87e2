// The network as a whole.
#include "python/tensorrt/bindings.h"

namespace planish_python {

void bind_network(py::module_& m) {
  auto const internal = py::return_value_policy::reference_internal;
  py::enum_<NetworkDefinitionCreationFlag>(m, "NetworkDefinitionCreationFlag")
      .value("EXPLICIT_BATCH", NetworkDefinitionCreationFlag::kEXPLICIT_BATCH)
      .value("STRONGLY_TYPED", NetworkDefinitionCreationFlag::kSTRONGLY_TYPED)
      .value("PREFER_JIT_PYTHON_PLUGINS", NetworkDefinitionCreationFlag::kPREFER_JIT_PYTHON_PLUGINS)
      .value("PREFER_AOT_PYTHON_PLUGINS", NetworkDefinitionCreationFlag::kPREFER_AOT_PYTHON_PLUGINS)
      .value("EXPLICIT_PRECISION", NetworkDefinitionCreationFlag::kEXPLICIT_PRECISION);
  Network network(m, "INetworkDefinition");
  network.def_property("name", &INetworkDefinition::getName, &INetworkDefinition::setName);
  network.def_property_readonly("num_layers", &INetworkDefinition::getNbLayers);
  network.def_property_readonly("num_inputs", &INetworkDefinition::getNbInputs);
  network.def_property_readonly("num_outputs", &INetworkDefinition::getNbOutputs);
  network.def_property_readonly("has_implicit_batch_dimension", &INetworkDefinition::hasImplicitBatchDimension);
  network.def_property_readonly("has_explicit_precision", &INetworkDefinition::hasExplicitPrecision);
  network.def_property_readonly("flags", &INetworkDefinition::getFlags);
  network.def_property("error_recorder",
                       py::cpp_function(&INetworkDefinition::getErrorRecorder, py::return_value_policy::reference),
                       py::cpp_function(&INetworkDefinition::setErrorRecorder, py::keep_alive<1, 2>()));
  network.def("get_flag", &INetworkDefinition::getFlag, py::arg("flag"));
  network.def("get_layer", &INetworkDefinition::getLayer, py::arg("index"), internal);
  network.def("get_input", &INetworkDefinition::getInput, py::arg("index"), internal);
  network.def("get_output", &INetworkDefinition::getOutput, py::arg("index"), internal);
  network.def("add_input", &INetworkDefinition::addInput, py::arg("name"), py::arg("dtype"), py::arg("shape"),
              internal);
  network.def("mark_output", &INetworkDefinition::markOutput, py::arg("tensor"));
  network.def("unmark_output", &INetworkDefinition::unmarkOutput, py::arg("tensor"));
  network.def("mark_output_for_shapes", &INetworkDefinition::markOutputForShapes, py::arg("tensor"));
  network.def("unmark_output_for_shapes", &INetworkDefinition::unmarkOutputForShapes, py::arg("tensor"));
  network.def("remove_tensor", &INetworkDefinition::removeTensor, py::arg("tensor"));
  network.def("mark_debug", &INetworkDefinition::markDebug, py::arg("tensor"));
  network.def("unmark_debug", &INetworkDefinition::unmarkDebug, py::arg("tensor"));
  network.def("is_debug_tensor", &INetworkDefinition::isDebugTensor, py::arg("tensor"));
  network.def("mark_unfused_tensors_as_debug_tensors", &INetworkDefinition::markUnfusedTensorsAsDebugTensors);
  network.def("unmark_unfused_tensors_as_debug_tensors", &INetworkDefinition::unmarkUnfusedTensorsAsDebugTensors);
  // Weights are known by where they lie: those of a property of a layer, or of an array that a layer was made with.
  network.def(
      "set_weights_name",
      [](INetworkDefinition& n, py::object const& weights, char const* name) {
        return n.setWeightsName(weights_of(&n, weights), name);
      },
      py::arg("weights"), py::arg("name"));
  network.def("mark_weights_refittable", &INetworkDefinition::markWeightsRefittable, py::arg("name"));
  network.def("unmark_weights_refittable", &INetworkDefinition::unmarkWeightsRefittable, py::arg("name"));
  network.def("are_weights_marked_refittable", &INetworkDefinition::areWeightsMarkedRefittable, py::arg("name"));
  network.def("__len__", &INetworkDefinition::getNbLayers);
  network.def(
      "__getitem__",
      [](INetworkDefinition& n, int32_t index) {
        int32_t const i = index < 0 ? index + n.getNbLayers() : index;
        if (i < 0 || i >= n.getNbLayers())
          throw py::index_error("layer " + std::to_string(index) + " of " + std::to_string(n.getNbLayers()));
        return n.getLayer(i);
      },
      internal);
  network.def("__enter__", [](py::object self) { return self; });
  network.def("__exit__", [](py::object const&, py::args const&) {});
}

}  // namespace planish_python
