#include "tensorrt/build/plan_build.h"

namespace planish::tensorrt {
namespace {

void put_extents(Packer& packer, const Extents& extents) {
  packer.put(static_cast<int64_t>(extents.size()));
  for (int64_t extent : extents) packer.put(extent);
}

Blob blob_of(Plan made) {
  const auto plan = std::make_shared<Plan>(std::move(made));
  return {std::shared_ptr<const void>(plan, plan->bytes().data()), plan->bytes().size()};
}

Extents extents_from(Unpacker& in) {
  Extents extents;
  for (int64_t i = 0, n = in.count(); i < n; ++i) extents.push_back(in.number());
  return extents;
}

}  // namespace

Blob build_plan(const Network& network, BuildOptions options, std::string* cache) {
  options.timings = cache;
  return blob_of(planish::build(network, options));
}

std::string pack(const BuildOptions& options) {
  Packer packer;
  packer.put(int64_t{options.threads}).put(static_cast<int64_t>(options.tuning));
  packer.put(int64_t{options.tf32}).put(int64_t{options.bf16});
  packer.put(options.calibration).put(int64_t{options.calibration_partial});
  packer.put(static_cast<int64_t>(options.fp32_layers.size()));
  for (const std::string& layer : options.fp32_layers) packer.put(layer);
  packer.put(static_cast<int64_t>(options.notes.size()));
  for (const auto& [key, text] : options.notes) packer.put(key).put(text);
  packer.put(static_cast<int64_t>(options.profiles.size()));
  for (const InputRanges& ranges : options.profiles) {
    packer.put(static_cast<int64_t>(ranges.size()));
    for (const InputRange& range : ranges) {
      packer.put(range.input);
      for (const Extents* extents : {&range.min, &range.opt, &range.max}) put_extents(packer, *extents);
    }
  }
  packer.put(int64_t{options.fp16});
  return packer.bytes;
}

BuildOptions unpack(std::string_view bytes) {
  Unpacker in(bytes);
  BuildOptions options;
  options.threads = static_cast<int>(in.number());
  options.tuning = static_cast<Tuning>(in.number());
  options.tf32 = in.number() != 0;
  options.bf16 = in.number() != 0;
  options.calibration = in.text();
  options.calibration_partial = in.number() != 0;
  for (int64_t i = 0, n = in.count(); i < n; ++i) options.fp32_layers.push_back(in.text());
  for (int64_t i = 0, n = in.count(); i < n; ++i) {
    std::string key = in.text(), text = in.text();
    options.notes.emplace_back(std::move(key), std::move(text));
  }
  for (int64_t i = 0, n = in.count(); i < n; ++i) {
    InputRanges& ranges = options.profiles.emplace_back();
    for (int64_t k = 0, inputs = in.count(); k < inputs; ++k) {
      InputRange& range = ranges.emplace_back();
      range.input = in.text();
      for (Extents* extents : {&range.min, &range.opt, &range.max}) *extents = extents_from(in);
    }
  }
  options.fp16 = in.number() != 0;
  return options;
}

// Kernels are chosen by the same timings again.
Blob build_refittable(const Network& network, const BuildOptions& options, RefitRecord& record) {
  const Blob plan = build_plan(network, options, &record.cache);
  record.network = network.bytes();
  record.options = pack(options);
  return with_record(plan, record);
}

namespace {

// A few numbers may be factors of extents, integers extents themselves: they are needed to know what the network is.
bool can_be_left_out(const Network& network, Value value) {
  const DataType type = network.dtype(value);
  const bool weights = type == DataType::f32 || type == DataType::f16 || type == DataType::bf16 || type == DataType::i8;
  return weights && element_count(network.extents(value)) > 8;
}

}  // namespace

Blob stripped(const Blob& plan) {
  auto record = record_of(plan);
  if (!record) throw Error(Code::invalid_state, "the engine was not built with kREFIT");
  Network network = Network::of_bytes(record->network);
  for (RefitRecord::Weights& known : record->weights) {
    const auto value = network.find(known.constant);
    if (!value || !network.is_constant(*value) || !can_be_left_out(network, *value)) continue;
    known.stripped_bytes =
        element_count(network.extents(*value)) * static_cast<int64_t>(element_bytes(network.dtype(*value)));
    const std::string zeros(static_cast<size_t>(known.stripped_bytes), '\0');
    network.set_constant(*value, zeros.data());
  }
  record->network = network.bytes();
  return squeezed(with_record(blob_of(without_weights(plan.data.get(), plan_bytes(plan))), *record));
}

namespace {
[[maybe_unused]] const bool stripping_is_here = (strip_weights = stripped) != nullptr;
}  // namespace

}  // namespace planish::tensorrt
