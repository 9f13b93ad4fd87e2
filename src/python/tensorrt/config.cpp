// How a network is built: flags, limits, profiles, timings.
#include "python/tensorrt/bindings.h"

namespace planish_python {
namespace {

auto const borrowed = py::return_value_policy::reference;

void bind_flags(py::module_& m) {
  py::enum_<BuilderFlag> flag(m, "BuilderFlag");
  static struct {
    char const* name;
    BuilderFlag value;
  } const rows[] = {{"FP16", BuilderFlag::kFP16},
                    {"INT8", BuilderFlag::kINT8},
                    {"DEBUG", BuilderFlag::kDEBUG},
                    {"GPU_FALLBACK", BuilderFlag::kGPU_FALLBACK},
                    {"REFIT", BuilderFlag::kREFIT},
                    {"DISABLE_TIMING_CACHE", BuilderFlag::kDISABLE_TIMING_CACHE},
                    {"TF32", BuilderFlag::kTF32},
                    {"SPARSE_WEIGHTS", BuilderFlag::kSPARSE_WEIGHTS},
                    {"SAFETY_SCOPE", BuilderFlag::kSAFETY_SCOPE},
                    {"OBEY_PRECISION_CONSTRAINTS", BuilderFlag::kOBEY_PRECISION_CONSTRAINTS},
                    {"PREFER_PRECISION_CONSTRAINTS", BuilderFlag::kPREFER_PRECISION_CONSTRAINTS},
                    {"DIRECT_IO", BuilderFlag::kDIRECT_IO},
                    {"REJECT_EMPTY_ALGORITHMS", BuilderFlag::kREJECT_EMPTY_ALGORITHMS},
                    {"VERSION_COMPATIBLE", BuilderFlag::kVERSION_COMPATIBLE},
                    {"EXCLUDE_LEAN_RUNTIME", BuilderFlag::kEXCLUDE_LEAN_RUNTIME},
                    {"FP8", BuilderFlag::kFP8},
                    {"ERROR_ON_TIMING_CACHE_MISS", BuilderFlag::kERROR_ON_TIMING_CACHE_MISS},
                    {"BF16", BuilderFlag::kBF16},
                    {"DISABLE_COMPILATION_CACHE", BuilderFlag::kDISABLE_COMPILATION_CACHE},
                    {"STRIP_PLAN", BuilderFlag::kSTRIP_PLAN},
                    {"WEIGHTLESS", BuilderFlag::kWEIGHTLESS},
                    {"REFIT_IDENTICAL", BuilderFlag::kREFIT_IDENTICAL},
                    {"WEIGHT_STREAMING", BuilderFlag::kWEIGHT_STREAMING},
                    {"INT4", BuilderFlag::kINT4},
                    {"REFIT_INDIVIDUAL", BuilderFlag::kREFIT_INDIVIDUAL},
                    {"STRICT_NANS", BuilderFlag::kSTRICT_NANS},
                    {"MONITOR_MEMORY", BuilderFlag::kMONITOR_MEMORY},
                    {"FP4", BuilderFlag::kFP4},
                    {"EDITABLE_TIMING_CACHE", BuilderFlag::kEDITABLE_TIMING_CACHE},
                    {"DISTRIBUTIVE_INDEPENDENCE", BuilderFlag::kDISTRIBUTIVE_INDEPENDENCE},
                    {"STRICT_TYPES", BuilderFlag::kSTRICT_TYPES},
                    {"ENABLE_TACTIC_HEURISTIC", BuilderFlag::kENABLE_TACTIC_HEURISTIC}};
  for (auto const& row : rows) flag.value(row.name, row.value);
  py::enum_<QuantizationFlag>(m, "QuantizationFlag")
      .value("CALIBRATE_BEFORE_FUSION", QuantizationFlag::kCALIBRATE_BEFORE_FUSION);
  py::enum_<MemoryPoolType>(m, "MemoryPoolType")
      .value("WORKSPACE", MemoryPoolType::kWORKSPACE)
      .value("DLA_MANAGED_SRAM", MemoryPoolType::kDLA_MANAGED_SRAM)
      .value("DLA_LOCAL_DRAM", MemoryPoolType::kDLA_LOCAL_DRAM)
      .value("DLA_GLOBAL_DRAM", MemoryPoolType::kDLA_GLOBAL_DRAM)
      .value("TACTIC_DRAM", MemoryPoolType::kTACTIC_DRAM)
      .value("TACTIC_SHARED_MEMORY", MemoryPoolType::kTACTIC_SHARED_MEMORY);
  py::enum_<PreviewFeature>(m, "PreviewFeature")
      .value("PROFILE_SHARING_0806", PreviewFeature::kPROFILE_SHARING_0806)
      .value("ALIASED_PLUGIN_IO_10_03", PreviewFeature::kALIASED_PLUGIN_IO_10_03)
      .value("RUNTIME_ACTIVATION_RESIZE_10_10", PreviewFeature::kRUNTIME_ACTIVATION_RESIZE_10_10)
      .value("MULTIDEVICE_RUNTIME_10_16", PreviewFeature::kMULTIDEVICE_RUNTIME_10_16)
      .value("FASTER_DYNAMIC_SHAPES_0805", PreviewFeature::kFASTER_DYNAMIC_SHAPES_0805)
      .value("DISABLE_EXTERNAL_TACTIC_SOURCES_FOR_CORE_0805",
             PreviewFeature::kDISABLE_EXTERNAL_TACTIC_SOURCES_FOR_CORE_0805);
}

void bind_levels(py::module_& m) {
  py::enum_<EngineCapability>(m, "EngineCapability")
      .value("STANDARD", EngineCapability::kSTANDARD)
      .value("SAFETY", EngineCapability::kSAFETY)
      .value("DLA_STANDALONE", EngineCapability::kDLA_STANDALONE)
      .value("DEFAULT", EngineCapability::kDEFAULT)
      .value("SAFE_GPU", EngineCapability::kSAFE_GPU)
      .value("SAFE_DLA", EngineCapability::kSAFE_DLA);
  py::enum_<ProfilingVerbosity>(m, "ProfilingVerbosity")
      .value("LAYER_NAMES_ONLY", ProfilingVerbosity::kLAYER_NAMES_ONLY)
      .value("NONE", ProfilingVerbosity::kNONE)
      .value("DETAILED", ProfilingVerbosity::kDETAILED)
      .value("DEFAULT", ProfilingVerbosity::kDEFAULT)
      .value("VERBOSE", ProfilingVerbosity::kVERBOSE);
  py::enum_<TacticSource>(m, "TacticSource")
      .value("CUBLAS", TacticSource::kCUBLAS)
      .value("CUBLAS_LT", TacticSource::kCUBLAS_LT)
      .value("CUDNN", TacticSource::kCUDNN)
      .value("EDGE_MASK_CONVOLUTIONS", TacticSource::kEDGE_MASK_CONVOLUTIONS)
      .value("JIT_CONVOLUTIONS", TacticSource::kJIT_CONVOLUTIONS);
  py::enum_<HardwareCompatibilityLevel>(m, "HardwareCompatibilityLevel")
      .value("NONE", HardwareCompatibilityLevel::kNONE)
      .value("AMPERE_PLUS", HardwareCompatibilityLevel::kAMPERE_PLUS)
      .value("SAME_COMPUTE_CAPABILITY", HardwareCompatibilityLevel::kSAME_COMPUTE_CAPABILITY);
  py::enum_<RuntimePlatform>(m, "RuntimePlatform")
      .value("SAME_AS_BUILD", RuntimePlatform::kSAME_AS_BUILD)
      .value("WINDOWS_AMD64", RuntimePlatform::kWINDOWS_AMD64);
  py::enum_<TilingOptimizationLevel>(m, "TilingOptimizationLevel")
      .value("NONE", TilingOptimizationLevel::kNONE)
      .value("FAST", TilingOptimizationLevel::kFAST)
      .value("MODERATE", TilingOptimizationLevel::kMODERATE)
      .value("FULL", TilingOptimizationLevel::kFULL);
}

// Values of a shape input for one of min, opt, max.
std::vector<int64_t> shape_values(IOptimizationProfile const& profile, char const* input, OptProfileSelector which) {
  int64_t const* values = profile.getShapeValuesV2(input, which);
  int32_t const count = profile.getNbShapeValues(input);
  return values && count > 0 ? std::vector<int64_t>(values, values + count) : std::vector<int64_t>();
}

void bind_profile(py::module_& m) {
  py::class_<IOptimizationProfile> profile(m, "IOptimizationProfile");
  profile.def(
      "set_shape",
      [](IOptimizationProfile& p, char const* input, Dims const& min, Dims const& opt, Dims const& max) {
        if (!p.setDimensions(input, OptProfileSelector::kMIN, min) ||
            !p.setDimensions(input, OptProfileSelector::kOPT, opt) ||
            !p.setDimensions(input, OptProfileSelector::kMAX, max))
          throw py::value_error(std::string("the shapes of ") + input + " were refused; the log says why");
      },
      py::arg("input"), py::arg("min"), py::arg("opt"), py::arg("max"));
  profile.def(
      "get_shape",
      [](IOptimizationProfile const& p, char const* input) -> std::vector<Dims> {
        std::vector<Dims> shapes;
        for (auto which : {OptProfileSelector::kMIN, OptProfileSelector::kOPT, OptProfileSelector::kMAX}) {
          shapes.push_back(p.getDimensions(input, which));
          if (shapes.back().nbDims < 0) return {};
        }
        return shapes;
      },
      py::arg("input"));
  profile.def(
      "set_shape_input",
      [](IOptimizationProfile& p, char const* input, std::vector<int64_t> const& min, std::vector<int64_t> const& opt,
         std::vector<int64_t> const& max) {
        auto const set = [&](OptProfileSelector which, std::vector<int64_t> const& values) {
          return p.setShapeValuesV2(input, which, values.data(), static_cast<int32_t>(values.size()));
        };
        if (!set(OptProfileSelector::kMIN, min) || !set(OptProfileSelector::kOPT, opt) ||
            !set(OptProfileSelector::kMAX, max))
          throw py::value_error(std::string("the values of ") + input + " were refused; the log says why");
      },
      py::arg("input"), py::arg("min"), py::arg("opt"), py::arg("max"));
  profile.def(
      "get_shape_input",
      [](IOptimizationProfile const& p, char const* input) -> std::vector<std::vector<int64_t>> {
        std::vector<std::vector<int64_t>> values;
        for (auto which : {OptProfileSelector::kMIN, OptProfileSelector::kOPT, OptProfileSelector::kMAX}) {
          values.push_back(shape_values(p, input, which));
          if (values.back().empty()) return {};
        }
        return values;
      },
      py::arg("input"));
  profile.def_property("extra_memory_target", &IOptimizationProfile::getExtraMemoryTarget,
                       [](IOptimizationProfile& p, float target) {
                         if (!p.setExtraMemoryTarget(target)) throw py::value_error("extra_memory_target takes 0 to 1");
                       });
  profile.def("__bool__", &IOptimizationProfile::isValid);
}

void bind_timing_cache(py::module_& m) {
  // 16 bytes, as 0x and 32 hexadecimal digits.
  py::class_<TimingCacheKey>(m, "TimingCacheKey")
      .def_static(
          "parse",
          [](std::string const& text) {
            bool const digits = text.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string::npos;
            if (text.size() != 34 || text[0] != '0' || (text[1] != 'x' && text[1] != 'X') || !digits)
              throw py::value_error("a key is 0x and 32 hexadecimal digits");
            TimingCacheKey key{};
            for (size_t i = 0; i < sizeof key.data; ++i)
              key.data[i] = static_cast<uint8_t>(std::stoul(text.substr(2 + 2 * i, 2), nullptr, 16));
            return key;
          },
          py::arg("text"))
      .def("__str__", [](TimingCacheKey const& key) {
        char const* digits = "0123456789abcdef";
        std::string text = "0x";
        for (uint8_t const byte : key.data) text += {digits[byte / 16], digits[byte % 16]};
        return text;
      });
  py::class_<TimingCacheValue>(m, "TimingCacheValue")
      .def(py::init<uint64_t, float>(), py::arg("tactic_hash"), py::arg("timing_msec"))
      .def_readwrite("tacticHash", &TimingCacheValue::tacticHash)
      .def_readwrite("timingMSec", &TimingCacheValue::timingMSec)
      .def_property_readonly_static("INVALID_TACTIC_HASH",
                                    [](py::object const&) { return uint64_t{TimingCacheValue::kINVALID_TACTIC_HASH}; });
  py::class_<ITimingCache> cache(m, "ITimingCache");
  cache.def("queryKeys", [](ITimingCache const& c) {
    std::vector<TimingCacheKey> keys(static_cast<size_t>(std::max<int64_t>(0, c.queryKeys(nullptr, 0))));
    c.queryKeys(keys.data(), static_cast<int64_t>(keys.size()));
    return keys;
  });
  cache.def("query", &ITimingCache::query, py::arg("key"));
  cache.def("update", &ITimingCache::update, py::arg("key"), py::arg("value"));
  cache.def("serialize", &ITimingCache::serialize, py::return_value_policy::take_ownership);
  cache.def("combine", &ITimingCache::combine, py::arg("input_cache"), py::arg("ignore_mismatch"));
  cache.def("reset", &ITimingCache::reset);
}

using Config = py::class_<IBuilderConfig>;

void bind_config_values(Config& config) {
  using C = IBuilderConfig;
  config.def_property("flags", &C::getFlags, &C::setFlags);
  config.def("set_flag", &C::setFlag, py::arg("flag"));
  config.def("clear_flag", &C::clearFlag, py::arg("flag"));
  config.def("get_flag", &C::getFlag, py::arg("flag"));
  config.def("reset", &C::reset);
  config.def_property("min_timing_iterations", &C::getMinTimingIterations, &C::setMinTimingIterations);
  config.def_property("avg_timing_iterations", &C::getAvgTimingIterations, &C::setAvgTimingIterations);
  config.def_property("max_workspace_size", &C::getMaxWorkspaceSize, &C::setMaxWorkspaceSize);
  config.def("set_memory_pool_limit", &C::setMemoryPoolLimit, py::arg("pool"), py::arg("pool_size"));
  config.def("get_memory_pool_limit", &C::getMemoryPoolLimit, py::arg("pool"));
  config.def_property("engine_capability", &C::getEngineCapability, &C::setEngineCapability);
  config.def_property("profiling_verbosity", &C::getProfilingVerbosity, &C::setProfilingVerbosity);
  config.def_property("builder_optimization_level", &C::getBuilderOptimizationLevel, &C::setBuilderOptimizationLevel);
  config.def_property("max_num_tactics", &C::getMaxNbTactics, &C::setMaxNbTactics);
  config.def_property("hardware_compatibility_level", &C::getHardwareCompatibilityLevel,
                      &C::setHardwareCompatibilityLevel);
  config.def_property("runtime_platform", &C::getRuntimePlatform, &C::setRuntimePlatform);
  config.def_property("max_aux_streams", &C::getMaxAuxStreams, &C::setMaxAuxStreams);
  config.def_property("tiling_optimization_level", &C::getTilingOptimizationLevel, &C::setTilingOptimizationLevel);
  config.def_property("l2_limit_for_tiling", &C::getL2LimitForTiling, &C::setL2LimitForTiling);
  config.def_property(
      "profile_stream", [](C const& c) { return reinterpret_cast<Address>(c.getProfileStream()); },
      [](C& c, Address handle) { c.setProfileStream(stream(handle)); });
  config.def("set_tactic_sources", &C::setTacticSources, py::arg("tactic_sources"));
  config.def("get_tactic_sources", &C::getTacticSources);
  config.def("set_preview_feature", &C::setPreviewFeature, py::arg("feature"), py::arg("enable"));
  config.def("get_preview_feature", &C::getPreviewFeature, py::arg("feature"));
  config.def("set_quantization_flag", &C::setQuantizationFlag, py::arg("flag"));
  config.def("clear_quantization_flag", &C::clearQuantizationFlag, py::arg("flag"));
  config.def("get_quantization_flag", &C::getQuantizationFlag, py::arg("flag"));
  config.def_property("quantization_flags", &C::getQuantizationFlags, &C::setQuantizationFlags);
}

void bind_config_devices(Config& config) {
  using C = IBuilderConfig;
  config.def_property("default_device_type", &C::getDefaultDeviceType, &C::setDefaultDeviceType);
  config.def_property("DLA_core", &C::getDLACore, &C::setDLACore);
  config.def("set_device_type", &C::setDeviceType, py::arg("layer"), py::arg("device_type"));
  config.def("get_device_type", &C::getDeviceType, py::arg("layer"));
  config.def("is_device_type_set", &C::isDeviceTypeSet, py::arg("layer"));
  config.def("reset_device_type", &C::resetDeviceType, py::arg("layer"));
  config.def("can_run_on_DLA", &C::canRunOnDLA, py::arg("layer"));
  config.def_property(
      "plugins_to_serialize",
      [](C const& c) {
        std::vector<std::string> paths;
        for (int32_t i = 0; i < c.getNbPluginsToSerialize(); ++i) paths.emplace_back(c.getPluginToSerialize(i));
        return paths;
      },
      [](C& c, std::vector<std::string> const& paths) {
        std::vector<char const*> texts;
        for (std::string const& path : paths) texts.push_back(path.c_str());
        c.setPluginsToSerialize(texts.data(), static_cast<int32_t>(texts.size()));
      });
}

// Objects that a configuration refers to stay alive as long as it does.
void bind_config_objects(Config& config) {
  using C = IBuilderConfig;
  config.def("add_optimization_profile", &C::addOptimizationProfile, py::arg("profile"), py::keep_alive<1, 2>());
  config.def_property_readonly("num_optimization_profiles", &C::getNbOptimizationProfiles);
  config.def("set_calibration_profile", &C::setCalibrationProfile, py::arg("profile"), py::keep_alive<1, 2>());
  config.def("get_calibration_profile", &C::getCalibrationProfile, borrowed);
  config.def_property("int8_calibrator", py::cpp_function(&C::getInt8Calibrator, borrowed),
                      py::cpp_function(&C::setInt8Calibrator, py::keep_alive<1, 2>()));
  config.def_property("algorithm_selector", py::cpp_function(&C::getAlgorithmSelector, borrowed),
                      py::cpp_function(&C::setAlgorithmSelector, py::keep_alive<1, 2>()));
  config.def_property("progress_monitor", py::cpp_function(&C::getProgressMonitor, borrowed),
                      py::cpp_function(&C::setProgressMonitor, py::keep_alive<1, 2>()));
  config.def(
      "create_timing_cache",
      [](C const& c, py::buffer const& blob) {
        py::buffer_info const info = blob.request();
        return c.createTimingCache(info.size ? info.ptr : nullptr, static_cast<size_t>(info.size * info.itemsize));
      },
      py::arg("serialized_timing_cache"), py::return_value_policy::take_ownership);
  config.def("set_timing_cache", &C::setTimingCache, py::arg("cache"), py::arg("ignore_mismatch"),
             py::keep_alive<1, 2>());
  config.def("get_timing_cache", &C::getTimingCache, py::return_value_policy::reference_internal);
  config.def("__enter__", [](py::object self) { return self; });
  config.def("__exit__", [](py::object const&, py::args const&) {});
}

}  // namespace

void bind_config(py::module_& m) {
  bind_flags(m);
  bind_levels(m);
  bind_profile(m);
  bind_timing_cache(m);
  Config config(m, "IBuilderConfig");
  bind_config_values(config);
  bind_config_devices(config);
  bind_config_objects(config);
}

}  // namespace planish_python
