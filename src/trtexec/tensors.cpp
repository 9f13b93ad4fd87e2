#include "trtexec/tensors.h"

#include <cstring>

#include "trtexec/files.h"
#include "trtexec/network.h"
#include "trtexec/values.h"

namespace planish::trtexec {
namespace {

bool is_open(const nvinfer1::Dims& dims) {
  for (int i = 0; i < dims.nbDims; ++i)
    if (dims.d[i] < 0) return true;
  return false;
}

int64_t volume(const nvinfer1::Dims& dims) {
  int64_t count = 1;
  for (int i = 0; i < dims.nbDims; ++i) count *= dims.d[i];
  return count;
}

size_t bytes_of(const nvinfer1::Dims& dims, nvinfer1::DataType type) {
  return static_cast<size_t>(volume(dims)) * bits_of(type) / 8;
}

// What is no letter, digit, '.', '_' or '-' becomes '_'.
std::string file_name(std::string text) {
  for (char& c : text)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '-') c = '_';
  return text;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + "\"";
}

}  // namespace

// An output whose extents data decides: the engine asks for memory when it knows.
class Tensors::LateOutput final : public nvinfer1::IOutputAllocator {
 public:
  void* reallocateOutput(char const*, void*, uint64_t size, uint64_t) override {
    if (size <= bytes_) return memory_.get();
    memory_ = device_memory(size);
    bytes_ = size;
    return memory_.get();
  }
  void* reallocateOutputAsync(char const* name, void* now, uint64_t size, uint64_t alignment, cudaStream_t) override {
    return reallocateOutput(name, now, size, alignment);
  }
  void notifyShape(char const*, nvinfer1::Dims const& dims) override { dims_ = dims; }
  const nvinfer1::Dims& dims() const { return dims_; }
  void* memory() const { return memory_.get(); }

 private:
  DeviceMemory memory_;
  uint64_t bytes_ = 0;
  nvinfer1::Dims dims_{};
};

Tensors::Tensors(const Options& options, const nvinfer1::ICudaEngine& engine, nvinfer1::IExecutionContext& context)
    : options_(options) {
  for (const auto& [name, file] : options.inputs)
    if (engine.getTensorIOMode(name.c_str()) != nvinfer1::TensorIOMode::kINPUT)
      fail("--loadInputs: the engine has no input '{}'", name);
  for (int i = 0; i < engine.getNbIOTensors(); ++i) {
    const char* name = engine.getIOTensorName(i);
    if (!engine.isShapeInferenceIO(name)) tensors_.push_back(make(name, engine, context));
  }
}

Tensors::~Tensors() = default;

Tensors::Tensor Tensors::make(const char* name, const nvinfer1::ICudaEngine& engine,
                              nvinfer1::IExecutionContext& context) const {
  Tensor t;
  t.name = name;
  t.type = engine.getTensorDataType(name);
  t.is_input = engine.getTensorIOMode(name) == nvinfer1::TensorIOMode::kINPUT;
  t.dims = context.getTensorShape(name);
  require(t.dims.nbDims >= 0, "the shape of '{}' is not known", name);
  if (is_open(t.dims)) {
    if (t.is_input) fail("input '{}' is {}; --shapes gives it extents", name, text_of(t.dims));
    t.late = std::make_unique<LateOutput>();
    require(context.setOutputAllocator(name, t.late.get()), "the allocator of '{}' is not accepted", name);
    info("Using an output allocator for {}", name);
    return t;
  }
  t.bytes = bytes_of(t.dims, t.type);
  t.own_device = device_memory(t.bytes, options_.managed);
  t.device = t.host = t.own_device.get();
  if (!options_.managed) {
    t.own_host = host_memory(t.bytes);
    t.host = t.own_host.get();
  }
  std::memset(t.host, 0, t.bytes);
  require(context.setTensorAddress(name, t.device), "the address of '{}' is not accepted", name);
  if (!t.is_input) {
    info("Output binding for {} with dimensions {} is created.", name, text_of(t.dims));
    return t;
  }
  const auto file = options_.inputs.find(name);
  if (file == options_.inputs.end()) {
    info("Using random values for input {}", name);
    const std::string values = random_values(t.type, t.bytes, tensors_.size());
    std::memcpy(t.host, values.data(), t.bytes);
  } else {
    info("Using values loaded from {} for input {}", file->second, name);
    const std::string values = read_file(file->second);
    if (values.size() != t.bytes)
      fail("{}: {} bytes; input '{}' is {} of {}: {} bytes", file->second, values.size(), name, name_of(t.type),
           text_of(t.dims), t.bytes);
    std::memcpy(t.host, values.data(), t.bytes);
  }
  info("Input binding for {} with dimensions {} is created.", name, text_of(t.dims));
  return t;
}

void Tensors::copy_inputs(cudaStream_t stream) const {
  for (const Tensor& t : tensors_)
    if (t.is_input && t.host != t.device)
      check(cudaMemcpyAsync(t.device, t.host, t.bytes, cudaMemcpyHostToDevice, stream), "copy of an input");
}

void Tensors::copy_outputs(cudaStream_t stream) const {
  for (const Tensor& t : tensors_)
    if (!t.is_input && !t.late && t.host != t.device)
      check(cudaMemcpyAsync(t.host, t.device, t.bytes, cudaMemcpyDeviceToHost, stream), "copy of an output");
}

void Tensors::fetch_outputs() const {
  check(cudaDeviceSynchronize(), "the device");
  copy_outputs(nullptr);
  check(cudaDeviceSynchronize(), "copies of the outputs");
}

std::string Tensors::values_of(const Tensor& tensor, const char* separator) {
  if (!tensor.late) return values_text(tensor.host, tensor.type, volume(tensor.dims), separator);
  std::string host(bytes_of(tensor.late->dims(), tensor.type), '\0');
  check(cudaMemcpy(host.data(), tensor.late->memory(), host.size(), cudaMemcpyDeviceToHost), "copy of an output");
  return values_text(host.data(), tensor.type, volume(tensor.late->dims()), separator);
}

std::string Tensors::text_of_outputs() const {
  std::string text = "Output Tensors:";
  for (const Tensor& t : tensors_)
    if (!t.is_input)
      text += fmt::format("\n{}: ({})\n{}", t.name, text_of(t.late ? t.late->dims() : t.dims), values_of(t, " "));
  return text;
}

std::string Tensors::json_of_outputs() const {
  std::string text = "[\n";
  const char* separator = "  ";
  for (const Tensor& t : tensors_) {
    if (t.is_input) continue;
    text += fmt::format("{}{{ \"name\" : {}\n  , \"dimensions\" : \"{}\"\n  , \"values\" : [ {} ]\n  }}\n", separator,
                        quoted(t.name), text_of(t.late ? t.late->dims() : t.dims), values_of(t, ", "));
    separator = ", ";
  }
  return text + "]\n";
}

void Tensors::write_raw() const {
  info("Dumping I/O Bindings to RAW Files:");
  for (const Tensor& t : tensors_) {
    const nvinfer1::Dims& dims = t.late ? t.late->dims() : t.dims;
    const char* mode = t.is_input ? "input" : "output";
    std::string bytes(bytes_of(dims, t.type), '\0');
    check(cudaMemcpy(bytes.data(), t.late ? t.late->memory() : t.host, bytes.size(), cudaMemcpyDefault),
          "copy of a tensor");
    const std::string extents = fmt::format("{}", fmt::join(dims.d, dims.d + dims.nbDims, "."));
    const std::string file = file_name(fmt::format("{}.{}.{}.{}.raw", t.name, mode, extents, name_of(t.type)));
    info("Writing file for {} binding {} (with datatype {} and dimensions {}) to {}", mode, t.name, name_of(t.type),
         extents, file);
    write_file(file, bytes);
  }
}

void set_shapes(const Options& options, const nvinfer1::ICudaEngine& engine, nvinfer1::IExecutionContext& context,
                std::map<std::string, std::vector<int64_t>>& shape_values) {
  for (const auto& [pattern, extents] : options.shapes) {
    bool found = false;
    for (int i = 0; i < engine.getNbIOTensors(); ++i) found = found || matches(pattern, engine.getIOTensorName(i));
    if (!found) fail("Invalid tensor names found in --shapes flag: the engine has no input '{}'", pattern);
  }
  for (int i = 0; i < engine.getNbIOTensors(); ++i) {
    const char* name = engine.getIOTensorName(i);
    if (engine.getTensorIOMode(name) != nvinfer1::TensorIOMode::kINPUT) continue;
    const nvinfer1::Dims dims = engine.getTensorShape(name);
    const auto at = find_plausible(options.shapes, name);
    if (engine.isShapeInferenceIO(name)) {
      auto& values = shape_values[name];
      values = at == options.shapes.end() ? std::vector<int64_t>(static_cast<size_t>(volume(dims)), 1) : at->second;
      info("Set input shape tensor {} to: {}", name, text_of(values));
      if (engine.getTensorDataType(name) == nvinfer1::DataType::kINT32)
        for (size_t j = 0; j < values.size(); ++j)
          reinterpret_cast<int32_t*>(values.data())[j] = static_cast<int32_t>(values[j]);
      require(context.setTensorAddress(name, values.data()), "input '{}' does not take values", name);
      continue;
    }
    if (at == options.shapes.end() && !is_open(dims)) continue;
    Extents shape = at == options.shapes.end() ? Extents(dims.d, dims.d + dims.nbDims) : at->second;
    if (at == options.shapes.end()) {
      for (int64_t& extent : shape) extent = std::max<int64_t>(extent, 1);
      if (options.batch > 0 && dims.d[0] < 0) shape[0] = options.batch;
      if (options.batch == 0)
        warn("Shape missing for input with dynamic shape: {} Automatically setting shape to: {}", name, text_of(shape));
    }
    info("Set shape of input tensor {} to: {}", name, text_of(shape));
    require(context.setInputShape(name, dims_of(shape)), "input '{}' cannot have the shape {}", name, text_of(shape));
  }
}

}  // namespace planish::trtexec
