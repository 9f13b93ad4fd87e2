#include "tensorrt/build/refitter.h"

#include <limits>

#include "tensorrt/build/layer.h"
#include "tensorrt/build/plan_build.h"

namespace planish::tensorrt {
namespace {

RefitRecord require_record(const EngineImpl& engine) {
  const auto plan = engine.plan();
  auto record = record_of(plan->blob());
  if (!record) throw Error(Code::invalid_state, "the engine was not built with kREFIT");
  return std::move(*record);
}

std::string quoted(char const* text) { return text == nullptr ? "(null)" : "'" + std::string(text) + "'"; }

}  // namespace

RefitterImpl::RefitterImpl(EngineImpl& engine, nvinfer1::ILogger* logger)
    : shared_(engine.shared()),
      device_(engine.device()),
      reporter_(logger),
      record_(require_record(engine)),
      network_(Network::of_bytes(record_.network)) {}

// Weights are used when the engine is refitted: until then they are the caller's.
void RefitterImpl::give(const std::string& constant, nvinfer1::Weights weights) {
  const auto value = network_.find(constant);
  if (!value || !network_.is_constant(*value)) throw Error(Code::not_found, "there are no weights '" + constant + "'");
  const DataType wanted = network_.dtype(*value), found = type_of(weights.type);
  const bool widens = wanted == DataType::f32 && (found == DataType::f16 || found == DataType::bf16);
  if (wanted != found && !widens) refuse("weights of another type for '" + constant + "'");
  require_count(weights, network_.extents(*value), ("'" + constant + "'").c_str());
  given_[constant] = weights;
}

bool RefitterImpl::setWeights(char const* layer, nvinfer1::WeightsRole role, nvinfer1::Weights weights) {
  return reporter_.guard("setWeights", false, [&] {
    for (const RefitRecord::Weights& known : record_.weights)
      if (layer != nullptr && known.layer == layer && known.role == role) return give(known.constant, weights), true;
    throw Error(Code::not_found,
                "layer " + quoted(layer) + " has no weights of role " + std::to_string(static_cast<int>(role)));
  });
}

const RefitRecord::Weights* RefitterImpl::find(const std::string& name) const {
  for (const RefitRecord::Weights& known : record_.weights)
    if (known.name == name && !name.empty()) return &known;
  return nullptr;
}

bool RefitterImpl::setNamedWeights(char const* name, nvinfer1::Weights weights) {
  return reporter_.guard("setNamedWeights", false, [&] {
    const RefitRecord::Weights* known = name == nullptr ? nullptr : find(name);
    if (known == nullptr) throw Error(Code::not_found, "there are no weights " + quoted(name));
    return give(known->constant, weights), true;
  });
}

nvinfer1::Weights RefitterImpl::getNamedWeights(char const* name) const {
  const RefitRecord::Weights* known = name == nullptr ? nullptr : find(name);
  const auto at = known == nullptr ? given_.end() : given_.find(known->constant);
  return at == given_.end() ? nvinfer1::Weights{nvinfer1::DataType::kFLOAT, nullptr, 0} : at->second;
}

bool RefitterImpl::unsetNamedWeights(char const* name) {
  const RefitRecord::Weights* known = name == nullptr ? nullptr : find(name);
  return known != nullptr && given_.erase(known->constant) > 0;
}

nvinfer1::Weights RefitterImpl::getWeightsPrototype(char const* name) const {
  return reporter_.guard("getWeightsPrototype", nvinfer1::Weights{nvinfer1::DataType::kFLOAT, nullptr, -1}, [&] {
    const RefitRecord::Weights* known = name == nullptr ? nullptr : find(name);
    const auto value = known == nullptr ? std::nullopt : network_.find(known->constant);
    if (!value) throw Error(Code::not_found, "there are no weights " + quoted(name));
    return nvinfer1::Weights{type_of(network_.dtype(*value)), nullptr, element_count(network_.extents(*value))};
  });
}

bool RefitterImpl::is_missing(const RefitRecord::Weights& known) const {
  return known.stripped_bytes > 0 && given_.count(known.constant) == 0;
}

namespace {

// Calls take lists of `size` entries and learn how many there are.
template <class Wanted>
int32_t list_roles(const std::vector<RefitRecord::Weights>& all, int32_t size, char const** layers,
                   nvinfer1::WeightsRole* roles, Wanted wanted) {
  int32_t count = 0;
  for (const RefitRecord::Weights& known : all) {
    if (!wanted(known)) continue;
    if (count < size && layers != nullptr) layers[count] = known.layer.c_str();
    if (count < size && roles != nullptr) roles[count] = known.role;
    ++count;
  }
  return count;
}

template <class Wanted>
int32_t list_names(const std::vector<RefitRecord::Weights>& all, int32_t size, char const** names, Wanted wanted) {
  int32_t count = 0;
  for (const RefitRecord::Weights& known : all) {
    if (known.name.empty() || !wanted(known)) continue;
    if (count < size && names != nullptr) names[count] = known.name.c_str();
    ++count;
  }
  return count;
}

constexpr auto kEvery = [](const RefitRecord::Weights&) { return true; };

}  // namespace

int32_t RefitterImpl::getAll(int32_t size, char const** layers, nvinfer1::WeightsRole* roles) {
  return list_roles(record_.weights, size, layers, roles, kEvery);
}

int32_t RefitterImpl::getMissing(int32_t size, char const** layers, nvinfer1::WeightsRole* roles) {
  return list_roles(record_.weights, size, layers, roles, [&](const auto& known) { return is_missing(known); });
}

int32_t RefitterImpl::getAllWeights(int32_t size, char const** names) {
  return list_names(record_.weights, size, names, kEvery);
}

int32_t RefitterImpl::getMissingWeights(int32_t size, char const** names) {
  return list_names(record_.weights, size, names, [&](const auto& known) { return is_missing(known); });
}

float RefitterImpl::getDynamicRangeMin(char const*) const { return std::numeric_limits<float>::quiet_NaN(); }

bool RefitterImpl::setMaxThreads(int32_t threads) {
  if (threads < 1) return false;
  threads_ = threads;
  return true;
}

bool RefitterImpl::take(Network model) {
  bool complete = true;
  for (const RefitRecord::Weights& known : record_.weights) {
    const auto value = model.find(known.constant);
    if (!value || !model.is_constant(*value)) {
      complete = complete && known.name.empty();
      continue;
    }
    give(known.constant,
         {type_of(model.dtype(*value)), model.constant_data(*value), element_count(model.extents(*value))});
  }
  models_.push_back(std::move(model));
  return complete;
}

bool RefitterImpl::refitCudaEngine() {
  return reporter_.guard("refitCudaEngine", false, [&] {
    for (const RefitRecord::Weights& known : record_.weights)
      if (is_missing(known))
        throw Error(Code::invalid_state, "the weights '" + (known.name.empty() ? known.constant : known.name) +
                                             "' of layer '" + known.layer + "' were not set; the plan has none");
    for (RefitRecord::Weights& known : record_.weights) known.stripped_bytes = 0;
    const PluginSession::Scope scope(*shared_->session);
    for (const auto& [constant, weights] : given_) {
      const Value value = *network_.find(constant);
      if (network_.dtype(value) == DataType::f32)
        network_.set_constant(value, floats_of(weights, {weights.count}, constant.c_str()).data());
      else
        network_.set_constant(value, weights.values);
    }
    BuildOptions options = unpack(record_.options);
    options.device = &device_->device();
    const Blob blob = build_refittable(network_, options, record_);
    shared_->exchange(std::make_shared<const LoadedPlan>(blob, device_->handle(), shared_->session));
    given_.clear();
    models_.clear();
    return true;
  });
}

}  // namespace planish::tensorrt

extern "C" void* createInferRefitter_INTERNAL(void* engine, void* logger, int32_t) {
  using namespace planish::tensorrt;
  auto* given = static_cast<nvinfer1::ILogger*>(logger);
  return Reporter(given).guard("createInferRefitter", static_cast<nvinfer1::IRefitter*>(nullptr),
                               [&]() -> nvinfer1::IRefitter* {
                                 if (engine == nullptr) refuse("the engine is null");
                                 auto* mine = static_cast<nvinfer1::ICudaEngine*>(engine);
                                 return new RefitterImpl(static_cast<EngineImpl&>(*mine), given);
                               });
}
