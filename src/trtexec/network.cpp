#include "trtexec/network.h"

#include <dlfcn.h>

#include <chrono>

#include "NvCaffeParser.h"
#include "NvOnnxParser.h"
#include "trtexec/files.h"
#include "trtexec/logger.h"

namespace planish::trtexec {
namespace {

std::shared_ptr<void> parse_onnx(const Options& options, nvinfer1::INetworkDefinition& network) {
  read_file(options.onnx);
  const std::shared_ptr<nvonnxparser::IParser> parser(nvonnxparser::createParser(network, logger()));
  require(parser != nullptr, "the ONNX parser cannot be made");
  require(parser->parseFromFile(options.onnx.c_str(), static_cast<int>(Logger::Severity::kINFO)),
          "{}: Failed to parse onnx file", options.onnx);
  return parser;
}

// The parser is a library of its own, which need not be installed.
nvcaffeparser1::ICaffeParser* make_caffe_parser() {
  const std::string name = fmt::format("libnvcaffe_parser.so.{}", NV_TENSORRT_MAJOR);
  void* library = dlopen(name.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) fail("Caffe networks need {}: {}", name, dlerror());
  const auto make = reinterpret_cast<void* (*)()>(dlsym(library, "createNvCaffeParser_INTERNAL"));
  auto* parser = make == nullptr ? nullptr : static_cast<nvcaffeparser1::ICaffeParser*>(make());
  require(parser != nullptr, "the Caffe parser cannot be made");
  return parser;
}

// The first axis of inputs is the batch; it is open where there is a range of it, whatever the text says.
void set_batches(const Options& options, nvinfer1::INetworkDefinition& network) {
  if (options.max_batch == 0) return;
  for (int i = 0; i < network.getNbInputs(); ++i) {
    nvinfer1::Dims dims = network.getInput(i)->getDimensions();
    const int64_t wanted = options.max_batch > 1 ? -1 : 1;
    if (dims.nbDims == 0 || dims.d[0] == wanted) continue;
    dims.d[0] = wanted;
    network.getInput(i)->setDimensions(dims);
  }
}

std::shared_ptr<void> parse_caffe(const Options& options, nvinfer1::INetworkDefinition& network) {
  read_file(options.deploy);
  if (!options.caffe_model.empty()) read_file(options.caffe_model);
  const std::shared_ptr<nvcaffeparser1::ICaffeParser> parser(make_caffe_parser(),
                                                             [](nvcaffeparser1::ICaffeParser* p) { p->destroy(); });
  const auto* blobs =
      parser->parse(options.deploy.c_str(), options.caffe_model.empty() ? nullptr : options.caffe_model.c_str(),
                    network, nvinfer1::DataType::kFLOAT);
  require(blobs != nullptr, "{}: Failed to parse caffe model or prototxt, tensors blob not found", options.deploy);
  for (const std::string& name : options.outputs) {
    nvinfer1::ITensor* tensor = blobs->find(name.c_str());
    require(tensor != nullptr, "{}: Could not find output blob {}", options.deploy, name);
    network.markOutput(*tensor);
  }
  set_batches(options, network);
  return parser;
}

template <class Get>
void apply(const std::vector<IoFormat>& formats, const char* what, int count, Get tensor) {
  if (formats.empty()) return;
  if (formats.size() != 1 && formats.size() != static_cast<size_t>(count))
    fail("The number of {}IOFormats must match number of {}s or be one for broadcasting: {} given for {}", what, what,
         formats.size(), count);
  for (int i = 0; i < count; ++i) {
    const IoFormat& format = formats.size() == 1 ? formats[0] : formats[static_cast<size_t>(i)];
    nvinfer1::ITensor* one = tensor(i);
    if (one->getType() != format.type) one->setType(format.type);
    require(one->getType() == format.type, "{} '{}' cannot be {}", what, one->getName(), name_of(format.type));
    one->setAllowedFormats(format.formats);
  }
}

// The last entry whose pattern matches.
const std::vector<std::string>* types_of(const std::vector<std::pair<std::string, std::vector<std::string>>>& list,
                                         const std::string& layer) {
  for (size_t i = list.size(); i-- > 0;)
    if (matches(list[i].first, layer)) return &list[i].second;
  return nullptr;
}

bool is_dynamic(const nvinfer1::Dims& dims) {
  for (int i = 0; i < dims.nbDims; ++i)
    if (dims.d[i] < 0) return true;
  return false;
}

// Of a Caffe network 1, --batch and --maxBatch; else 1 for every extent that is open.
Extents batch_shape(const Options& options, const nvinfer1::Dims& dims, size_t select) {
  Extents shape(dims.d, dims.d + dims.nbDims);
  for (int64_t& extent : shape) extent = extent < 0 ? 1 : extent;
  if (options.max_batch > 0 && select > 0) shape[0] = select == 1 ? options.batch : options.max_batch;
  return shape;
}

void set_profile(const Options& options, const ProfileShapes& shapes, const nvinfer1::ITensor& input, size_t index,
                 nvinfer1::IOptimizationProfile& profile) {
  const char* name = input.getName();
  const nvinfer1::Dims dims = input.getDimensions();
  const auto at = find_plausible(shapes, name);
  const bool values = input.isShapeTensor();
  if (at == shapes.end() && options.max_batch == 0)
    warn(
        "Dynamic dimensions required for input: {}, but no shapes were provided. Automatically overriding shape to: {}",
        name, text_of(batch_shape(options, dims, 0)));
  std::string text;
  for (size_t select = 0; select < 3; ++select) {
    const auto which = static_cast<nvinfer1::OptProfileSelector>(select);
    const Extents shape = at == shapes.end() ? batch_shape(options, dims, select) : at->second.at(select);
    const bool done = values ? profile.setShapeValuesV2(name, which, shape.data(), static_cast<int32_t>(shape.size()))
                             : profile.setDimensions(name, which, dims_of(shape));
    require(done, "input '{}' cannot have the shape {}", name, text_of(shape));
    text += std::string(select == 0 ? "MIN=" : select == 1 ? " OPT=" : " MAX=") + text_of(shape);
  }
  info("Set {} {} for optimization profile {} to: {}", values ? "input shape tensor" : "shape of input tensor", name,
       index, text);
}

void check_names(const ProfileShapes& shapes, const nvinfer1::INetworkDefinition& network) {
  for (const auto& [pattern, range] : shapes) {
    bool found = false;
    std::string known;
    for (int i = 0; i < network.getNbInputs(); ++i) {
      const nvinfer1::ITensor& input = *network.getInput(i);
      known += (i > 0 ? ", " : "") + std::string(input.getName());
      if (!matches(pattern, input.getName())) continue;
      found = true;
      const nvinfer1::Dims dims = input.getDimensions();
      bool fits = dims.nbDims == static_cast<int>(range.at(0).size()) || input.isShapeTensor();
      for (int axis = 0; fits && !input.isShapeTensor() && axis < dims.nbDims; ++axis)
        for (size_t select = 0; select < 3; ++select)
          fits = fits && (dims.d[axis] < 0 || dims.d[axis] == range.at(select)[static_cast<size_t>(axis)]);
      if (!fits)
        fail("input '{}' is {} in the model and is given {} to {}", input.getName(), text_of(dims),
             text_of(range.at(0)), text_of(range.at(2)));
    }
    if (!found)
      fail(
          "Cannot find input tensor with name \"{}\" in the network inputs! Please make sure the input tensor names "
          "are "
          "correct: they are {}",
          pattern, known);
  }
}

}  // namespace

nvinfer1::Dims dims_of(const Extents& extents) {
  nvinfer1::Dims dims{};
  dims.nbDims = static_cast<int32_t>(extents.size());
  std::copy(extents.begin(), extents.end(), dims.d);
  return dims;
}

ParsedNetwork parse_model(const Options& options, nvinfer1::IBuilder& builder) {
  using Flag = nvinfer1::NetworkDefinitionCreationFlag;
  uint32_t flags = 1U << static_cast<uint32_t>(Flag::kEXPLICIT_BATCH);
  if (options.strongly_typed) flags |= 1U << static_cast<uint32_t>(Flag::kSTRONGLY_TYPED);
  ParsedNetwork parsed;
  parsed.network.reset(builder.createNetworkV2(flags));
  require(parsed.network != nullptr, "the network cannot be made");
  info("Start parsing network model.");
  const auto start = std::chrono::steady_clock::now();
  parsed.parser = options.onnx.empty() ? parse_caffe(options, *parsed.network) : parse_onnx(options, *parsed.network);
  info("Finished parsing network model. Parse time: {:g}",
       std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  return parsed;
}

void apply_formats(const Options& options, nvinfer1::INetworkDefinition& network) {
  apply(options.input_formats, "input", network.getNbInputs(), [&](int i) { return network.getInput(i); });
  apply(options.output_formats, "output", network.getNbOutputs(), [&](int i) { return network.getOutput(i); });
}

void apply_layer_types(const Options& options, nvinfer1::INetworkDefinition& network) {
  if (options.constraints == Constraints::none) return;
  for (int i = 0; i < network.getNbLayers(); ++i) {
    nvinfer1::ILayer& layer = *network.getLayer(i);
    if (const auto* types = types_of(options.layer_precisions, layer.getName())) {
      layer.setPrecision(data_type(types->at(0)));
      info("Set layer {} to precision {}", layer.getName(), types->at(0));
    }
    const auto* types = types_of(options.layer_output_types, layer.getName());
    if (types == nullptr) continue;
    if (types->size() != 1 && types->size() != static_cast<size_t>(layer.getNbOutputs()))
      fail("Layer {} has {} outputs but {} types are given", layer.getName(), layer.getNbOutputs(), types->size());
    for (int output = 0; output < layer.getNbOutputs(); ++output) {
      const std::string& type = types->at(types->size() == 1 ? 0 : static_cast<size_t>(output));
      layer.setOutputType(output, data_type(type));
      info("Set output {} of layer {} to type {}", output, layer.getName(), type);
    }
  }
}

void add_profiles(const Options& options, nvinfer1::IBuilder& builder, const nvinfer1::INetworkDefinition& network,
                  nvinfer1::IBuilderConfig& config) {
  bool dynamic = false;
  for (int i = 0; i < network.getNbInputs(); ++i)
    dynamic = dynamic || is_dynamic(network.getInput(i)->getDimensions()) || network.getInput(i)->isShapeTensor();
  const auto fill = [&](const ProfileShapes& shapes, size_t index) {
    nvinfer1::IOptimizationProfile* profile = builder.createOptimizationProfile();
    require(profile != nullptr, "an optimization profile cannot be made");
    for (int i = 0; i < network.getNbInputs(); ++i) {
      const nvinfer1::ITensor& input = *network.getInput(i);
      if (is_dynamic(input.getDimensions()) || input.isShapeTensor())
        set_profile(options, shapes, input, index, *profile);
    }
    return profile;
  };
  for (size_t i = 0; i < options.profiles.size(); ++i) {
    check_names(options.profiles[i], network);
    if (dynamic)
      require(config.addOptimizationProfile(fill(options.profiles[i], i)) >= 0,
              "the optimization profile is not accepted");
  }
  check_names(options.calibration_shapes, network);
  if (!dynamic || !options.int8) return;
  const ProfileShapes& calibration = options.calibration_shapes.empty()
                                         ? options.profiles[static_cast<size_t>(options.calibration_profile)]
                                         : options.calibration_shapes;
  require(config.setCalibrationProfile(fill(calibration, options.profiles.size())),
          "the calibration profile is not accepted");
}

}  // namespace planish::trtexec
