#include "compile/build.h"

#include <chrono>

#include "compile/emitter.h"
#include "compile/narrow_half.h"
#include "compile/pipeline.h"
#include "compile/selection.h"
#include "compile/tuner.h"
#include "ops/builder.h"
#include "tactics/target.h"

namespace planish {
namespace {

class Phases {
 public:
  Phases(const BuildOptions& options, BuildReport* report) : options_(options), report_(report) {}

  void begin(const char* name, int index) {
    end();
    name_ = name;
    start_ = std::chrono::steady_clock::now();
    if (options_.progress && !options_.progress({name, index, 4})) fail(Code::cancelled, "the build was cancelled");
  }
  void end() {
    if (name_ != nullptr && report_ != nullptr)
      report_->phases_ms.emplace_back(
          name_, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_).count());
    name_ = nullptr;
  }

 private:
  const BuildOptions& options_;
  BuildReport* report_;
  const char* name_ = nullptr;
  std::chrono::steady_clock::time_point start_;
};

// An extent below 0 for some of the shapes that the plan is for: the ranges are wider than the network bears. A branch
// that they do not fit is an error where it is run.
void check_extents(const Graph& graph) {
  for (NodeId id : graph.nodes()) {
    for (const auto& region : graph.node(id).regions)
      if (graph.node(id).op != "if") check_extents(*region);
    for (ValueId output : graph.node(id).outputs)
      for (Dim dim : graph.value(output).type.shape) {
        const int64_t least = dim.lower_bound(graph.symbols);
        if (least >= 0 || depends_on_data(dim, graph.symbols)) continue;  // the latter shows itself when it is run
        std::vector<std::string> names;
        dim.collect_symbols(names);
        std::string ranges;
        for (const std::string& name : names) {
          const DimRange& range = graph.symbols.at(name).range;
          ranges += fmt::format("{}{} in [{}, {}]", ranges.empty() ? "" : ", ", name, range.min, range.max);
        }
        fail(Code::invalid_argument,
             "node '{}' ({}): '{}' is {}, where {} may be {} for {}; give the inputs narrower ranges",
             graph.node(id).name, graph.node(id).op.str(), graph.value(output).name, graph.value(output).type.str(),
             dim.str(), least, ranges);
      }
  }
}

// Plans that are not optimised are the processor's.
Target target_of(const BuildOptions& options, Device& device) {
  Target target;
  target.isa = options.isa.empty() ? active_isa() : parse_isa(options.isa);
  target.threads = options.threads > 0 ? options.threads : device.pool().size();
  if (options.optimize) target.arch = options.arch.empty() ? accelerator_arch(device) : options.arch;
  return target;
}

// Where nodes are chosen for by name, products stay products: attention has no choice of its own.
std::vector<Pass> passes_of(const BuildOptions& options, const Target& target) {
  std::vector<Pass> passes = pipeline(options.optimize, target.is_accelerated());
  if (options.timings_by_name)
    std::erase_if(passes, [](const Pass& pass) { return pass.name == "recognise_attention"; });
  return passes;
}

// A line for each node: its name, a tab, what computes it.
std::string tactics_note(const BuildReport& report) {
  std::string note;
  for (const TacticChoice& choice : report.choices) note += choice.node + "\t" + choice.chosen + "\n";
  return note;
}

// "tf32+bf16"; "f32" where nothing less is permitted.
std::string precisions_name(const Precisions& precisions) {
  std::string name;
  for (const auto& [permitted, text] :
       {std::pair(precisions.tf32, "tf32"), std::pair(precisions.bf16, "bf16"), std::pair(precisions.fp16, "fp16")})
    if (permitted) name += (name.empty() ? "" : "+") + std::string(text);
  return name.empty() ? "f32" : name;
}

}  // namespace

void check_can_build(Device& device) {
  Target target;
  target.arch = accelerator_arch(device);
  target.check_compiler();
}

Plan build(Graph graph, Device& device, const BuildOptions& options, BuildReport* report) {
  Phases phases(options, report);
  const CompiledKernels before = compiled_kernels();
  const Target target = target_of(options, device);
  phases.begin("checking", 0);
  infer_all(graph);
  verify(graph);
  phases.begin("optimising", 1);
  run_pipeline(graph, passes_of(options, target), options.dump_dir);
  target.check_compiler();
  if (target.is_accelerated() && options.precisions.fp16) narrow_half(graph);
  verify(graph);
  check_extents(graph);
  phases.begin("tuning", 2);
  EmitOptions emit;
  emit.target = target;
  emit.precisions = options.precisions;
  emit.fallback = options.fallback;
  emit.reference_only = !options.optimize;
  emit.keep_intermediates = options.keep_intermediates;
  emit.timings_by_name = options.timings_by_name;
  Tuner tuner(device, options, emit);
  // For a device that is not here estimates decide.
  const bool timed = options.optimize && options.tuning != Tuning::off && target.is(device);
  if (timed)
    emit.measured = [&](const Graph& g, const Node& n, const Candidate& c) { return tuner.measured_us(g, n, c); };
  const auto tuned_plan = [&](const Precisions& precisions, BuildReport& choices) {
    emit.precisions = precisions;
    emit.report = report != nullptr ? &choices : nullptr;
    if (timed) {
      tuner.permit(precisions);
      tuner.tune(graph);
    }
    return emit_plan(graph, emit);
  };
  BuildReport choices;
  Plan plan = tuned_plan(options.precisions, choices);
  if (timed && stores_half(emit)) {  // parts that are faster need not be a faster whole
    Precisions exact = options.precisions;
    exact.bf16 = false;
    BuildReport other_choices;
    Plan other = tuned_plan(exact, other_choices);
    if (tuner.fastest(graph, {&plan, &other}, {precisions_name(options.precisions), precisions_name(exact)}) == 1) {
      plan = std::move(other);
      choices = std::move(other_choices);
    }
  }
  phases.begin("planning memory", 3);
  verify(plan);
  plan.notes["optimize"] = options.optimize ? "yes" : "no";
  plan.notes["threads"] = std::to_string(target.threads);
  if (options.timings_by_name && report != nullptr) plan.notes["tactics"] = tactics_note(choices);
  if (report != nullptr) {
    report->choices = std::move(choices.choices);
    report->results = std::move(choices.results);
    report->timed = tuner.timed();
    report->cached = tuner.cached();
    const CompiledKernels now = compiled_kernels();
    report->images_compiled = now.compiled - before.compiled;
    report->images_from_disk = now.from_disk - before.from_disk;
    report->compiler_seconds = now.seconds - before.seconds;
  }
  phases.end();
  if (options.progress) options.progress({"done", 4, 4});
  return plan;
}

}  // namespace planish
