#include "importers/onnx/import.h"

#include <filesystem>

#include "base/file.h"
#include "base/log.h"
#include "importers/onnx/graph/census.h"
#include "importers/onnx/graph/inputs.h"

namespace planish::onnx {
namespace {

constexpr int64_t kNewestOpset = 28;

Graph import_model(const wire::Model& model, const ImportOptions& options) {
  if (const auto at = model.opsets.find(""); at->second < 1 || at->second > kNewestOpset)
    fail(Code::unsupported, "the model is written for opset {}; 1 to {} are accepted", at->second, kNewestOpset);
  if (model.graph.outputs.empty()) fail(Code::invalid_model, "the graph has no outputs; at least one is accepted");
  if (const auto missing = census_of(model); !missing.empty()) fail_unsupported(missing);
  Graph graph;
  graph.name = model.graph.name;
  int64_t bodies = 0;
  GraphImporter importer(model, model.opsets, graph, bodies);
  importers::OpenInputs open = import_inputs(model.graph, options, graph, importer);
  if (options.open != nullptr) *options.open = open;
  if (options.keep_dynamic) open.clear();
  try {
    importer.import_body(model.graph);
  } catch (Error& error) {
    if (!open.empty()) error.add_context("no shape was given, " + importers::text_of(open));
    throw;
  }
  if (!open.empty() && options.open == nullptr)
    log(importers::only_batches(open) ? Severity::info : Severity::warning, "no shape was given: {}",
        importers::text_of(open));
  graph.remove_dead();
  return graph;
}

std::string folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

}  // namespace

Graph import_file(const std::string& path, const ImportOptions& options) {
  return with_context([&] { return path; },
                      [&] {
                        const FileMap file = FileMap::open(path);
                        return import_model(wire::read_model(file.bytes(), {folder_of(path), file.owner()}), options);
                      });
}

Graph import_bytes(std::span<const std::byte> bytes, const std::string& name, const ImportOptions& options,
                   const std::string& path) {
  return with_context([&] { return name; },
                      [&] {
                        if (path.empty()) return import_model(wire::read_model(bytes, {}), options);
                        return import_model(wire::read_model(bytes, {folder_of(path), nullptr}), options);
                      });
}

std::vector<UnsupportedNode> unsupported(const std::string& path) {
  return with_context([&] { return path; },
                      [&] {
                        const FileMap file = FileMap::open(path);
                        return census_of(wire::read_model(file.bytes(), {folder_of(path), file.owner()}));
                      });
}

Tensor read_tensor(std::span<const std::byte> bytes) {
  return wire::read_tensor({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, {});
}

Tensor read_tensor_file(const std::string& path) {
  return with_context([&] { return path; }, [&] { return read_tensor(FileMap::open(path).bytes()); });
}

}  // namespace planish::onnx
