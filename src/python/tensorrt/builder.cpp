// The builder. Python stands still while a network is built only where it is called back.
#include "python/tensorrt/bindings.h"

namespace planish_python {
namespace {

using Builder = py::class_<IBuilder>;
auto const owned = py::return_value_policy::take_ownership;

// Ctrl-C ends a build at its next step. The configuration's own monitor hears all that it would.
class Interruptible final : public IProgressMonitor {
 public:
  explicit Interruptible(IBuilderConfig& config) : config_(config), theirs_(config.getProgressMonitor()) {
    config.setProgressMonitor(this);
  }
  ~Interruptible() override { config_.setProgressMonitor(theirs_); }
  Interruptible(Interruptible const&) = delete;
  Interruptible& operator=(Interruptible const&) = delete;

  void phaseStart(char const* phase, char const* parent, int32_t steps) override {
    if (theirs_) theirs_->phaseStart(phase, parent, steps);
  }
  bool stepComplete(char const* phase, int32_t step) override {
    return !interrupted() && (!theirs_ || theirs_->stepComplete(phase, step));
  }
  void phaseFinish(char const* phase) override {
    if (theirs_) theirs_->phaseFinish(phase);
  }

  // What Build gives, or the exception of the signal's handler.
  template <typename Build>
  static auto run(IBuilderConfig& config, Build const& build) {
    Interruptible monitor(config);
    auto result = [&] {
      py::gil_scoped_release const release;
      return build();
    }();
    if (monitor.raised_) throw py::error_already_set(*monitor.raised_);
    return result;
  }

 private:
  bool interrupted() {
    py::gil_scoped_acquire const gil;
    if (!raised_ && PyErr_CheckSignals() != 0) raised_ = std::make_unique<py::error_already_set>();
    return raised_ != nullptr;
  }

  IBuilderConfig& config_;
  IProgressMonitor* theirs_;
  std::unique_ptr<py::error_already_set> raised_;
};

void bind_builder_calls(Builder& builder) {
  builder.def(py::init([](ILogger& logger) { return createInferBuilder(logger); }), py::arg("logger"),
              py::keep_alive<1, 2>());
  // Without the flag, networks of this major have explicit batches as well.
  builder.def(
      "create_network",
      [](IBuilder& b, NetworkDefinitionCreationFlags flags) {
        return std::unique_ptr<INetworkDefinition, EndNetwork>(b.createNetworkV2(flags));
      },
      py::arg("flags") = 0U, py::keep_alive<0, 1>());
  builder.def("create_builder_config", &IBuilder::createBuilderConfig, owned, py::keep_alive<0, 1>());
  // The builder ends its profiles.
  builder.def("create_optimization_profile", &IBuilder::createOptimizationProfile,
              py::return_value_policy::reference_internal);
  builder.def(
      "build_serialized_network",
      [](IBuilder& b, INetworkDefinition& network, IBuilderConfig& config) {
        return Interruptible::run(config, [&] { return b.buildSerializedNetwork(network, config); });
      },
      py::arg("network"), py::arg("config"), owned);
  builder.def(
      "build_serialized_network_to_stream",
      [](IBuilder& b, INetworkDefinition& network, IBuilderConfig& config, IStreamWriter& writer) {
        return Interruptible::run(config, [&] { return b.buildSerializedNetworkToStream(network, config, writer); });
      },
      py::arg("network"), py::arg("config"), py::arg("writer"));
  for (char const* name : {"build_engine_with_config", "build_engine"})
    builder.def(
        name,
        [](IBuilder& b, INetworkDefinition& network, IBuilderConfig& config) {
          return Interruptible::run(config, [&] { return b.buildEngineWithConfig(network, config); });
        },
        py::arg("network"), py::arg("config"), owned, py::keep_alive<0, 1>());
  builder.def("build_cuda_engine", &IBuilder::buildCudaEngine, py::arg("network"), owned, NoGil(),
              py::keep_alive<0, 1>());
  builder.def("is_network_supported", &IBuilder::isNetworkSupported, py::arg("network"), py::arg("config"), NoGil());
  builder.def("reset", [](IBuilder& b) { b.reset(); });
  builder.def("get_plugin_registry", &IBuilder::getPluginRegistry, py::return_value_policy::reference_internal);
  builder.def("__enter__", [](py::object self) { return self; });
  builder.def("__exit__", [](py::object const&, py::args const&) {});
}

void bind_builder_values(Builder& builder) {
  auto const borrowed = py::return_value_policy::reference;
  builder.def_property_readonly("platform_has_tf32", &IBuilder::platformHasTf32);
  builder.def_property_readonly("platform_has_fast_fp16", &IBuilder::platformHasFastFp16);
  builder.def_property_readonly("platform_has_fast_int8", &IBuilder::platformHasFastInt8);
  builder.def_property_readonly("max_DLA_batch_size", &IBuilder::getMaxDLABatchSize);
  builder.def_property_readonly("num_DLA_cores", &IBuilder::getNbDLACores);
  builder.def_property_readonly("logger", &IBuilder::getLogger, borrowed);
  builder.def_property("max_threads", &IBuilder::getMaxThreads, &IBuilder::setMaxThreads);
  builder.def_property("error_recorder", py::cpp_function(&IBuilder::getErrorRecorder, borrowed),
                       py::cpp_function(&IBuilder::setErrorRecorder, py::keep_alive<1, 2>()));
  builder.def_property("gpu_allocator", nullptr, py::cpp_function(&IBuilder::setGpuAllocator, py::keep_alive<1, 2>()));
  // Until major 7 the builder was its own configuration.
  builder.def_property("max_batch_size", &IBuilder::getMaxBatchSize, &IBuilder::setMaxBatchSize);
  builder.def_property("max_workspace_size", &IBuilder::getMaxWorkspaceSize, &IBuilder::setMaxWorkspaceSize);
  builder.def_property("fp16_mode", &IBuilder::getFp16Mode, &IBuilder::setFp16Mode);
  builder.def_property("int8_mode", &IBuilder::getInt8Mode, &IBuilder::setInt8Mode);
  builder.def_property("strict_type_constraints", &IBuilder::getStrictTypeConstraints,
                       &IBuilder::setStrictTypeConstraints);
  builder.def_property("refittable", &IBuilder::getRefittable, &IBuilder::setRefittable);
  builder.def_property("debug_sync", &IBuilder::getDebugSync, &IBuilder::setDebugSync);
  builder.def_property("int8_calibrator", nullptr,
                       py::cpp_function(&IBuilder::setInt8Calibrator, py::keep_alive<1, 2>()));
}

}  // namespace

void bind_builder(py::module_& m) {
  Builder builder(m, "Builder");
  bind_builder_calls(builder);
  bind_builder_values(builder);
}

}  // namespace planish_python
