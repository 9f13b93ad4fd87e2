// Fields that exist elsewhere: accepted, said to have no meaning here; or refused, with the reason.

#include "trtexec/take.h"

namespace planish::trtexec {
namespace {

Field meaningless(Section section, const char* flag, const char* value, const char* why, Take take = nothing) {
  Field field{section, flag, value, why, std::move(take)};
  field.meaning = Meaning::none;
  field.why = why;
  field.repeats = true;
  return field;
}

Field refusal(Section section, const char* flag, const char* value, const char* why) {
  Field field{section, flag, value, why, nothing};
  field.meaning = Meaning::refused;
  field.why = why;
  return field;
}

}  // namespace

std::vector<Field> meaningless_fields() {
  constexpr Section b = Section::build, i = Section::inference;
  const char* types = "element types come from the network";
  const char* tactics = "the processor's kernels are the only source";
  const char* streamed = "all weights stay in memory";
  const char* lean = "an engine holds no code, and one runtime loads it";
  const char* dla = "there are 0 DLA cores";
  return {
      meaningless(b, "--fp8", "", types),
      meaningless(b, "--int4", "", types),
      meaningless(b, "--explicitPrecision", "", types),
      meaningless(b, "--versionCompatible", "", lean),
      meaningless(b, "--vc", "", lean),
      meaningless(b, "--excludeLeanRuntime", "", lean),
      meaningless(b, "--leanDLLPath", "=<file>", lean),
      meaningless(b, "--useRuntime", "=full|lean|dispatch", lean, one_of({"full", "lean", "dispatch"})),
      meaningless(b, "--tempdir", "=<dir>", lean),
      meaningless(b, "--tempfileControls", "=spec", lean),
      meaningless(b, "--hardwareCompatibilityLevel", "=mode",
                  "an engine runs on every processor of its level or above"),
      meaningless(b, "--pluginInstanceNorm", "", "instance normalisation is an operator"),
      meaningless(b, "--pi", "", "instance normalisation is an operator"),
      meaningless(b, "--enablePluginOverride", "", "nodes of known types stay operators"),
      meaningless(b, "--restricted", "", "there is no scope of safety to check"),
      meaningless(b, "--directIO", "", "inputs and outputs are linear"),
      meaningless(b, "--tacticSources", "=spec", tactics),
      meaningless(b, "--maxTactics", "=N", tactics),
      meaningless(b, "--minTiming", "=M", "the tuner repeats a kernel until its time is sure"),
      meaningless(b, "--heuristic", "", "--builderOptimizationLevel=0 lets estimates choose"),
      meaningless(b, "--errorOnTimingCacheMiss", "", "what the cache lacks is timed"),
      meaningless(b, "--noCompilationCache", "", "nothing is compiled at build"),
      meaningless(b, "--monitorMemory", "", "planish inspect PLAN --memory shows memory"),
      meaningless(b, "--preview", "=spec", "there are no features on trial"),
      meaningless(b, "--maxAuxStreams", "=N", "a step takes all threads of the device"),
      meaningless(b, "--allowWeightStreaming", "", streamed),
      meaningless(b, "--tilingOptimizationLevel", "=N", "kernels are tiled for the processor's caches"),
      meaningless(b, "--l2LimitForTiling", "=N", "kernels are tiled for the processor's caches"),
      meaningless(b, "--distributiveIndependence", "", "results do not depend on the extents beside them"),
      meaningless(b, "--decomposableAttentions", "=spec", "attention is recognised wherever it is faster"),
      meaningless(b, "--layerDeviceTypes", "=spec", dla),
      meaningless(b, "--adjustForDLA", "", dla),
      meaningless(b, "--uint8AsymmetricQuantizationDLA", "", dla),
      meaningless(b, "--reportCapabilityDLA", "", dla),
      meaningless(b, "--consistency", "", "an engine is checked whenever it is loaded"),
      meaningless(b, "--asyncFileReader", "", "the engine is read at once"),
      meaningless(b, "--cpuOnly", "", "no GPU is needed; --device=-1 ignores one"),
      meaningless(b, "--runtimePlatform", "=SameAsBuild", "engines are for the system they are built on",
                  one_of({"SameAsBuild"})),
      meaningless(i, "--persistentCacheRatio", "=R", "caches of a processor are not shared out",
                  [](Options&, const std::string& text) { real(text, 0); }),
      meaningless(i, "--weightStreamingBudget", "=N", streamed),
      meaningless(Section::system, "--ignoreParsedPluginLibs", "", "libraries are never put into an engine"),
  };
}

std::vector<Field> refused_fields() {
  constexpr Section b = Section::build, i = Section::inference;
  const char* uff = "UFF files cannot be read; convert the model to ONNX";
  const char* safe = "there is no runtime for engines certified for safety";
  const char* debug = "values between layers are not kept; planish verify MODEL compares them layer by layer";
  return {
      refusal(Section::model, "--uff", "=<file>", uff),
      refusal(Section::model, "--uffInput", "=<name>,X,Y,Z", uff),
      refusal(Section::model, "--uffNHWC", "", uff),
      refusal(b, "--safe", "", safe),
      refusal(b, "--dumpKernelText", "", safe),
      refusal(b, "--remoteAutoTuningConfig", "=spec", safe),
      refusal(Section::system, "--safetyPlugins", "=spec", safe),
      refusal(b, "--buildDLAStandalone", "", "there are 0 DLA cores"),
      refusal(b, "--getPlanVersionOnly", "", "planish inspect PLAN tells what made it"),
      refusal(b, "--markDebug", "=spec", debug),
      refusal(b, "--markUnfusedTensorsAsDebugTensors", "", debug),
      refusal(i, "--saveDebugTensors", "=spec", debug),
      refusal(i, "--saveAllDebugTensors", "=spec", debug),
      refusal(i, "--timeRefit", "", "--refitFromOnnx says how long it took"),
  };
}

}  // namespace planish::trtexec
