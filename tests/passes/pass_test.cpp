// Text tests of the passes. tests/passes/fold_pad.conv.ir is a graph, a line `---`, and what the pass fold_pad makes
// of it; `unchanged` in its place says that the pass must not fire. Each file is checked for:
//   the rewritten text; a second run that changes nothing; and that both graphs compute the same on random inputs.
// PLANISH_UPDATE_TESTS=1 writes what comes out into the files, for reading before it is committed.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/file.h"
#include "ir/text.h"
#include "passes/passes.h"
#include "support/networks.h"

namespace planish {
namespace {

namespace fs = std::filesystem;

constexpr PrintOptions kInFull = {1 << 20};

struct PassCase {
  std::string comment, before, after;
};

PassCase read_case(const fs::path& path) {
  std::ifstream file(path);
  PassCase text;
  int part = 0;
  for (std::string line; std::getline(file, line);) {
    if (part == 0 && !line.starts_with("//")) part = 1;
    if (line == "---")
      part = 2;
    else
      (part == 0 ? text.comment : part == 1 ? text.before : text.after) += line + "\n";
  }
  return text;
}

// Lines of both texts: "  " in both, "- " only expected, "+ " only found (longest common subsequence).
std::string diff(const std::string& expected, const std::string& found) {
  const auto lines = [](const std::string& text) {
    std::vector<std::string> list;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) list.push_back(line);
    return list;
  };
  const auto a = lines(expected), b = lines(found);
  std::vector<std::vector<size_t>> common(a.size() + 1, std::vector<size_t>(b.size() + 1, 0));
  for (size_t i = a.size(); i-- > 0;)
    for (size_t j = b.size(); j-- > 0;)
      common[i][j] = a[i] == b[j] ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
  std::string text;
  size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j])
      text += "  " + a[i++] + "\n", ++j;
    else if (j == b.size() || (i < a.size() && common[i + 1][j] >= common[i][j + 1]))
      text += "- " + a[i++] + "\n";
    else
      text += "+ " + b[j++] + "\n";
  }
  return text;
}

Pass pass_named(const std::string& name) {
  for (Pass& pass : passes::all())
    if (pass.name == name) return pass;
  ADD_FAILURE() << "no pass is called '" << name << "'";
  return {name, [](Graph&) { return false; }};
}

Graph read_graph(const std::string& text) {
  Graph graph = parse_graph(text);
  const std::string stated = print(graph, kInFull);
  infer_all(graph);
  EXPECT_EQ(print(graph, kInFull), stated) << "the stated types are not those that operators infer";
  verify(graph);
  return graph;
}

bool run_checked(const Pass& pass, Graph& graph) {
  const bool changed = run_pass(pass, graph);
  graph.remove_dead();
  verify(graph);
  Graph inferred = graph.clone();
  infer_all(inferred);
  EXPECT_EQ(print(inferred, kInFull), print(graph, kInFull))
      << "the types that remain are not those that operators infer";
  return changed;
}

// Every symbol at its `opt` value. Integers are drawn from [0, 3].
Tensor random_input(const TensorType& type, const SymbolTable& symbols, uint32_t seed) {
  SymbolValues values;
  for (const auto& [name, info] : symbols) values[name] = info.range.opt;
  const auto extents = type.shape.evaluate(values);
  const Tensor floats = testing::random_tensor(extents, seed, 3);
  return Tensor::make(type.dtype, extents, [&](std::byte* out) {
    const TensorView to = make_view(out, type.dtype, extents);
    for (int64_t i = 0, n = to.element_count(); i < n; ++i) {
      const double value = load_double(floats.view(), i);
      if (is_float(type.dtype))
        store_double(to, i, value);
      else
        store_int(to, i, type.dtype == DataType::boolean ? value > 0 : static_cast<int64_t>(std::abs(value)));
    }
  });
}

std::map<std::string, Tensor> compute(const Graph& graph, const std::map<std::string, Tensor>& inputs) {
  auto device = create_cpu_device(1);
  BuildOptions options;
  options.optimize = false;
  options.tuning = Tuning::off;
  return testing::run(build(graph.clone(), *device, options), inputs, 1);
}

void expect_same_results(const Graph& before, const Graph& after) {
  std::map<std::string, Tensor> inputs;
  uint32_t seed = 1;
  for (ValueId id : before.inputs())
    inputs[before.value(id).name] = random_input(before.value(id).type, before.symbols, seed++);
  const auto expected = compute(before, inputs), found = compute(after, inputs);
  ASSERT_EQ(expected.size(), found.size());
  for (const auto& [name, tensor] : expected) {
    ASSERT_TRUE(found.count(name) == 1) << "output '" << name << "' is lost";
    EXPECT_EQ(tensor.type(), found.at(name).type()) << name;
    EXPECT_LE(testing::relative_l2(found.at(name), tensor), 1e-5) << "output '" << name << "' computes something else";
  }
}

class PassText : public ::testing::TestWithParam<std::string> {};

TEST_P(PassText, IsAsWritten) {
  const fs::path path = fs::path(PLANISH_TESTS_DIR) / "passes" / (GetParam() + ".ir");
  const PassCase text = read_case(path);
  const Pass pass = pass_named(GetParam().substr(0, GetParam().find('.')));
  const Graph before = read_graph(text.before);
  Graph after = before.clone();
  const bool changed = run_checked(pass, after);
  const std::string found = print(after, kInFull);
  if (std::getenv("PLANISH_UPDATE_TESTS") != nullptr) {
    const std::string was = text.before.substr(0, text.before.find_last_not_of('\n') + 1);
    write_file_atomic(path.string(), text.comment + was + "\n---\n" + (changed ? found : "unchanged\n"));
  } else if (text.after == "unchanged\n") {
    EXPECT_FALSE(changed);
    EXPECT_EQ(found, print(before, kInFull)) << diff(print(before, kInFull), found);
  } else {
    const std::string expected = print(parse_graph(text.after), kInFull);
    EXPECT_TRUE(changed);
    EXPECT_TRUE(found == expected) << "expected (-), found (+):\n" << diff(expected, found);
  }
  Graph again = after.clone();
  EXPECT_FALSE(run_checked(pass, again)) << "the pass changes its own result:\n" << diff(found, print(again, kInFull));
  EXPECT_EQ(print(again, kInFull), found);
  expect_same_results(before, after);
}

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(fs::path(PLANISH_TESTS_DIR) / "passes"))
    if (entry.path().extension() == ".ir") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Files, PassText, ::testing::ValuesIn(case_names()), [](const auto& info) {
  std::string name = info.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
});

// Every pass is tested by files: several, and at least one where it must not fire.
TEST(PassTexts, CoverEveryPass) {
  const auto names = case_names();
  for (const Pass& pass : passes::all()) {
    int files = 0, refusals = 0;
    for (const std::string& name : names) {
      if (!name.starts_with(pass.name + ".")) continue;
      ++files;
      refusals += read_case(fs::path(PLANISH_TESTS_DIR) / "passes" / (name + ".ir")).after == "unchanged\n" ? 1 : 0;
    }
    EXPECT_GE(files, 3) << pass.name;
    EXPECT_GE(refusals, 1) << pass.name;
  }
}

}  // namespace
}  // namespace planish
