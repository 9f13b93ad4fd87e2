// The module, piece by piece: what is named in signatures comes first.
#include "python/tensorrt/bindings.h"

PYBIND11_MODULE(tensorrt, m) {
  using namespace planish_python;
  m.doc() = "Builds plans of neural networks and runs them";
  bind_types(m);
  bind_interfaces(m);
  bind_calibrators(m);
  bind_plugins(m);
  bind_layers(m);
  bind_layers_shape(m);
  bind_network(m);
  bind_network_adds(m);
  bind_algorithms(m);
  bind_config(m);
  bind_context(m);
  bind_engine(m);
  bind_runtime(m);
  bind_builder(m);
  bind_onnx(m);
}
