// Reading ONNX models into a network, or their weights into an engine.
#include "python/tensorrt/bindings.h"

namespace planish_python {
namespace {

using nvonnxparser::IParser;
using nvonnxparser::IParserError;
using nvonnxparser::IParserRefitter;
using nvonnxparser::OnnxParserFlag;
using py::arg;

// A model's bytes, valid while the object in `bytes` is.
struct Model {
  explicit Model(py::buffer const& bytes) : info(bytes.request()) {}
  void const* data() const { return info.ptr; }
  size_t size() const { return static_cast<size_t>(info.size * info.itemsize); }
  py::buffer_info info;
};

char const* text(std::string const& path) { return path.empty() ? nullptr : path.c_str(); }

void bind_errors(py::module_& m) {
  using nvonnxparser::ErrorCode;
  py::enum_<ErrorCode>(m, "ErrorCode")
      .value("SUCCESS", ErrorCode::kSUCCESS)
      .value("INTERNAL_ERROR", ErrorCode::kINTERNAL_ERROR)
      .value("MEM_ALLOC_FAILED", ErrorCode::kMEM_ALLOC_FAILED)
      .value("MODEL_DESERIALIZE_FAILED", ErrorCode::kMODEL_DESERIALIZE_FAILED)
      .value("INVALID_VALUE", ErrorCode::kINVALID_VALUE)
      .value("INVALID_GRAPH", ErrorCode::kINVALID_GRAPH)
      .value("INVALID_NODE", ErrorCode::kINVALID_NODE)
      .value("UNSUPPORTED_GRAPH", ErrorCode::kUNSUPPORTED_GRAPH)
      .value("UNSUPPORTED_NODE", ErrorCode::kUNSUPPORTED_NODE)
      .value("UNSUPPORTED_NODE_ATTR", ErrorCode::kUNSUPPORTED_NODE_ATTR)
      .value("UNSUPPORTED_NODE_INPUT", ErrorCode::kUNSUPPORTED_NODE_INPUT)
      .value("UNSUPPORTED_NODE_DATATYPE", ErrorCode::kUNSUPPORTED_NODE_DATATYPE)
      .value("UNSUPPORTED_NODE_DYNAMIC", ErrorCode::kUNSUPPORTED_NODE_DYNAMIC)
      .value("UNSUPPORTED_NODE_SHAPE", ErrorCode::kUNSUPPORTED_NODE_SHAPE)
      .value("REFIT_FAILED", ErrorCode::kREFIT_FAILED);
  py::enum_<OnnxParserFlag>(m, "OnnxParserFlag")
      .value("NATIVE_INSTANCENORM", OnnxParserFlag::kNATIVE_INSTANCENORM)
      .value("ENABLE_UINT8_AND_ASYMMETRIC_QUANTIZATION_DLA",
             OnnxParserFlag::kENABLE_UINT8_AND_ASYMMETRIC_QUANTIZATION_DLA)
      .value("REPORT_CAPABILITY_DLA", OnnxParserFlag::kREPORT_CAPABILITY_DLA)
      .value("ENABLE_PLUGIN_OVERRIDE", OnnxParserFlag::kENABLE_PLUGIN_OVERRIDE)
      .value("ADJUST_FOR_DLA", OnnxParserFlag::kADJUST_FOR_DLA);
  Borrowed<IParserError> error(m, "ParserError");
  error.def("code", &IParserError::code);
  error.def("desc", &IParserError::desc);
  error.def("file", &IParserError::file);
  error.def("line", &IParserError::line);
  error.def("func", &IParserError::func);
  error.def("node", &IParserError::node);
  error.def("node_name", &IParserError::nodeName);
  error.def("node_operator", &IParserError::nodeOperator);
  error.def("local_function_stack", [](IParserError const& e) {
    std::vector<std::string> stack;
    for (int32_t i = 0; i < e.localFunctionStackSize(); ++i) stack.emplace_back(e.localFunctionStack()[i]);
    return stack;
  });
  error.def("__str__", [](IParserError const& e) {
    std::string result = e.node() >= 0 ? "In node " + std::to_string(e.node()) : "In the model";
    if (e.nodeName() && *e.nodeName()) result += std::string(" with name: ") + e.nodeName();
    if (e.nodeOperator() && *e.nodeOperator()) result += std::string(" and operator: ") + e.nodeOperator();
    return result + ": " + (e.desc() ? e.desc() : "");
  });
}

using Parser = py::class_<IParser>;

void bind_support(Parser& parser) {
  parser.def("supports_operator", &IParser::supportsOperator, arg("op_name"));
  parser.def(
      "supports_model",
      [](IParser& p, py::buffer const& bytes, std::string const& path) {
        Model const model(bytes);
        SubGraphCollection_t parts;
        bool const all = p.supportsModel(model.data(), model.size(), parts, text(path));
        return py::make_tuple(all, parts);
      },
      arg("model"), arg("path") = "");
  parser.def(
      "supports_model_v2",
      [](IParser& p, py::buffer const& bytes, std::string const& path) {
        Model const model(bytes);
        return p.supportsModelV2(model.data(), model.size(), text(path));
      },
      arg("model"), arg("path") = "");
  parser.def_property_readonly("num_subgraphs", &IParser::getNbSubgraphs);
  parser.def("is_subgraph_supported", &IParser::isSubgraphSupported, arg("index"));
  parser.def(
      "get_subgraph_nodes",
      [](IParser& p, int64_t index) {
        int64_t count = 0;
        int64_t const* nodes = p.getSubgraphNodes(index, count);
        return nodes ? std::vector<int64_t>(nodes, nodes + count) : std::vector<int64_t>();
      },
      arg("index"));
}

void bind_parser(py::module_& m) {
  Parser parser(m, "OnnxParser");
  parser.def(py::init([](INetworkDefinition& network, ILogger& logger) {
               return nvonnxparser::createParser(network, logger);
             }),
             arg("network"), arg("logger"), py::keep_alive<1, 3>(), py::keep_alive<1, 2>());
  parser.def(
      "parse",
      [](IParser& p, py::buffer const& bytes, std::string const& path) {
        Model const model(bytes);
        py::gil_scoped_release free;
        return p.parse(model.data(), model.size(), text(path));
      },
      arg("model"), arg("path") = "");
  parser.def(
      "parse_from_file",
      [](IParser& p, std::string const& file) {
        return p.parseFromFile(file.c_str(), static_cast<int>(ILogger::Severity::kINFO));
      },
      arg("model"), NoGil());
  parser.def(
      "parse_with_weight_descriptors",
      [](IParser& p, py::buffer const& bytes) {
        Model const model(bytes);
        return p.parseWithWeightDescriptors(model.data(), model.size());
      },
      arg("model"));
  parser.def(
      "load_model_proto",
      [](IParser& p, py::buffer const& bytes, std::string const& path) {
        Model const model(bytes);
        return p.loadModelProto(model.data(), model.size(), text(path));
      },
      arg("model"), arg("path") = "", py::keep_alive<1, 2>());
  parser.def(
      "load_initializer",
      [](IParser& p, char const* name, Address data, size_t size) {
        return p.loadInitializer(name, pointer(data), size);
      },
      arg("name"), arg("data"), arg("size"));
  parser.def("parse_model_proto", &IParser::parseModelProto, NoGil());
  bind_support(parser);
  parser.def_property_readonly("num_errors", &IParser::getNbErrors);
  parser.def("get_error", &IParser::getError, arg("index"), py::return_value_policy::reference_internal);
  parser.def("clear_errors", &IParser::clearErrors);
  parser.def_property("flags", &IParser::getFlags, &IParser::setFlags);
  parser.def("set_flag", &IParser::setFlag, arg("flag"));
  parser.def("clear_flag", &IParser::clearFlag, arg("flag"));
  parser.def("get_flag", &IParser::getFlag, arg("flag"));
  parser.def(
      "get_layer_output_tensor",
      [](IParser& p, char const* name, int64_t i) { return const_cast<ITensor*>(p.getLayerOutputTensor(name, i)); },
      arg("name"), arg("i"), py::return_value_policy::reference_internal);
  parser.def("get_used_vc_plugin_libraries", [](IParser const& p) {
    int64_t count = 0;
    char const* const* paths = p.getUsedVCPluginLibraries(count);
    return std::vector<std::string>(paths, paths + count);
  });
  parser.def("__enter__", [](py::object self) { return self; });
  parser.def("__exit__", [](py::object const&, py::args const&) {});
}

void bind_parser_refitter(py::module_& m) {
  py::class_<IParserRefitter> refitter(m, "OnnxParserRefitter");
  refitter.def(py::init([](IRefitter& r, ILogger& logger) { return nvonnxparser::createParserRefitter(r, logger); }),
               arg("refitter"), arg("logger"), py::keep_alive<1, 2>(), py::keep_alive<1, 3>());
  refitter.def(
      "refit_from_bytes",
      [](IParserRefitter& r, py::buffer const& bytes, std::string const& path) {
        Model const model(bytes);
        py::gil_scoped_release free;
        return r.refitFromBytes(model.data(), model.size(), text(path));
      },
      arg("model"), arg("path") = "", py::keep_alive<1, 2>());
  refitter.def("refit_from_file", &IParserRefitter::refitFromFile, arg("model"), NoGil());
  refitter.def_property_readonly("num_errors", &IParserRefitter::getNbErrors);
  refitter.def("get_error", &IParserRefitter::getError, arg("index"), py::return_value_policy::reference_internal);
  refitter.def("clear_errors", &IParserRefitter::clearErrors);
}

}  // namespace

void bind_onnx(py::module_& m) {
  bind_errors(m);
  bind_parser(m);
  bind_parser_refitter(m);
  m.def("get_nv_onnx_parser_version", [] { return getNvOnnxParserVersion(); });
}

}  // namespace planish_python
