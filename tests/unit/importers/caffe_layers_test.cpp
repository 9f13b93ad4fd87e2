// Every layer against what Caffe gives for it: tests/caffe/layers.cases, which make_layer_cases.py writes.

#include <gtest/gtest.h>

#include <protozero/pbf_writer.hpp>
#include <set>
#include <sstream>

#include "base/file.h"
#include "importers/caffe/import.h"
#include "support/networks.h"

namespace planish::caffe_layers {
namespace {

struct Made {
  std::string name, kind;
  std::vector<int64_t> extents;
};

struct Case {
  std::string name, text;
  std::vector<Made> inputs, blobs;
  std::vector<std::pair<Made, std::vector<float>>> expected;
};

std::vector<int64_t> extents_of(std::istringstream& words) {
  std::vector<int64_t> extents;
  for (int64_t extent = 0; words >> extent;) extents.push_back(extent);
  return extents;
}

std::vector<Case> read_cases() {
  std::istringstream lines(read_file(std::string(PLANISH_TESTS_DIR) + "/caffe/layers.cases"));
  std::vector<Case> cases;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string what;
    Made made;
    words >> what >> made.name;
    if (what == "case") cases.push_back({made.name, "", {}, {}, {}});
    Case& last = cases.back();
    if (what == "text")
      while (std::getline(lines, line) && line != "end") last.text += line + "\n";
    if (what == "input" || what == "blob") {
      words >> made.kind;
      made.extents = extents_of(words);
      (what == "input" ? last.inputs : last.blobs).push_back(made);
    }
    if (what != "expect") continue;
    made.extents = extents_of(words);
    std::getline(lines, line);
    std::istringstream numbers(line);
    std::vector<float> values;
    for (float value = 0; numbers >> value;) values.push_back(value);
    last.expected.emplace_back(made, std::move(values));
  }
  return cases;
}

// As value() of make_layer_cases.py.
Tensor made_tensor(const Made& made, int64_t seed) {
  int64_t count = 1;
  for (int64_t extent : made.extents) count *= extent;
  std::vector<float> values;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t step = (i * 37 + seed * 29) % 61;
    const auto any = static_cast<float>(step - 30) / 16;
    values.push_back(made.kind == "positive" ? std::abs(any) + 0.5F
                     : made.kind == "ties"   ? static_cast<float>((i * 5 + seed) % 4 - 1)
                     : made.kind == "unit"   ? static_cast<float>(static_cast<double>(step) / 61)
                                             : any);
  }
  return Tensor::of<float>(made.extents, values);
}

std::string weights_of(const Case& c) {
  std::string bytes;
  protozero::pbf_writer net(bytes);
  std::set<std::string> done;
  for (const Made& first : c.blobs) {
    if (!done.insert(first.name).second) continue;
    protozero::pbf_writer layer(net, 100);
    layer.add_string(1, first.name);
    for (size_t i = 0; i < c.blobs.size(); ++i) {
      if (c.blobs[i].name != first.name) continue;
      const Tensor tensor = made_tensor(c.blobs[i], 10 + static_cast<int64_t>(i));
      const auto values = tensor.as<float>();
      protozero::pbf_writer blob(layer, 7);
      {
        protozero::pbf_writer shape(blob, 7);
        shape.add_packed_int64(1, tensor.extents().begin(), tensor.extents().end());
      }
      blob.add_packed_float(5, values.begin(), values.end());
    }
  }
  return bytes;
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

std::string text_of(const Case& c) {
  std::string text;
  for (const Made& input : c.inputs) {
    text += "input: \"" + input.name + "\" input_shape {";
    for (int64_t extent : input.extents) text += " dim: " + std::to_string(extent);
    text += " }\n";
  }
  return text + c.text;
}

void check(const Case& c, bool optimize) {
  SCOPED_TRACE(c.name);
  const std::string text = text_of(c), weights = weights_of(c);
  const caffe::Source network{c.name, bytes_of(text), nullptr}, learned{"weights", bytes_of(weights), nullptr};
  Graph graph = caffe::import_network(network, &learned).graph;
  verify(graph);
  BuildOptions options;
  options.tuning = Tuning::off;
  options.optimize = optimize;
  options.precisions.tf32 = false;
  const Plan plan = build(std::move(graph), *create_cpu_device(1), options);
  std::map<std::string, Tensor> inputs;
  for (size_t i = 0; i < c.inputs.size(); ++i)
    inputs[c.inputs[i].name] = made_tensor(c.inputs[i], static_cast<int64_t>(i));
  const auto results = testing::run(plan, inputs);
  for (const auto& [made, wanted] : c.expected) {
    SCOPED_TRACE(made.name);
    ASSERT_EQ(results.count(made.name), 1U);
    const Tensor& found = results.at(made.name);
    ASSERT_EQ(found.extents(), made.extents);
    const bool counts = found.dtype() == DataType::i32;
    for (size_t i = 0; i < wanted.size(); ++i)
      ASSERT_NEAR(counts ? static_cast<float>(found.as<int32_t>()[i]) : found.as<float>()[i], wanted[i],
                  2e-5 * std::max(1.0F, std::abs(wanted[i])))
          << "element " << i;
  }
}

TEST(CaffeLayers, GiveWhatCaffeGives) {
  const auto cases = read_cases();
  EXPECT_GT(cases.size(), 80U);
  for (const Case& c : cases)
    for (bool optimize : {false, true}) check(c, optimize);
}

// Each type that is imported has a case; types that are but another name, and those of Python, stand here.
TEST(CaffeLayers, EveryTypeHasACase) {
  std::string all;
  for (const Case& c : read_cases()) all += c.text;
  for (const std::string& type : caffe::layer_types())
    if (type != "ConvolutionDepthwise" && type != "ReLU6" && type != "Python") {
      EXPECT_NE(all.find("type: \"" + type + "\""), std::string::npos) << type;
    }
}

TEST(CaffeLayers, EveryTypeIsDocumented) {
  const std::string page = read_file(std::string(PLANISH_TESTS_DIR) + "/../docs/caffe.md");
  for (const std::string& type : caffe::layer_types()) {
    EXPECT_NE(page.find("`" + type + "`"), std::string::npos) << type;
  }
}

}  // namespace
}  // namespace planish::caffe_layers
