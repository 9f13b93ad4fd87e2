#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <protozero/pbf_writer.hpp>
#include <random>

#include "base/error.h"
#include "base/file.h"
#include "importers/onnx/import.h"
#include "importers/onnx/importer.h"
#include "ops/builder.h"

namespace planish {
namespace {

using Writer = protozero::pbf_writer;
std::span<const std::byte> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

std::string demo_path() { return std::string(PLANISH_TESTS_DIR) + "/../demo/digits.onnx"; }

void write_node(Writer& graph, const char* op, std::initializer_list<const char*> in, const char* out) {
  Writer node(graph, 1);
  for (const char* name : in) node.add_string(1, name);
  node.add_string(2, out);
  node.add_string(3, std::string("node_") + out);
  node.add_string(4, op);
}

void write_value(Writer& graph, int field, const char* name, std::initializer_list<int64_t> dims,
                 const std::string& symbol = {}) {
  Writer value(graph, static_cast<protozero::pbf_tag_type>(field));
  value.add_string(1, name);
  Writer type(value, 2);
  Writer tensor(type, 1);
  tensor.add_int32(1, 1);
  Writer shape(tensor, 2);
  int axis = 0;
  for (int64_t dim : dims) {
    Writer entry(shape, 1);
    if (symbol.empty()) entry.add_int64(1, dim);
    if (!symbol.empty()) entry.add_string(2, symbol + std::to_string(++axis));
  }
}

struct TensorSpec {
  std::vector<int64_t> dims;
  std::string raw;
  int dtype = 1;
  std::string location;
};

void write_tensor(Writer& graph, const char* name, const TensorSpec& spec) {
  Writer tensor(graph, 5);
  for (int64_t dim : spec.dims) tensor.add_int64(1, dim);
  tensor.add_int32(2, spec.dtype);
  tensor.add_string(8, name);
  if (spec.location.empty()) {
    tensor.add_string(9, spec.raw);
    return;
  }
  {
    Writer entry(tensor, 13);
    entry.add_string(1, "location");
    entry.add_string(2, spec.location);
  }
  tensor.add_int32(14, 1);
}

template <class Body>
std::string model(Body body) {
  std::string out;
  Writer writer(out);
  writer.add_int64(1, 8);
  {
    Writer graph(writer, 7);
    body(graph);
  }
  Writer opset(writer, 8);
  opset.add_int64(2, 17);
  opset.commit();
  return out;
}

std::string model_with(const TensorSpec& spec) {
  return model([&](Writer& graph) {
    write_value(graph, 11, "x", {1});
    write_tensor(graph, "w", spec);
    write_node(graph, "Add", {"x", "w"}, "y");
    write_value(graph, 12, "y", {1});
  });
}

std::string message_of(const std::string& bytes) {
  try {
    onnx::import_bytes(bytes_of(bytes), "test.onnx");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Onnx, ImportsWithNamesKept) {
  const Graph graph = onnx::import_file(demo_path());
  verify(graph);
  EXPECT_EQ(graph.value(graph.outputs()[0]).name, "scores");
  bool found = false;
  for (NodeId id : graph.nodes()) found = found || graph.node(id).name == "conv1";
  EXPECT_TRUE(found);
}

TEST(Onnx, DynamicExtentsBecomeSymbols) {
  const Graph graph = onnx::import_file(demo_path(), {{{"image", {{1, 2, 8}, {1, 1, 1}, {8, 8, 8}, {8, 8, 8}}}}});
  EXPECT_EQ(graph.value(graph.outputs()[0]).type.str(), "f32[N,10]");
}

TEST(Onnx, GoodModelImports) { EXPECT_EQ(message_of(model_with({{1}, std::string(4, '\0'), 1, ""})), ""); }

TEST(Onnx, MalformedTensorsAreRefusedByName) {
  const std::string four(4, '\0');
  EXPECT_NE(message_of(model_with({{-1}, four, 1, ""})).find("'w'"), std::string::npos);
  EXPECT_NE(message_of(model_with({{int64_t{1} << 62, 8}, four, 1, ""})).find("overflow"), std::string::npos);
  EXPECT_NE(message_of(model_with({{3}, four, 1, ""})).find("12 bytes"), std::string::npos);
  EXPECT_NE(message_of(model_with({{1}, four, 77, ""})).find("77"), std::string::npos);
  EXPECT_NE(message_of(model_with({{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, four, 1, ""})).find("rank 12"),
            std::string::npos);
}

TEST(Onnx, ExternalDataStaysInItsFolder) {
  const auto folder = std::filesystem::temp_directory_path() / ("planish_onnx_" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "data.bin") << "abcd";
  std::filesystem::create_symlink(folder / "data.bin", folder / "link.bin");
  const auto import = [&](const std::string& location) {
    const std::string path = folder / "m.onnx";
    write_file_atomic(path, model_with({{1}, "", 1, location}));
    onnx::import_file(path);
  };
  EXPECT_NO_THROW(import("data.bin"));
  for (const char* location : {"../data.bin", "/etc/passwd", "link.bin", "missing.bin", ".", "./../x"})
    EXPECT_THROW(import(location), Error) << location;
  std::filesystem::create_hard_link(folder / "data.bin", folder / "hard.bin");
  EXPECT_THROW(import("hard.bin"), Error);
  std::filesystem::remove_all(folder);
}

TEST(Onnx, TwoImportersOfOneOperatorAreRefused) {
  onnx::ImporterTable table;
  table.add("Quux", nullptr);
  EXPECT_THROW(table.add("Quux", nullptr), Error);
}

TEST(Onnx, ConstantsGiveResultsTheirNames) {
  const Graph graph = [] {
    const std::string bytes = model([](Writer& g) {
      write_value(g, 11, "x", {1});
      write_tensor(g, "y", {{1}, std::string(4, '\0'), 1, ""});
      write_node(g, "Add", {"x", "y"}, "z");
      write_value(g, 12, "y", {1});
      write_value(g, 12, "z", {1});
    });
    return onnx::import_bytes(bytes_of(bytes), "test.onnx");
  }();
  EXPECT_EQ(graph.value(graph.outputs()[0]).name, "y");
  EXPECT_EQ(graph.value(graph.outputs()[1]).name, "z");
}

// The extents of a summed label may turn out to differ.
TEST(Onnx, EinsumOfSymbolsIsGuarded) {
  const std::string bytes = model([](Writer& g) {
    write_value(g, 11, "a", {-1, -1});
    write_value(g, 11, "b", {-1, -1});
    {
      Writer node(g, 1);
      for (const char* name : {"a", "b"}) node.add_string(1, name);
      node.add_string(2, "y");
      node.add_string(4, "Einsum");
      Writer attribute(node, 5);
      attribute.add_string(1, "equation");
      attribute.add_string(4, "ij,ij->");
      attribute.add_int32(20, 3);
    }
    write_value(g, 12, "y", {});
  });
  const DimRange range{1, 2, 8};
  const Graph graph =
      onnx::import_bytes(bytes_of(bytes), "test.onnx", {{{"a", {range, range}}, {"b", {range, range}}}});
  ASSERT_GE(graph.guards.size(), 2u);
  EXPECT_EQ(graph.guards[0].left.str() + " " + graph.guards[0].right.str(), "a.0 b.0");
  EXPECT_EQ(graph.guards[1].left.str() + " " + graph.guards[1].right.str(), "a.1 b.1");
}

TEST(Onnx, GraphErrorsNameTheNode) {
  const auto broken = [](auto body) {
    return message_of(model([&](Writer& graph) {
      write_value(graph, 11, "x", {2});
      body(graph);
      write_value(graph, 12, "y", {2});
    }));
  };
  EXPECT_NE(broken([](Writer& g) { write_node(g, "Relu", {"z"}, "y"); }).find("'z'"), std::string::npos);
  EXPECT_NE(broken([](Writer& g) {
              write_node(g, "Relu", {"q"}, "y");
              write_node(g, "Relu", {"y"}, "q");
            }).find("cycle"),
            std::string::npos);
  EXPECT_NE(broken([](Writer& g) {
              write_node(g, "Relu", {"x"}, "y");
              write_node(g, "Relu", {"x"}, "y");
            }).find("twice"),
            std::string::npos);
  const std::string table = broken([](Writer& g) {
    write_node(g, "Quux", {"x"}, "a");
    write_node(g, "Frob", {"a"}, "y");
  });
  EXPECT_NE(table.find("Quux"), std::string::npos);
  EXPECT_NE(table.find("Frob"), std::string::npos);
}

void write_scalar(Writer& graph, int field, const char* name, int dtype) {
  Writer value(graph, static_cast<protozero::pbf_tag_type>(field));
  value.add_string(1, name);
  Writer type(value, 2);
  Writer tensor(type, 1);
  tensor.add_int32(1, dtype);
  const Writer shape(tensor, 2);
}

// A body that hands everything on, for as long as its condition is true.
void write_endless_loop(Writer& graph) {
  Writer node(graph, 1);
  for (const char* name : {"", "go", "x"}) node.add_string(1, name);
  node.add_string(2, "y");
  node.add_string(3, "spin");
  node.add_string(4, "Loop");
  Writer attribute(node, 5);
  attribute.add_string(1, "body");
  {
    Writer body(attribute, 6);
    write_scalar(body, 11, "i", 7);
    write_scalar(body, 11, "on", 9);
    write_value(body, 11, "s", {2});
    write_scalar(body, 12, "on", 9);
    write_value(body, 12, "s", {2});
  }
  attribute.add_int32(20, 5);
}

TEST(Onnx, EndlessLoopsAreRefused) {
  const std::string message = message_of(model([](Writer& graph) {
    write_value(graph, 11, "x", {2});
    write_tensor(graph, "go", {{}, std::string(1, '\1'), 9, ""});
    write_endless_loop(graph);
    write_value(graph, 12, "y", {2});
  }));
  EXPECT_NE(message.find("'spin'"), std::string::npos) << message;
  EXPECT_NE(message.find("never ends"), std::string::npos) << message;
}

TEST(Onnx, TurnsOfALoopShareItsConstants) {
  const std::string bytes = model([](Writer& graph) {
    write_value(graph, 11, "x", {2});
    write_tensor(graph, "trips", {{}, std::string("\3\0\0\0\0\0\0\0", 8), 7, ""});
    {
      Writer node(graph, 1);
      for (const char* name : {"trips", "", "x"}) node.add_string(1, name);
      node.add_string(2, "y");
      node.add_string(4, "Loop");
      Writer attribute(node, 5);
      attribute.add_string(1, "body");
      {
        Writer body(attribute, 6);
        write_scalar(body, 11, "i", 7);
        write_scalar(body, 11, "on", 9);
        write_value(body, 11, "s", {2});
        write_tensor(body, "w", {{2}, std::string(8, '\1'), 1, ""});
        write_node(body, "Add", {"s", "w"}, "next");
        write_scalar(body, 12, "on", 9);
        write_value(body, 12, "next", {2});
      }
      attribute.add_int32(20, 5);
    }
    write_value(graph, 12, "y", {2});
  });
  const Graph graph = onnx::import_bytes(bytes_of(bytes), "test.onnx");
  const auto weights = graph.find_value("w");
  ASSERT_TRUE(weights.has_value());
  EXPECT_EQ(graph.users(*weights).size(), 3u);
  EXPECT_FALSE(graph.find_value("w.1").has_value());
}

TEST(Onnx, EveryTruncationAndRandomFlipsAreSafe) {
  const std::string good = read_file(demo_path());
  for (size_t size = 0; size < good.size(); size += 7) message_of(good.substr(0, size));
  std::mt19937 random(8);
  for (int i = 0; i < 20000; ++i) {
    std::string damaged = good;
    damaged[random() % damaged.size()] ^= static_cast<char>(1 << (random() % 8));
    message_of(damaged);
  }
}

// What an importer, and not inference, takes as equal.
TEST(Import, EinsumHoldsExtentsAgainstEachOther) {
  std::string text;
  {
    Writer model(text);
    model.add_int64(1, 8);
    Writer(model, 8).add_int64(2, 17);
    Writer graph(model, 7);
    {
      Writer node(graph, 1);
      for (const char* name : {"a", "b"}) node.add_string(1, name);
      node.add_string(2, "y");
      node.add_string(4, "Einsum");
      Writer equation(node, 5);
      equation.add_string(1, "equation");
      equation.add_string(4, "ij,ij->");
      equation.add_int32(20, 3);
    }
    for (const char* name : {"a", "b"}) write_value(graph, 11, name, {0, 0}, name);
    write_value(graph, 12, "y", {});
  }
  onnx::ImportOptions options;
  for (const char* name : {"a", "b"}) options.input_shapes[name] = {{1, 2, 4}, {1, 2, 4}};
  const Graph graph = onnx::import_bytes(bytes_of(text), "einsum", options);
  const auto stated = [](const Guard& guard) { return guard.where.find("(Einsum)") != std::string::npos; };
  EXPECT_EQ(std::count_if(graph.guards.begin(), graph.guards.end(), stated), 2);
  EXPECT_EQ(graph.clone().guards, graph.guards);
}

}  // namespace
}  // namespace planish
