#include "cli/samples.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "cli/inputs.h"
#include "cli/npy.h"
#include "cli/npz.h"
#include "cli/options.h"

namespace planish::cli {
namespace {

namespace fs = std::filesystem;

// `wanted` of `count` positions, evenly spread.
std::set<size_t> spread(size_t count, size_t wanted) {
  std::set<size_t> taken;
  for (size_t i = 0; i < std::min(wanted, count); ++i) taken.insert(i * count / std::min(wanted, count));
  return taken;
}

std::vector<std::string> sample_files(const std::string& flag, const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string path = entry.path().string();
    const std::string ending = file_ending(path);
    if (entry.is_regular_file() && (is_picture(path) || ending == ".npy" || ending == ".npz")) files.push_back(path);
  }
  std::sort(files.begin(), files.end());
  if (files.empty()) fail(Code::not_found, "{} {}: the folder has no .jpg, .png, .npy or .npz", flag, folder);
  return files;
}

// Rows [first, first + rows) along the first axis.
Tensor rows_of(const Tensor& tensor, int64_t first, int64_t rows) {
  std::vector<int64_t> extents = tensor.extents();
  const int64_t bytes = tensor.byte_count() / extents[0];
  extents[0] = rows;
  return Tensor::make(tensor.dtype(), extents,
                      [&](std::byte* out) { std::copy_n(tensor.data() + first * bytes, rows * bytes, out); });
}

// Rows of a sample.
int64_t batch_of(const TensorType& type) {
  return type.shape.rank() > 0 && type.shape[0].is_constant() ? type.shape[0].value() : 1;
}

}  // namespace

InputTypes input_types(const Graph& graph) {
  InputTypes types;
  for (ValueId id : graph.inputs()) types.emplace_back(graph.value(id).name, graph.value(id).type);
  return types;
}

InputTypes input_types(const Plan& plan) {
  InputTypes types;
  for (const Binding& binding : plan.bindings)
    if (binding.is_input) types.emplace_back(binding.name, binding.type);
  return types;
}

struct Samples::State {
  InputTypes inputs;
  std::vector<std::string> images;
  std::vector<std::string> files;        // a sample each; or
  std::string archive;                   // one file
  std::map<std::string, Tensor> arrays;  // of so many
  int64_t samples = 0;
  std::vector<size_t> chosen;

  size_t count() const { return files.empty() ? static_cast<size_t>(samples) : files.size(); }

  const std::string& only_input(const std::string& file) const {
    if (inputs.size() != 1)
      fail(Code::invalid_argument, "{}: the network has {} inputs; an .npz with a member for each is accepted", file,
           inputs.size());
    return inputs[0].first;
  }

  void open_archive(const std::string& path) {
    archive = path;
    if (file_ending(path) == ".npz")
      arrays = read_npz(path);
    else
      arrays[only_input(path)] = read_npy(path);
    for (const auto& [name, type] : inputs) {
      const auto at = arrays.find(name);
      if (at == arrays.end()) fail(Code::not_found, "{}: the archive has no member '{}'", path, name);
      const auto& extents = at->second.extents();
      if (extents.empty() || extents[0] == 0) fail(Code::invalid_argument, "{}: '{}' holds no row", path, name);
      const int64_t held = extents[0] / std::max<int64_t>(batch_of(type), 1);
      if (samples != 0 && held != samples)
        fail(Code::invalid_argument, "{}: '{}' has {} samples, others {}", path, name, held, samples);
      samples = held;
      if (held == 0)
        fail(Code::invalid_argument, "{}: '{}' is {}, the input {}", path, name, at->second.type().str(), type.str());
    }
  }

  Sample from_file(const std::string& path) const {
    const std::string ending = file_ending(path);
    Sample sample;
    if (ending == ".npz") {
      sample = read_npz(path);
    } else if (ending == ".npy") {
      sample[only_input(path)] = read_npy(path);
    } else {
      const std::string name = images.empty() ? only_input(path) : images[0].substr(0, images[0].find(':'));
      for (auto& [input, value] : read_inputs({name + "=" + path}, images)) sample[input] = std::move(value.tensor);
    }
    return sample;
  }

  Sample at(size_t index) const {
    if (!files.empty()) return from_file(files[index]);
    Sample sample;
    for (const auto& [name, type] : inputs) {
      const Tensor& array = arrays.at(name);
      const int64_t rows = batch_of(type);
      sample[name] = rows_of(array, static_cast<int64_t>(index) * rows, rows);
    }
    return sample;
  }
};

Samples::Samples(const std::string& flag, const DataFlags& flags, InputTypes inputs) : state_(new State) {
  state_->inputs = std::move(inputs);
  state_->images = flags.images;
  if (flags.samples < 0 || flags.except < 0) throw UsageError("--samples, --except: 0 or more is accepted");
  if (fs::is_directory(flags.data))
    state_->files = sample_files(flag, flags.data);
  else if (const std::string ending = file_ending(flags.data); ending == ".npy" || ending == ".npz")
    with_context([&] { return flag; }, [&] { state_->open_archive(flags.data); });
  else
    fail(Code::not_found, "{} {}: a folder, an .npy or an .npz is accepted", flag, flags.data);
  const size_t count = state_->count();
  const auto left_out = spread(count, static_cast<size_t>(flags.except));
  std::vector<size_t> all;
  for (size_t i = 0; i < count; ++i)
    if (left_out.count(i) == 0) all.push_back(i);
  for (size_t i : spread(all.size(), flags.samples > 0 ? static_cast<size_t>(flags.samples) : all.size()))
    state_->chosen.push_back(all[i]);
}

Samples::~Samples() = default;

int Samples::count() const { return static_cast<int>(state_->chosen.size()); }

std::string Samples::name(int index) const {
  const size_t at = state_->chosen.at(static_cast<size_t>(index));
  return state_->files.empty() ? fmt::format("{}[{}]", state_->archive, at)
                               : fs::path(state_->files[at]).filename().string();
}

Sample Samples::at(int index) const {
  return with_context([&] { return name(index); },
                      [&] { return state_->at(state_->chosen.at(static_cast<size_t>(index))); });
}

SampleSource Samples::source() const {
  return [this, next = 0]() mutable -> std::optional<Sample> {
    if (next == count()) return std::nullopt;
    return at(next++);
  };
}

}  // namespace planish::cli
