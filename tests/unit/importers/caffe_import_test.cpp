// Networks as a whole: formats of layers, phases, weights, shapes, and what is refused.

#include <gtest/gtest.h>

#include <protozero/pbf_writer.hpp>

#include "importers/caffe/import.h"
#include "ops/builder.h"

namespace planish::caffe_networks {
namespace {

using Writer = protozero::pbf_writer;

std::span<const std::byte> raw(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

caffe::Imported imported(const std::string& text, const std::string* weights = nullptr,
                         caffe::ImportOptions options = {}) {
  const caffe::Source network{"net.prototxt", raw(text), nullptr};
  if (weights == nullptr) return caffe::import_network(network, nullptr, options);
  const caffe::Source learned{"net.caffemodel", raw(*weights), nullptr};
  return caffe::import_network(network, &learned, options);
}

std::string why(const std::string& text, const std::string* weights = nullptr, caffe::ImportOptions options = {}) {
  try {
    imported(text, weights, std::move(options));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

constexpr const char* kInput = "input: 'x' input_dim: 2 input_dim: 3 input_dim: 4 input_dim: 4\n";
std::string with_input(const std::string& layers) { return kInput + layers; }
std::string type_of(const Graph& graph, const std::string& value) {
  return graph.value(graph.find_value(value).value()).type.str();
}

const std::string kProduct =
    with_input("layer { name: 'fc' type: 'InnerProduct' bottom: 'x' top: 'y' inner_product_param { num_output: 2 } }");

// The kinds in which the elements of a blob may stand.
enum class As { packed, loose, doubles, half };

void add_blob(Writer& layer, protozero::pbf_tag_type tag, const std::vector<int64_t>& extents, As as = As::packed,
              bool legacy = false) {
  int64_t count = 1;
  for (int64_t extent : extents) count *= extent;
  const std::vector<float> values(static_cast<size_t>(count), 0.5F);
  Writer blob(layer, tag);
  for (size_t i = 0; legacy && i < extents.size(); ++i)
    blob.add_int32(static_cast<uint32_t>(i + 1), static_cast<int32_t>(extents[i]));
  if (!legacy) {
    Writer shape(blob, 7);
    shape.add_packed_int64(1, extents.begin(), extents.end());
  }
  if (as == As::packed) blob.add_packed_float(5, values.begin(), values.end());
  if (as == As::doubles) blob.add_packed_double(8, values.begin(), values.end());
  for (size_t i = 0; as == As::loose && i < values.size(); ++i) blob.add_float(5, values[i]);
  if (as == As::half) {
    blob.add_int32(10, 2);
    std::string bytes;
    for (size_t i = 0; i < values.size(); ++i) bytes += std::string("\x00\x38", 2);
    blob.add_bytes(12, bytes);
  }
}

template <class Body>
std::string layer_bytes(bool v1, const std::string& name, Body body) {
  std::string out;
  Writer net(out);
  Writer layer(net, v1 ? 2 : 100);
  layer.add_string(v1 ? 4 : 1, name);
  body(layer);
  layer.commit();
  return out;
}

std::string product_weights(As as = As::packed, bool v1 = false) {
  return layer_bytes(v1, "fc", [&](Writer& layer) {
    add_blob(layer, v1 ? 6 : 7, v1 ? std::vector<int64_t>{1, 1, 2, 48} : std::vector<int64_t>{2, 48}, as, v1);
    add_blob(layer, v1 ? 6 : 7, v1 ? std::vector<int64_t>{1, 1, 1, 2} : std::vector<int64_t>{2}, as, v1);
  });
}

TEST(Caffe, WeightsStandInManyForms) {
  for (As as : {As::packed, As::loose, As::doubles, As::half})
    for (bool v1 : {false, true}) {
      const std::string weights = product_weights(as, v1);
      const Graph graph = imported(kProduct, &weights).graph;
      const Value& blob = graph.value(graph.find_value("fc.0").value());
      EXPECT_EQ(blob.type.str(), "f32[2,48]");
      for (float value : blob.constant.as<float>()) ASSERT_EQ(value, 0.5F);
    }
}

TEST(Caffe, OldLayersAreUpgraded) {
  const std::string weights = product_weights(As::packed, true);
  const Graph graph = imported(with_input("layers { name: 'fc' type: INNER_PRODUCT bottom: 'x' top: 'y' blobs_lr: 1 "
                                          "inner_product_param { num_output: 2 } }\n"
                                          "layers { name: 'r' type: RELU bottom: 'y' top: 'y' }"),
                               &weights)
                          .graph;
  EXPECT_EQ(graph.value(graph.outputs()[0]).name, "y");
  EXPECT_EQ(graph.node(graph.value(graph.outputs()[0]).producer).op.str(), "relu");
}

TEST(Caffe, PhasesChooseLayers) {
  const auto chosen = [](const std::string& rule) {
    const Graph graph = imported(with_input("state { level: 2 stage: 'a' }\n"
                                            "layer { name: 'keep' type: 'AbsVal' bottom: 'x' top: 'z' }\n"
                                            "layer { name: 'l' type: 'TanH' bottom: 'x' top: 'y' " +
                                            rule + " }"))
                            .graph;
    return graph.outputs().size() == 2;
  };
  EXPECT_TRUE(chosen(""));
  EXPECT_TRUE(chosen("include { phase: TEST }"));
  EXPECT_FALSE(chosen("include { phase: TRAIN }"));
  EXPECT_TRUE(chosen("include { phase: TRAIN } include { min_level: 2 }"));
  EXPECT_FALSE(chosen("include { max_level: 1 }"));
  EXPECT_TRUE(chosen("include { stage: 'a' }"));
  EXPECT_FALSE(chosen("include { stage: 'a' stage: 'b' }"));
  EXPECT_FALSE(chosen("exclude { phase: TEST }"));
  EXPECT_TRUE(chosen("exclude { phase: TRAIN }"));
  EXPECT_FALSE(chosen("include { not_stage: 'a' }"));
}

TEST(Caffe, BlobsAreFoundByName) {
  caffe::ImportOptions options;
  options.mark_outputs = false;
  const auto result = imported(with_input("layer { name: 'a' type: 'TanH' bottom: 'x' top: 'y' }\n"
                                          "layer { name: 'b' type: 'ReLU' bottom: 'y' top: 'y' }\n"
                                          "layer { name: 'c' type: 'Dropout' bottom: 'y' top: 'z' }\n"
                                          "layer { name: 'd' type: 'AbsVal' bottom: 'x' top: 'x' }\n"
                                          "layer { name: 'e' type: 'Split' bottom: 'x' top: 'p' top: 'q' }"),
                               nullptr, options);
  const auto op = [&](const std::string& blob) {
    return result.graph.node(result.graph.value(result.blobs.at(blob)).producer).op.str();
  };
  EXPECT_TRUE(result.graph.outputs().empty());
  EXPECT_EQ(op("y"), "relu");
  EXPECT_EQ(result.graph.value(result.blobs.at("y")).name, "y");
  EXPECT_EQ(op("x"), "abs");
  EXPECT_EQ(op("z"), "identity");
  for (const char* name : {"z", "p", "q"}) EXPECT_EQ(result.graph.value(result.blobs.at(name)).name, name);
  verify(result.graph);
}

TEST(Caffe, ExtentsOfInputsMayBeOthers) {
  const std::string text =
      with_input("layer { name: 'a' type: 'Reshape' bottom: 'x' top: 'y' reshape_param { shape { dim: 0 dim: -1 } } }");
  EXPECT_EQ(type_of(imported(text).graph, "y"), "f32[2,48]");
  caffe::ImportOptions options;
  options.input_shapes["x"] = {{5, 5, 5}, {3, 3, 3}, {4, 4, 4}, {4, 4, 4}};
  EXPECT_EQ(type_of(imported(text, nullptr, options).graph, "y"), "f32[5,48]");
  options.input_shapes["x"][0] = {1, 2, 8};
  EXPECT_EQ(type_of(imported(text, nullptr, options).graph, "y"), "f32[x.0,48]");
  options.input_shapes["x"].pop_back();
  EXPECT_EQ(why(text, nullptr, options), "net.prototxt: input 'x' has rank 4, a shape of rank 3 was given");
  EXPECT_EQ(why(text, nullptr, {.input_shapes = {{"z", {}}}}),
            "net.prototxt: the model has no input 'z'; it has: x f32[2,3,4,4]");
}

TEST(Caffe, MadeWeightsAreTheSameEachTime) {
  caffe::ImportOptions options;
  options.random_weights = true;
  const auto first = imported(kProduct, nullptr, options), again = imported(kProduct, nullptr, options);
  EXPECT_TRUE(equal(first.graph, again.graph));
  options.most_random = 50;
  EXPECT_NE(why(kProduct, nullptr, options).find("random weights [2,48]"), std::string::npos);
}

TEST(Caffe, CallersMakeLayersOfTheirOwn) {
  const std::string weights = product_weights();
  caffe::ImportOptions options;
  options.custom = [](Graph& graph, const caffe::CustomLayer& layer) -> std::optional<std::vector<ValueId>> {
    if (layer.type != "Mine") return std::nullopt;
    EXPECT_EQ(layer.blobs.size(), 2U);
    return std::vector{add_op(graph, "neg", {layer.inputs[0]}, {}, layer.name)};
  };
  const Graph graph =
      imported(with_input("layer { name: 'fc' type: 'Mine' bottom: 'x' top: 'y' }"), &weights, options).graph;
  EXPECT_EQ(graph.node(graph.value(graph.outputs()[0]).producer).op.str(), "neg");
}

TEST(Caffe, MeansAreRead) {
  std::string bytes;
  Writer blob(bytes);
  for (uint32_t i = 1; i <= 4; ++i) blob.add_int32(i, i < 3 ? 1 : 2);
  const float values[] = {1, 2, 3, 4};
  blob.add_packed_float(5, values, values + 4);
  const Tensor mean = caffe::read_blob({"mean.binaryproto", raw(bytes), nullptr});
  EXPECT_EQ(mean.extents(), (std::vector<int64_t>{1, 1, 2, 2}));
  EXPECT_EQ(mean.as<float>()[3], 4);
  bytes.resize(bytes.size() - 1);
  EXPECT_THROW(caffe::read_blob({"mean.binaryproto", raw(bytes), nullptr}), Error);
}

TEST(Caffe, RefusalsNameLayerAndLine) {
  const auto layer = [](const std::string& type, const std::string& rest) {
    return with_input("layer { name: 'l' type: '" + type + "' bottom: 'x' top: 'y' " + rest + " }");
  };
  const std::string at = "net.prototxt: importing layer 'l' (", line = ", line 2): ";
  const std::pair<std::string, std::string> cases[] = {
      {"layer { name: 'l' type: 'TanH' bottom: 'x' top: 'y' }",
       "net.prototxt: importing layer 'l' (TanH, line 1): it reads the blob 'x', which no layer before it gives"},
      {with_input("layer { name: 'l' type: 'TanH' bottom: 'X1' top: 'y' }"),
       at + "TanH" + line + "it reads the blob 'X1', which no layer before it gives"},
      {with_input("layer { name: 'l' type: 'TanH' bottom: 'x' top: 'y' top: 'z' }"),
       at + "TanH" + line + "2 tops; 1 top are accepted"},
      {with_input("layer { name: 'l' type: 'Eltwise' bottom: 'x' top: 'y' }"),
       at + "Eltwise" + line + "1 bottoms; 2 or more bottoms are accepted"},
      {kProduct,
       "net.prototxt: the network has layers that learn, and no weights are given; a .caffemodel is accepted, or "
       "random weights"},
      {layer("Reshape", "reshape_param { shape { dim: 5 } }"),
       at + "Reshape" + line + "node 'l' (reshape): [2,3,4,4] has 96 elements, [5] has 5"},
      {layer("Slice", "slice_param { slice_point: 7 } top: 'z'"),
       at + "Slice" + line + "slice_point 7 behind 0 of an extent of 3"},
      {layer("Pooling", "pooling_param { pool: STOCHASTIC kernel_size: 2 }"),
       at + "Pooling" + line + "pool STOCHASTIC; MAX and AVE are accepted"},
      {layer("Pooling", "pooling_param { pool: MAX }"),
       at + "Pooling" + line + "neither kernel_size nor kernel_h and kernel_w are given"},
      {layer("LRN", "lrn_param { local_size: 4 }"), at + "LRN" + line + "local_size is 4; odd ones are accepted"},
      {layer("Permute", "permute_param { order: 1 order: 1 }"),
       at + "Permute" + line + "order names axis 1 of f32[2,3,4,4], which it lacks or which is named before"},
      {with_input("layer { name: 'l' type: 'TanH' bottom: 'x' top: 'y' }\nlayer { name: 'm' type: 'TanH' bottom: 'x' "
                  "top: 'y' }"),
       "net.prototxt: importing layer 'm' (TanH, line 3): it gives the blob 'y', which is there already; it may be "
       "rewritten in place alone"},
      {"input: 'x' input_dim: 1 input_dim: 2",
       "net.prototxt: 1:1: 2 values input_dim for 1 inputs; four for each are accepted"},
      {"input: 'x' input_shape { dim: -4 }", "net.prototxt: 1:1: input 'x' has an extent of -4"},
      {with_input("layers { layer { name: 'c' type: 'conv' } }"),
       "net.prototxt: 2:8: a layer in the format of 2013 ('layers { layer { … } }'); Caffe's upgrade_net_proto_text "
       "brings it to a newer one"},
      {with_input("layer { name: 'q' bottom: 'x' top: 'y' }"), "net.prototxt: 2:7: layer 'q' has no type"},
      {with_input(
           "layer { name: 'd' type: 'Data' top: 'y' }\nlayer { name: 'c' type: 'Convolutoin' bottom: 'x' top: 'z' }"),
       "net.prototxt: the model needs operators that are missing:\n"
       "  Convolutoin                   1 nodes, first 'c': no importer for this type of layer (did you mean "
       "'Convolution'?)\n"
       "  Data                          1 nodes, first 'd': reads a data set; a network to deploy has layers of type "
       "Input, or 'input:'"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(why(text), expected) << text;
}

TEST(Caffe, WeightsThatDoNotFit) {
  const auto with = [&](auto body, const char* name = "fc") {
    const std::string weights = layer_bytes(false, name, body);
    return why(kProduct, &weights);
  };
  const std::string at = "net.prototxt: importing layer 'fc' (InnerProduct, line 2): ";
  EXPECT_EQ(with([](Writer& layer) {
              add_blob(layer, 7, {2, 48});
            }),
            at + "1 blobs in the weights' file, the layer takes 2");
  EXPECT_EQ(with([](Writer& layer) {
              add_blob(layer, 7, {2, 49});
              add_blob(layer, 7, {2});
            }),
            at + "blob 0: [2,49] in the weights' file, the layer takes [2,48]");
  EXPECT_EQ(with(
                [](Writer& layer) {
                  add_blob(layer, 7, {2, 48});
                },
                "other"),
            "net.prototxt: net.caffemodel has no weights for 'fc' (InnerProduct)");
  EXPECT_EQ(with([](Writer& layer) {
              add_blob(layer, 7, {2, 48});
              Writer blob(layer, 7);
              Writer shape(blob, 7);
              shape.add_int64(1, 2);
            }),
            at + "blob 1: 2 elements by the blob's shape, 0 found");
  const std::string garbage(40, '\xff');
  EXPECT_NE(why(kProduct, &garbage).find("net.caffemodel: not a Caffe model's weights"), std::string::npos);
}

// Every prefix, and every changed bit: an Error, or a network.
TEST(Caffe, DamagedFilesNeverCrash) {
  const std::string weights = product_weights(As::doubles), text = kProduct;
  for (size_t length = 0; length < weights.size(); ++length) {
    const std::string cut = weights.substr(0, length);
    why(text, &cut);
  }
  for (size_t bit = 0; bit < weights.size() * 8; bit += bit < 512 ? 1 : 37) {
    std::string flipped = weights;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    why(text, &flipped);
  }
  for (size_t length = 0; length < text.size(); ++length) why(text.substr(0, length), &weights);
  for (size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string flipped = text;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    why(flipped, &weights);
  }
}

}  // namespace
}  // namespace planish::caffe_networks
