#include "tensorrt/build/shipped_run.h"

#include "tensorrt/runtime/cuda.h"
#include "tensorrt/runtime/engine_device.h"
#include "tensorrt/runtime/report.h"
#include "tensorrt/runtime/types.h"

namespace planish::tensorrt {

struct ShippedRun::Made {
  std::shared_ptr<EngineDevice> device;
  Engine engine;
  Context context;
  std::vector<std::string> inputs, outputs;

  Made(std::shared_ptr<EngineDevice> device, const Plan& plan, std::vector<std::string> inputs,
       std::vector<std::string> outputs)
      : device(std::move(device)),
        engine(plan, {.device = &this->device->device()}),
        context(engine),
        inputs(std::move(inputs)),
        outputs(std::move(outputs)) {}

  static std::shared_ptr<Made> of(const ShippedKind& kind, const std::vector<TensorType>& types) {
    auto device = make_device(Reporter(first_logger()), nullptr);
    Network network;
    std::vector<Value> operands;
    std::vector<std::string> inputs, outputs;
    for (const TensorType& type : types) {
      inputs.push_back("i" + std::to_string(inputs.size()));
      operands.push_back(network.input(inputs.back(), type.dtype, type.dims));
    }
    for (Value result : kind.add_to(network, operands)) {
      outputs.push_back("o" + std::to_string(outputs.size()));
      network.mark_output(result, outputs.back());
    }
    BuildOptions options;
    options.device = &device->device();
    options.tuning = Tuning::off;
    return std::make_shared<Made>(device, build(network, options), std::move(inputs), std::move(outputs));
  }
};

void ShippedRun::run(const ShippedKind& kind, const std::vector<TensorType>& types, const void* const* inputs,
                     void* const* outputs, cudaStream_t stream) {
  std::string wanted;
  for (const TensorType& type : types) wanted += type.str() + ";";
  const std::lock_guard lock(mutex_);
  if (made_ == nullptr || types_ != wanted) {
    made_ = Made::of(kind, types);
    types_ = std::move(wanted);
  }
  Context& context = made_->context;
  const auto bytes = [&](const std::string& name) { return static_cast<size_t>(context.bytes(name)); };
  for (size_t i = 0; i < made_->inputs.size(); ++i) context.bind(made_->inputs[i], inputs[i], bytes(made_->inputs[i]));
  for (size_t i = 0; i < made_->outputs.size(); ++i)
    context.bind(made_->outputs[i], outputs[i], bytes(made_->outputs[i]));
  if (made_->device->on_gpu()) return context.enqueue(*made_->device->stream(stream));
  if (!wait_for_stream(stream)) refuse("there is no such stream");
  call_here([&] { context.run(); });
}

int32_t ShippedRun::enqueue(const ShippedKind& kind, const nvinfer1::PluginTensorDesc* operands, size_t count,
                            const void* const* inputs, void* const* outputs, cudaStream_t stream) noexcept {
  return Reporter(first_logger()).guard(("enqueue of " + kind.name()).c_str(), int32_t{1}, [&] {
    std::vector<TensorType> types;
    for (size_t i = 0; i < count; ++i) {
      types.push_back({type_of(operands[i].type), {}});
      for (int64_t extent : extents_of(operands[i].dims)) types.back().dims.emplace_back(extent);
    }
    run(kind, types, inputs, outputs, stream);
    return int32_t{0};
  });
}

}  // namespace planish::tensorrt
