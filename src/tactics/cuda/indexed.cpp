// Gathers and scatters: elements that indices name.

#include <algorithm>

#include "kernels/reference/move.h"
#include "tactics/cuda/common/elementwise.h"
#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {
namespace {

constexpr int64_t kMostLooked = 1 << 22;  // indices that are compared

// Macros of indexed.cuh.
struct Indexed {
  int form = 0, axis = 0, batch = 0, depth = 0, serial = 0;
  bool scatter = false;
  std::string combine;  // of a and b; empty: what is there is replaced
};

// How two elements that meet become one; of truth values, sums and products are or and and.
std::string combination(const std::string& reduction, DataType type) {
  if (reduction == "none") return "";
  if (reduction == "max") return is_float(type) ? "pw_max(a,b)" : "((a)>(b)?(a):(b))";
  if (reduction == "min") return is_float(type) ? "pw_min(a,b)" : "((a)<(b)?(a):(b))";
  return reduction == "mul" ? "((a)*(b))" : "((a)+(b))";
}

// Whether no two updates of a scatter go to one place.
bool are_distinct(const Tensor& indices, const Indexed& what, const Shape& data) {
  const std::vector<int64_t> values = indices.to_ints(), &extents = indices.extents();
  const bool tuples = what.form == 2;
  if (std::ssize(values) > kMostLooked || (tuples && what.depth == 0)) return false;
  const auto axis = static_cast<size_t>(what.axis), depth = static_cast<size_t>(tuples ? what.depth : 1);
  size_t inner = 1;  // from index to index along the axis
  for (size_t i = axis + 1; i < extents.size(); ++i) inner *= static_cast<size_t>(extents[i]);
  std::vector<std::vector<int64_t>> places;
  for (size_t at = 0; at < values.size(); at += depth) {
    std::vector<int64_t>& place = places.emplace_back(values.begin() + static_cast<std::ptrdiff_t>(at),
                                                      values.begin() + static_cast<std::ptrdiff_t>(at + depth));
    for (size_t i = 0; i < depth; ++i) {
      const Dim extent = data[static_cast<int>(tuples ? i : axis)];
      if (place[i] < 0 && !extent.is_constant()) return false;  // may be another's
      if (place[i] < 0) place[i] += extent.value();
    }
    if (!tuples)
      place.push_back(static_cast<int64_t>(at / (inner * static_cast<size_t>(extents[axis])) * inner + at % inner));
  }
  std::sort(places.begin(), places.end());
  return std::adjacent_find(places.begin(), places.end()) == places.end();
}

// `places`: what positions run over.
Launch indexed_launch(const TacticQuery& query, const Indexed& what, const Shape& places) {
  const TensorType &data = query.input(0).type, &indices = query.input(1).type;
  const bool combines = !what.combine.empty();
  Launch launch;
  launch.kernel = "indexed";
  launch.source = std::string(combines ? "#include \"primitives.cuh\"\n" : "") + "#include \"indexed.cuh\"\n";
  launch.options = {define("FORM", what.form),
                    define("SCATTER", what.scatter ? 1 : 0),
                    define("RANK_D", data.shape.rank()),
                    define("RANK_P", places.rank()),
                    define("RANK_I", indices.shape.rank()),
                    define("AXIS", what.axis),
                    define("BATCH", what.batch),
                    define("DEPTH", what.depth),
                    define("SERIAL", what.serial),
                    define("INDEX", device_type(indices.dtype)),
                    define("TYPE", combines ? device_type(data.dtype) : word_type(data.dtype))};
  if (combines) {
    launch.options.push_back("-DCOMBINE(a,b)=" + what.combine);
    launch.options.push_back(define("REAL", is_float(data.dtype) ? "float" : "int64_t"));
  }
  Dim count = 1;
  for (int i = 0; i < places.rank(); ++i)
    if ((what.serial >> i & 1) == 0) count = count * places[i];
  launch.wide(count);
  launch.grid = {ceil_div(count, Dim(kBlock)), 1, 1};
  return launch;
}

std::string refuse_indexed(const TacticQuery& query, const Shape& places) {
  const DataType index = query.input(1).type.dtype;
  if (index != DataType::i32 && index != DataType::i64) return "indices are " + query.input(1).type.str();
  if (word_type(query.input(0).type.dtype).empty()) return "its operand is " + query.input(0).type.str();
  for (const Shape* shape : {&places, &query.input(0).type.shape})
    if (shape->element_count().upper_bound(query.graph.symbols) > INT32_MAX) return "2^31 elements or more";
  return "";
}

void propose_gather(const TacticQuery& query, CandidateSink& sink) {
  const auto refuse = [&](std::string why) { sink.refuse("cuda.indexed", std::move(why)); };
  if (query.node.op == "fused") return refuse("an epilogue");
  const Shape &data = query.input(0).type.shape, &indices = query.input(1).type.shape, &y = query.output(0).type.shape;
  if (std::string why = refuse_indexed(query, y); !why.empty()) return refuse(std::move(why));
  Indexed what;
  if (query.node.op == "gather_nd") {
    const Dim depth = indices[indices.rank() - 1];
    if (!depth.is_constant()) return refuse("indices of unknown depth");
    what.form = 2, what.depth = static_cast<int>(depth.value());
    what.batch = static_cast<int>(attrs_to<GatherNdAttrs>(query.node.attrs).batch_dims);
  } else {
    what.form = query.node.op == "gather" ? 0 : 1;
    what.axis = normalize_axis(attrs_to<MoveAxisAttrs>(query.node.attrs).axis, data.rank());
  }
  Launch launch = indexed_launch(query, what, y);
  launch.arguments.insert(launch.arguments.begin(), {"view:i0", "view:i1", "view:o0"});
  sink.offer(launch_candidate(query, std::move(launch), {0, 1}, estimate_us(query, 0, 1)));
}

// The data is copied into the result, then the updates go over it.
void propose_scatter(const TacticQuery& query, CandidateSink& sink) {
  const auto refuse = [&](std::string why) { sink.refuse("cuda.indexed", std::move(why)); };
  if (query.node.op == "fused") return refuse("an epilogue");
  const TensorType &data = query.input(0).type, &updates = query.input(2).type;
  const Shape& indices = query.input(1).type.shape;
  if (std::string why = refuse_indexed(query, updates.shape); !why.empty()) return refuse(std::move(why));
  const auto attrs = attrs_to<ScatterAttrs>(query.node.attrs);
  Indexed what;
  what.scatter = true;
  what.combine = combination(attrs.reduction, data.dtype);
  if (!what.combine.empty() && device_type(data.dtype).empty()) return refuse("its operand is " + data.str());
  if (query.node.op == "scatter_nd") {
    const Dim depth = indices[indices.rank() - 1];
    if (!depth.is_constant()) return refuse("indices of unknown depth");
    what.form = 2, what.depth = static_cast<int>(depth.value());
    what.serial = (1 << (indices.rank() - 1)) - 1;
  } else {
    what.form = 1, what.axis = normalize_axis(attrs.axis, data.shape.rank());
    what.serial = 1 << what.axis;
  }
  // Without a reduction the last update stays; with one they are combined in order.
  const Value& named = query.input(1);
  if (named.is_constant() && are_distinct(named.constant, what, data.shape)) what.serial = 0;
  Launch launch = indexed_launch(query, what, updates.shape);
  launch.arguments.insert(launch.arguments.begin(), {"view:i1", "view:i0", "view:o0"});
  Candidate candidate = launch_candidate(query, launch, {}, 2 * estimate_us(query, 0, 1));
  candidate.emit = [launch, arch = query.cuda](StepBuilder& builder) {
    const Operand y = builder.output(0);
    copy_elements(builder, builder.input(0), y, arch);
    builder.step(StepKind::launch, launch.kernel, launch.attrs(arch), {builder.input(1), builder.input(2)}, {y});
  };
  sink.offer(std::move(candidate));
}

}  // namespace

void register_indexed(TacticTable& table) {
  for (const char* op : {"gather", "gather_elements", "gather_nd"}) table.add(op, propose_gather);
  for (const char* op : {"scatter_elements", "scatter_nd"}) table.add(op, propose_scatter);
}

}  // namespace planish::tactics::cuda
