#include "cli/session.h"

#include <algorithm>
#include <random>

#include "base/checked.h"
#include "base/file.h"
#include "cli/image.h"
#include "cli/npy.h"
#include "cli/options.h"

namespace planish::cli {
namespace {

bool has_suffix(const std::string& path, std::initializer_list<const char*> suffixes) {
  return std::any_of(suffixes.begin(), suffixes.end(), [&](const char* suffix) { return path.ends_with(suffix); });
}

bool is_picture(const std::string& path) {
  return has_suffix(path, {".jpg", ".jpeg", ".png", ".JPEG", ".JPG", ".PNG"});
}

Tensor read_raw(const std::string& path) {
  const FileMap file = FileMap::open(path);
  return Tensor::wrap(DataType::u8, {static_cast<int64_t>(file.bytes().size())}, file.bytes().data(), file.owner());
}

Tensor read_input_file(const std::string& path, const std::string& recipe) {
  if (has_suffix(path, {".npy"})) return read_npy(path);
  if (has_suffix(path, {".pb"})) return onnx::read_tensor_file(path);
  if (is_picture(path)) {
    const Picture picture = read_picture(path);
    return with_context([&] { return path; }, [&] { return apply(parse_image_recipe(recipe), picture); });
  }
  return read_raw(path);
}

template <class T, class Draw>
Tensor draw_tensor(const std::vector<int64_t>& extents, Draw draw) {
  return Tensor::make(data_type_of<T>(), extents, [&](std::byte* out) {
    auto* values = reinterpret_cast<T*>(out);
    for (int64_t i = 0, n = checked_product(extents); i < n; ++i) values[i] = static_cast<T>(draw(i));
  });
}

std::string extents_text(const std::vector<int64_t>& extents) { return Shape::of(extents).str(); }

Tensor fit(const Binding& binding, Tensor tensor, const std::vector<int64_t>& extents) {
  const bool raw = is_raw(tensor) && (binding.type.dtype != DataType::u8 || binding.type.shape.rank() != 1);
  if (raw) {
    const int64_t needed = checked_mul(checked_product(extents), element_bytes(binding.type.dtype));
    if (needed != tensor.byte_count())
      fail(Code::invalid_argument, "{} bytes are needed for {}, the raw file has {}", needed, binding.type.str(),
           tensor.byte_count());
    return Tensor::make(binding.type.dtype, extents, [&](std::byte* out) { std::copy_n(tensor.data(), needed, out); });
  }
  if (tensor.dtype() != binding.type.dtype)
    fail(Code::invalid_argument, "{} is accepted, the file holds {}", data_type_name(binding.type.dtype),
         tensor.type().str());
  return tensor;
}

// "image:crop=24,std=255" by name.
std::map<std::string, std::string> recipes_by_name(const std::vector<std::string>& recipes) {
  std::map<std::string, std::string> by_name;
  for (const std::string& text : recipes) {
    const size_t colon = text.find(':');
    if (colon == std::string::npos || colon == 0)
      throw UsageError("--image " + text + ": NAME:resize=256,crop=224,... is accepted");
    const std::string& recipe = by_name[text.substr(0, colon)] = text.substr(colon + 1);
    try {
      parse_image_recipe(recipe);
    } catch (const Error& error) {
      throw UsageError(fmt::format("--image {}: {}", text, error.what()));
    }
  }
  return by_name;
}

void read_archive(const std::string& argument, std::map<std::string, Tensor>& inputs) {
  const size_t equals = argument.find('=');
  auto members = read_npz(equals == std::string::npos ? argument : argument.substr(equals + 1));
  const std::string name = equals == std::string::npos ? "" : argument.substr(0, equals);
  if (name.empty()) return inputs.merge(members);
  auto at = members.find(name);
  if (at == members.end() && members.size() != 1)
    fail(Code::not_found, "--input {}: the archive has no member '{}'", argument, name);
  inputs[name] = at != members.end() ? at->second : members.begin()->second;
}

}  // namespace

bool is_raw(const Tensor& tensor) { return tensor.dtype() == DataType::u8 && tensor.rank() == 1; }

std::map<std::string, Tensor> read_inputs(const std::vector<std::string>& arguments,
                                          const std::vector<std::string>& recipes) {
  auto recipe_of = recipes_by_name(recipes);
  std::map<std::string, Tensor> inputs;
  for (const std::string& argument : arguments) {
    if (has_suffix(argument, {".npz"})) {
      read_archive(argument, inputs);
      continue;
    }
    const auto [name, path] = split_assignment("--input", argument);
    auto recipe = recipe_of.extract(name);
    const bool given = !recipe.empty();
    if (given && !is_picture(path)) fail(Code::invalid_argument, "--image {}: {} is no .jpg or .png", name, path);
    inputs[name] = read_input_file(path, given ? recipe.mapped() : "");
  }
  if (!recipe_of.empty())
    throw UsageError("--image " + recipe_of.begin()->first + ": no --input of that name is a picture");
  return inputs;
}

Tensor random_input(const std::string& name, DataType dtype, const std::vector<int64_t>& extents) {
  std::mt19937_64 bits(hash64(name));
  std::uniform_real_distribution<float> unit(0.f, 1.f);
  const bool mask = name.find("mask") != std::string::npos, position = name.find("position") != std::string::npos;
  const int64_t row = extents.empty() ? 1 : std::max<int64_t>(extents.back(), 1);
  const auto integer = [&](int64_t i) {
    return mask ? int64_t{1} : position ? i % row : static_cast<int64_t>(bits() % 100);
  };
  switch (dtype) {
    case DataType::f32:
      return draw_tensor<float>(extents, [&](int64_t) { return mask ? 1.f : unit(bits); });
    case DataType::f64:
      return draw_tensor<double>(extents, [&](int64_t) { return unit(bits); });
    case DataType::i32:
      return draw_tensor<int32_t>(extents, integer);
    case DataType::i64:
      return draw_tensor<int64_t>(extents, integer);
    case DataType::u8:
      return draw_tensor<uint8_t>(extents, integer);
    case DataType::i8:
      return draw_tensor<int8_t>(extents, integer);
    case DataType::boolean:
      return draw_tensor<bool>(extents, [&](int64_t) { return mask || (bits() & 1) != 0; });
    default:
      break;
  }
  if (dtype == DataType::f16 || dtype == DataType::bf16) {
    return Tensor::make(dtype, extents, [&](std::byte* out) {
      const TensorView view = make_view(out, dtype, extents);
      for (int64_t i = 0, n = view.element_count(); i < n; ++i) store_double(view, i, unit(bits));
    });
  }
  fail(Code::unsupported, "input '{}' of {} needs a file: --input {}=FILE", name, data_type_name(dtype), name);
}

Session::Session(Plan plan, std::shared_ptr<Device> device)
    : engine_(Engine::create(std::move(plan), std::move(device))),
      context_(with_context([&] { return fmt::format("memory of '{}'", engine_->plan().model); },
                            [&] { return engine_->create_context(); })) {}

// Extents at the profile's typical values.
std::vector<int64_t> Session::extents_for(const Binding& binding) const {
  SymbolValues typical;
  for (const auto& [name, info] : plan().profiles[0].symbols) typical[name] = info.range.opt;
  return binding.type.shape.evaluate(typical);
}

std::vector<std::string> Session::set_inputs(std::map<std::string, Tensor> given) {
  for (const auto& [name, tensor] : given) {
    const int index = engine_->binding_index(name);
    if (index >= 0 && plan().bindings[static_cast<size_t>(index)].is_input) continue;
    std::string known;
    for (const Binding& binding : plan().bindings)
      if (binding.is_input) known += (known.empty() ? "" : ", ") + binding.name + " " + binding.type.str();
    fail(Code::not_found, "the model has no input '{}'; it has: {}", name, known);
  }
  std::vector<std::string> made_up;
  for (const Binding& binding : plan().bindings) {
    if (!binding.is_input) continue;
    auto at = given.find(binding.name);
    if (at == given.end()) made_up.push_back(binding.name + " " + extents_text(extents_for(binding)));
    const auto extents = extents_for(binding);
    Tensor tensor = with_context([&] { return fmt::format("input '{}' {}", binding.name, extents_text(extents)); },
                                 [&] {
                                   return at != given.end() ? fit(binding, at->second, extents)
                                                            : random_input(binding.name, binding.type.dtype, extents);
                                 });
    context_->set_shape(binding.name, tensor.extents()).raise();
    context_->bind(binding.name, const_cast<std::byte*>(tensor.data()), static_cast<size_t>(tensor.byte_count()))
        .raise();
    inputs_[binding.name] = std::move(tensor);
  }
  bind_outputs();
  return made_up;
}

// Outputs whose extents depend on data stay unbound: the context owns them.
void Session::bind_outputs() {
  for (const Binding& binding : plan().bindings) {
    if (binding.is_input) continue;
    std::vector<int64_t> extents;
    if (!context_->extents(binding.name, extents).ok()) continue;
    const int64_t bytes = checked_mul(checked_product(extents), element_bytes(binding.type.dtype));
    auto memory = engine_->device().allocate(std::max<int64_t>(bytes, 1));
    context_->bind(binding.name, memory.get(), static_cast<size_t>(bytes)).raise();
    output_memory_[binding.name] = memory;
  }
}

void Session::run() { context_->enqueue().raise(); }

std::map<std::string, Tensor> Session::outputs() const {
  std::map<std::string, Tensor> tensors;
  for (const Binding& binding : plan().bindings) {
    if (binding.is_input) continue;
    std::vector<int64_t> extents;
    context_->extents(binding.name, extents).raise();
    auto at = output_memory_.find(binding.name);
    const void* data = at != output_memory_.end() ? at->second.get() : context_->output_data(binding.name);
    tensors[binding.name] = Tensor::make(binding.type.dtype, extents, [&](std::byte* out) {
      const int64_t bytes = checked_product(extents) * element_bytes(binding.type.dtype);
      std::copy_n(static_cast<const std::byte*>(data), bytes, out);
    });
  }
  return tensors;
}

}  // namespace planish::cli
