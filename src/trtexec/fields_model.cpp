// Fields of the model and of the system.

#include "trtexec/take.h"

namespace planish::trtexec {

std::vector<Field> model_fields() {
  constexpr Section s = Section::model;
  return {
      {s, "--onnx", "=<file>", "ONNX model",
       [](Options& o, const std::string& text) {
         const char* home = std::getenv("HOME");
         o.onnx = text.compare(0, 2, "~/") == 0 && home != nullptr ? home + text.substr(1) : text;
       },
       "Format",
       [](const Options& o) {
         return std::string(!o.onnx.empty()     ? "ONNX"
                            : !o.deploy.empty() ? "Caffe"
                                                : "*") +
                "\nModel: " + o.onnx + o.caffe_model;
       }},
      {s, "--model", "=<file>", "Caffe model (default = no model, random weights used)", word(&Options::caffe_model)},
      {s, "--deploy", "=<file>", "Caffe prototxt file", word(&Options::deploy), "Prototxt", told(&Options::deploy)},
      {s, "--output", "=<name>[,<name>]*",
       "Output names; at least one is required for Caffe (can be specified multiple times)",
       [](Options& o, const std::string& text) {
         for (std::string& name : split(text, ',')) o.outputs.push_back(std::move(name));
       },
       "Output", joined(&Options::outputs), Meaning::honoured, "", true},
  };
}

std::vector<Field> system_fields() {
  constexpr Section s = Section::system;
  return {
      {s, "--device", "=N", "Select device N (default = 0); -1: the processor, whatever else is there",
       whole(&Options::device, -1), "Device", [](const Options& o) { return std::to_string(o.device); }},
      {s, "--useDLACore", "=N", "Select DLA core N: there is none, so --allowGPUFallback is needed (default = none)",
       whole(&Options::dla_core, -1), "DLACore",
       [](const Options& o) { return o.dla_core < 0 ? "" : std::to_string(o.dla_core); }},
      {s,
       "--plugins",
       "=<file>",
       "Plugin library (.so) to load (can be specified multiple times)",
       words(&Options::plugins),
       "",
       {},
       Meaning::honoured,
       "",
       true},
      {s, "--staticPlugins", "=<file>", "The same as --plugins", words(&Options::plugins), "Loaded static plugins",
       joined(&Options::plugins), Meaning::honoured, "", true},
      {s, "--dynamicPlugins", "=<file>",
       "Plugin library (.so) to load through the registry (can be specified multiple times)",
       words(&Options::dynamic_plugins), "dynamicPlugins", joined(&Options::dynamic_plugins), Meaning::honoured, "",
       true},
      {s, "--setPluginsToSerialize", "=<file>", "Plugin library (.so) to put into the engine",
       words(&Options::plugins_to_serialize), "setPluginsToSerialize", joined(&Options::plugins_to_serialize),
       Meaning::refused, "an engine holds no code; --dynamicPlugins loads the library beside it", true},
  };
}

}  // namespace planish::trtexec
