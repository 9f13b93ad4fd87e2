#include "cli/inputs.h"

#include <algorithm>
#include <cctype>
#include <random>

#include "base/checked.h"
#include "base/file.h"
#include "cli/image.h"
#include "cli/npy.h"
#include "cli/npz.h"
#include "cli/options.h"
#include "importers/onnx/import.h"

namespace planish::cli {
namespace {

Tensor read_raw(const std::string& path) {
  const FileMap file = FileMap::open(path);
  return Tensor::wrap(DataType::u8, {static_cast<int64_t>(file.bytes().size())}, file.bytes().data(), file.owner());
}

Input read_input_file(const std::string& path, const std::string& recipe) {
  const std::string ending = file_ending(path);
  if (ending == ".npy") return {read_npy(path), path};
  if (ending == ".pb") return {onnx::read_tensor_file(path), path};
  if (!is_picture(path)) return {read_raw(path), path, true};
  Picture picture = read_picture(path);
  return {with_context([&] { return path; }, [&] { return apply(parse_image_recipe(recipe), std::move(picture)); }),
          path};
}

template <class T, class Draw>
Tensor draw_tensor(const std::vector<int64_t>& extents, Draw draw) {
  return Tensor::make(data_type_of<T>(), extents, [&](std::byte* out) {
    auto* values = reinterpret_cast<T*>(out);
    for (int64_t i = 0, n = checked_product(extents); i < n; ++i) values[i] = static_cast<T>(draw(i));
  });
}

// "image:crop=24,std=255" by name.
std::map<std::string, std::string> recipes_by_name(const std::vector<std::string>& recipes) {
  std::map<std::string, std::string> by_name;
  for (const std::string& text : recipes) {
    const size_t colon = text.find(':');
    if (colon == std::string::npos || colon == 0)
      throw UsageError("--image " + text + ": NAME:resize=256,crop=224,... is accepted");
    const auto [at, fresh] = by_name.emplace(text.substr(0, colon), text.substr(colon + 1));
    if (!fresh) throw UsageError(fmt::format("--image {}: '{}' has a recipe already", text, at->first));
    try {
      parse_image_recipe(at->second);
    } catch (const Error& error) {
      throw UsageError(fmt::format("--image {}: {}", text, error.what()));
    }
  }
  return by_name;
}

// NAME and FILE of --input; the name is empty where an archive stands alone.
std::pair<std::string, std::string> parse_input(const std::string& argument) {
  const size_t equals = argument.find('=');
  if (equals == std::string::npos && file_ending(argument) == ".npz") return {"", argument};
  if (equals == std::string::npos || equals == 0 || equals + 1 == argument.size())
    throw UsageError(fmt::format("--input {}: NAME=FILE or NAME=NUMBER is accepted", argument));
  return {argument.substr(0, equals), argument.substr(equals + 1)};
}

void add_input(Inputs& inputs, const std::string& argument, const std::string& name, Input input) {
  if (!inputs.emplace(name, std::move(input)).second)
    throw UsageError(fmt::format("--input {}: '{}' has a value already", argument, name));
}

void read_archive(const std::string& argument, const std::string& name, const std::string& path, Inputs& inputs) {
  auto members = read_npz(path);
  if (name.empty()) {
    for (auto& [member, tensor] : members) add_input(inputs, argument, member, {std::move(tensor), path});
    return;
  }
  auto at = members.find(name);
  if (at == members.end() && members.size() != 1)
    fail(Code::not_found, "{}: the archive has no member '{}'", path, name);
  add_input(inputs, argument, name, {at != members.end() ? at->second : members.begin()->second, path});
}

}  // namespace

std::string file_ending(const std::string& path) {
  const size_t dot = path.rfind('.'), slash = path.rfind('/');
  if (dot == std::string::npos || (slash != std::string::npos && dot < slash)) return {};
  std::string ending = path.substr(dot);
  for (char& c : ending) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return ending;
}

bool is_picture(const std::string& path) {
  const std::string ending = file_ending(path);
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

Inputs read_inputs(const std::vector<std::string>& arguments, const std::vector<std::string>& recipes) {
  auto recipe_of = recipes_by_name(recipes);
  Inputs inputs;
  for (const std::string& argument : arguments) {
    const auto [name, path] = parse_input(argument);
    if (const auto number = read_number(path)) {
      add_input(inputs, argument, name, {{}, "--input " + argument, false, number});
      continue;
    }
    if (file_ending(path) == ".npz") {
      read_archive(argument, name, path, inputs);
      continue;
    }
    auto recipe = recipe_of.extract(name);
    const bool given = !recipe.empty();
    if (given && !is_picture(path)) fail(Code::invalid_argument, "--image {}: {} is no .jpg or .png", name, path);
    add_input(inputs, argument, name, read_input_file(path, given ? recipe.mapped() : ""));
  }
  if (!recipe_of.empty())
    throw UsageError("--image " + recipe_of.begin()->first + ": no --input of that name is a picture");
  return inputs;
}

std::string input_file(const std::string& argument) {
  const std::string value = parse_input(argument).second;
  return read_number(value) ? "" : value;
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

}  // namespace planish::cli
