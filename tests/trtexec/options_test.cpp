#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "trtexec/options.h"

namespace planish::trtexec {
namespace {

Options parsed(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "--onnx=m.onnx");
  return parse(arguments);
}

std::string refusal(const std::vector<std::string>& arguments) {
  try {
    parse(arguments);
  } catch (const Usage& usage) {
    std::string text;
    for (const std::string& line : usage.lines) text += line + "\n";
    return text;
  }
  return "";
}

std::string refusal_of(const std::string& flag) { return refusal({"--onnx=m.onnx", flag}); }

// A value that each flag takes.
std::string example(const Field& field) {
  static const std::map<std::string, std::string> kSpecial = {
      {"--minShapes", "x:1x3"},
      {"--optShapes", "x:1x3"},
      {"--maxShapes", "x:1x3"},
      {"--shapes", "x:1x3"},
      {"--minShapesCalib", "x:1"},
      {"--optShapesCalib", "x:1"},
      {"--maxShapesCalib", "x:1"},
      {"--profile", "0"},
      {"--calibProfile", "0"},
      {"--inputIOFormats", "fp16:chw+hwc8,int8:chw"},
      {"--outputIOFormats", "fp32:chw"},
      {"--precisionConstraints", "obey"},
      {"--layerPrecisions", "*:fp16"},
      {"--layerOutputTypes", "a:fp16+fp32"},
      {"--memPoolSize", "workspace:64,dlaSRAM:0.5G"},
      {"--workspace", "64"},
      {"--profilingVerbosity", "detailed"},
      {"--nvtxMode", "verbose"},
      {"--sparsity", "enable"},
      {"--loadInputs", "x:a.bin,'y:0':b.bin"},
      {"--allocationStrategy", "runtime"},
      {"--percentile", "50,99.5"},
      {"--useRuntime", "lean"},
      {"--runtimePlatform", "SameAsBuild"},
      {"--useDLACore", "-1"},
      {"--device", "-1"},
      {"--builderOptimizationLevel", "5"},
  };
  if (field.value.empty()) return field.flag;
  const auto at = kSpecial.find(field.flag);
  return field.flag + "=" + (at == kSpecial.end() ? "1" : at->second);
}

TEST(Options, EveryFlagIsTakenOrRefusedAsItsRowSays) {
  std::set<std::string> seen;
  for (const Field& field : fields()) {
    EXPECT_TRUE(seen.insert(field.flag).second) << field.flag << " has two rows";
    EXPECT_FALSE(field.help.empty()) << field.flag;
    std::vector<std::string> arguments{"--onnx=m.onnx", example(field)};
    if (field.flag == "--onnx") arguments.pop_back();
    if (field.flag == "--loadEngine" || field.flag == "--deploy" || field.flag == "--model" ||
        field.flag == "--output" || field.flag == "--batch" || field.flag == "--maxBatch")
      arguments = {"--deploy=n.prototxt", "--output=prob", example(field)};
    if (field.flag == "--loadEngine") arguments = {example(field)};
    if (field.flag == "--deploy" || field.flag == "--output") arguments = {"--deploy=n.prototxt", "--output=prob"};
    if (field.flag.find("ShapesCalib") != std::string::npos)
      arguments = {"--onnx=m.onnx", "--minShapesCalib=x:1", "--optShapesCalib=x:1", "--maxShapesCalib=x:1"};
    const std::string text = refusal(arguments);
    if (field.meaning == Meaning::refused)
      EXPECT_EQ(text, field.flag + ": " + field.why + "\n");
    else
      EXPECT_EQ(text, "") << field.flag;
    if (field.meaning != Meaning::none) continue;
    ASSERT_FALSE(parse(arguments).warnings.empty()) << field.flag;
    EXPECT_EQ(parse(arguments).warnings[0], field.flag + " has no meaning here: " + field.why);
  }
}

TEST(Options, FlagsOfAllMajorsAreKnown) {
  std::istringstream constant(
      "--onnx --saveEngine --loadEngine --minShapes --optShapes --maxShapes --shapes --inputIOFormats "
      "--outputIOFormats --int8 "
      "--noTF32 --refit --safe --tacticSources --noBuilderCache --avgTiming --plugins --device --useDLACore "
      "--allowGPUFallback "
      "--loadInputs --iterations --duration --warmUp --sleepTime --streams --exposeDMA --noDataTransfers --useSpinWait "
      "--threads "
      "--useCudaGraph --separateProfileRun --avgRuns --percentile --dumpRefit --dumpOutput --dumpProfile --exportTimes "
      "--exportOutput --exportProfile --verbose --help");
  const std::string help = help_text();
  int count = 0;
  for (std::string flag; constant >> flag; ++count) EXPECT_TRUE(help.find("\n  " + flag) != std::string::npos) << flag;
  EXPECT_EQ(count, 42);
}

TEST(Options, Defaults) {
  const Options o = parsed({});
  EXPECT_EQ(o.iterations, 10);
  EXPECT_EQ(o.warm_up, 200);
  EXPECT_EQ(o.duration, 3);
  EXPECT_EQ(o.avg_runs, 10);
  EXPECT_EQ(o.avg_timing, 8);
  EXPECT_EQ(o.streams, 1);
  EXPECT_EQ(o.percentiles, (std::vector<float>{90, 95, 99}));
  EXPECT_TRUE(o.tf32 && o.transfers && o.overlap);
  EXPECT_FALSE(o.spin || o.graph || o.threads || o.fp16 || o.int8 || o.separate_profile);
  EXPECT_EQ(o.cache_mode(), TimingCache::local);
}

TEST(Options, ShapesOfOneSideAreThoseOfTheOther) {
  const Options build = parsed({"--minShapes=x:1x3,y:2", "--optShapes=x:4x3,y:2", "--maxShapes=x:8x3,y:2"});
  EXPECT_EQ(build.shapes.at("x"), (Extents{4, 3}));
  EXPECT_EQ(build.profiles[0].at("x").at(2), (Extents{8, 3}));
  const Options run = parsed({"--shapes='in:0':5,scalar_in:scalar,other:"});
  EXPECT_EQ(run.profiles[0].at("in:0").at(0), (Extents{5}));
  EXPECT_TRUE(run.shapes.at("scalar_in").empty());
  EXPECT_TRUE(run.shapes.at("other").empty());
  const Options opt = parsed({"--optShapes=x:4"});
  EXPECT_EQ(opt.profiles[0].at("x").at(0), (Extents{4}));
  EXPECT_EQ(opt.profiles[0].at("x").at(2), (Extents{4}));
  EXPECT_EQ(opt.warnings.size(), 2U);
  const Options ends = parsed({"--minShapes=x:1", "--maxShapes=x:9"});
  EXPECT_EQ(ends.profiles[0].at("x").at(1), (Extents{9}));
}

TEST(Options, ProfilesTakeTheShapesBehindThem) {
  const Options o = parsed({"--profile=0", "--minShapes=x:1", "--optShapes=x:2", "--maxShapes=x:3", "--profile=1",
                            "--minShapes=x:4", "--optShapes=x:5", "--maxShapes=x:6", "--useProfile=1"});
  ASSERT_EQ(o.profiles.size(), 2U);
  EXPECT_EQ(o.profiles[0].at("x").at(2), (Extents{3}));
  EXPECT_EQ(o.profiles[1].at("x").at(0), (Extents{4}));
  EXPECT_EQ(o.shapes.at("x"), (Extents{5}));
}

TEST(Options, Precisions) {
  EXPECT_TRUE(parsed({"--best"}).fp16);
  EXPECT_TRUE(parsed({"--best"}).int8);
  EXPECT_FALSE(parsed({"--stronglyTyped", "--fp16"}).fp16);
  EXPECT_NE(refusal({"--onnx=m.onnx", "--best", "--stronglyTyped"}), "");
  EXPECT_NE(describe(parsed({"--fp16", "--int8"})).find("Precision: FP32+FP16+INT8\n"), std::string::npos);
}

TEST(Options, Sizes) {
  EXPECT_EQ(parsed({"--memPoolSize=workspace:1G"}).pools.at("workspace"), 1LL << 30);
  EXPECT_EQ(parsed({"--memPoolSize=workspace:0.25"}).pools.at("workspace"), 1LL << 18);
  EXPECT_EQ(parsed({"--workspace=64"}).pools.at("workspace"), 64LL << 20);
  EXPECT_EQ(refusal_of("--memPoolSize=workspace:4T"),
            "--memPoolSize=workspace:4T: '4T' has the unit 'T'; B (bytes), K, M and G (powers of 1024) are accepted\n");
}

TEST(Options, WhatIsWrongIsOneSentence) {
  EXPECT_EQ(refusal({"--fast", "--onnx=m.onnx", "--slow=1"}), "Unknown option: --fast \nUnknown option: --slow 1\n");
  EXPECT_EQ(refusal({"--fp16"}), "Model missing: --onnx, --deploy or --loadEngine names one\n");
  EXPECT_EQ(refusal_of("--iterations=many"), "--iterations=many: 'many' is no integer\n");
  EXPECT_EQ(refusal_of("--iterations"), "--iterations needs a value: --iterations=N\n");
  EXPECT_EQ(refusal_of("--fp16=no"), "--fp16 takes no value; 'no' is given\n");
  EXPECT_EQ(refusal_of("--shapes=x:1xx3"), "--shapes=x:1xx3: the shape '1xx3' has an axis without an extent\n");
  EXPECT_EQ(refusal_of("--shapes=x"), "--shapes=x: 'x' is not of the form name:value\n");
  EXPECT_EQ(refusal_of("--shapes=x:1x-3"), "--shapes=x:1x-3: -3 is not in 0 to 9223372036854775807\n");
  EXPECT_EQ(refusal_of("--shapes='x:1"), "--shapes='x:1: ''x:1' has 1 single quotes; 'name':value is accepted\n");
  EXPECT_EQ(refusal_of("--percentile=101"), "--percentile: 101 is not in 0 to 100\n");
  EXPECT_EQ(refusal_of("--inputIOFormats=fp32:abc"), "--inputIOFormats=fp32:abc: 'abc' is no format\n");
  EXPECT_EQ(refusal_of("--layerPrecisions=a:fp12"), "--layerPrecisions=a:fp12: 'fp12' is no element type\n");
  EXPECT_EQ(refusal_of("--output=y"), "--output should not be used with ONNX models\n");
  EXPECT_EQ(refusal({"--onnx=m.onnx", "--fp16", "--fp16"}), "--fp16 is given more than once\n");
  EXPECT_EQ(refusal({"--loadEngine=a", "--saveEngine=b"}), "--loadEngine and --saveEngine are both given\n");
  EXPECT_EQ(refusal({"--onnx=m.onnx", "--minShapes=x:4", "--optShapes=x:2", "--maxShapes=x:8"}),
            "'x' is given optShapes 2, which is below minShapes 4\n");
  EXPECT_EQ(refusal({"--deploy=n.prototxt"}), "Caffe models require at least one output: --output=<name>\n");
  EXPECT_NE(refusal_of("--useDLACore=0"), "");
  EXPECT_EQ(refusal({"--onnx=m.onnx", "--useDLACore=0", "--allowGPUFallback"}), "");
}

TEST(Options, SectionsArePrintedForTools) {
  const std::string text = describe(parsed({"--saveEngine=a.plan", "--shapes=x:1x3"}));
  for (const char* line : {"=== Model Options ===\nFormat: ONNX\nModel: m.onnx\n", "=== Build Options ===\n",
                           "=== Inference Options ===\n", "=== Reporting Options ===\n", "=== System Options ===\n",
                           "Save engine: a.plan\n", "Percentiles: 90,95,99\n", "Duration: 3s (+ 200ms warm up)\n",
                           "Input inference shape : x=1x3\n", "Device: 0\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line;
  EXPECT_EQ(describe(parse({"--loadEngine=a.plan"})).find("Build Options"), std::string::npos);
}

TEST(Options, BatchesOfCaffeNetworks) {
  const std::vector<std::string> caffe{"--deploy=n.prototxt", "--output=a,b", "--output=c"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), caffe.begin(), caffe.end());
    return parse(more);
  };
  EXPECT_EQ(with({}).outputs, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(with({}).batch, 1);
  EXPECT_EQ(with({"--batch=4"}).max_batch, 4);
  EXPECT_EQ(with({"--maxBatch=4"}).batch, 1);
  EXPECT_EQ(with({"--shapes=data:2x3"}).batch, 0);
  EXPECT_EQ(refusal({"--deploy=n.prototxt", "--output=a", "--batch=4", "--maxBatch=2"}),
            "--batch=4 is above --maxBatch=2\n");
}

TEST(Options, Wildcards) {
  EXPECT_TRUE(matches("a*c", "abbc"));
  EXPECT_TRUE(matches("*", "anything"));
  EXPECT_FALSE(matches("ab*bc", "abc"));
  EXPECT_FALSE(matches("a", "ab"));
  const std::map<std::string, Extents> map{{"in*", {1}}, {"in1", {2}}};
  EXPECT_EQ(find_plausible(map, "in1")->second, (Extents{2}));
  EXPECT_EQ(find_plausible(map, "in2")->second, (Extents{1}));
  EXPECT_EQ(find_plausible(map, "out"), map.end());
}

// PLANISH_UPDATE=1 writes the table anew.
TEST(Options, TheTableOfTheDocumentIsThisOne) {
  const std::string path = PLANISH_DOCS_DIR "/trtexec.md", mark = "| flag | here | |\n";
  std::ostringstream bytes;
  bytes << std::ifstream(path).rdbuf();
  const std::string text = bytes.str();
  const size_t at = text.find(mark);
  ASSERT_NE(at, std::string::npos);
  if (std::getenv("PLANISH_UPDATE") != nullptr) std::ofstream(path) << text.substr(0, at) + flags_in_markdown();
  EXPECT_TRUE(std::getenv("PLANISH_UPDATE") != nullptr || text.substr(at) == flags_in_markdown())
      << "PLANISH_UPDATE=1 trtexec_units writes docs/trtexec.md";
}

}  // namespace
}  // namespace planish::trtexec
