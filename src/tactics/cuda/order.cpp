// What looks along one axis: the best K, the largest or smallest, running sums.

#include "kernels/reference/reduce.h"
#include "kernels/reference/select.h"
#include "tactics/cuda/common/launch.h"
#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {
namespace {

constexpr int64_t kMostRanked = 1 << 17;  // elements of a row: each is compared with each
constexpr int64_t kMostRankedRows = 65535;

// What elements are compared and summed as.
std::string order_type(DataType type) {
  return type == DataType::f64 ? "double" : type == DataType::u64 ? "uint64_t" : is_float(type) ? "float" : "int64_t";
}

// Rows along an axis, in elements that can be compared.
struct Along {
  TensorType x;
  int axis = 0;
  Dim rows = 1;
};

std::string read_along(const TacticQuery& query, int64_t axis, Along& along) {
  if (query.node.op == "fused") return "an epilogue";
  along.x = query.input(0).type;
  const Shape& shape = along.x.shape;
  if (wide_type(along.x.dtype).empty()) return "its operand is " + along.x.str();
  if (shape.rank() == 0) return "a scalar";
  if (shape.element_count().upper_bound(query.graph.symbols) > INT32_MAX) return "2^31 elements or more";
  along.axis = normalize_axis(axis, shape.rank());
  for (int i = 0; i < shape.rank(); ++i)
    if (i != along.axis) along.rows = along.rows * shape[i];
  return "";
}

Launch along_launch(const Along& along, const std::string& kernel) {
  Launch launch;
  launch.kernel = kernel;
  launch.source = fmt::format("#include \"{}.cuh\"\n", kernel);
  launch.options = {define("RANK", along.x.shape.rank()), define("AXIS", along.axis),
                    define("TYPE", wide_type(along.x.dtype)), define("REAL", order_type(along.x.dtype))};
  launch.arguments = {"view:i0"};
  launch.grid = {along.rows, 1, 1};
  return launch;
}

void propose_topk(const TacticQuery& query, CandidateSink& sink) {
  const auto refuse = [&](std::string why) { sink.refuse("cuda.topk", std::move(why)); };
  const auto attrs = attrs_to<TopKAttrs>(query.node.attrs);
  Along along;
  if (std::string why = read_along(query, attrs.axis, along); !why.empty()) return refuse(std::move(why));
  const Dim extent = along.x.shape[along.axis];
  if (query.node.outputs.size() != 2) return refuse("not both results are asked for");
  if (extent.upper_bound(query.graph.symbols) > kMostRanked) return refuse("rows of more than 131072 elements");
  if (along.rows.upper_bound(query.graph.symbols) > kMostRankedRows) return refuse("more than 65535 rows");
  Launch launch = along_launch(along, "topk");
  for (const char* name : {"VALUES", "INDICES"}) launch.options.push_back(define(name, 1));
  launch.options.push_back(define("LARGEST", attrs.largest != 0 ? 1 : 0));
  launch.arguments.insert(launch.arguments.end(), {"view:o0", "view:o1"});
  launch.integer(query.output(0).type.shape[along.axis]);
  launch.grid = {ceil_div(extent, Dim(kBlock)), along.rows, 1};
  const double row = typical_elements(query, Shape({extent}));
  sink.offer(launch_candidate(query, std::move(launch), {0},
                              estimate_us(query, 4 * typical_elements(query, along.x.shape) * row, 10)));
}

void propose_arg(const TacticQuery& query, CandidateSink& sink) {
  const auto refuse = [&](std::string why) { sink.refuse("cuda.arg_extreme", std::move(why)); };
  const auto attrs = attrs_to<ArgAttrs>(query.node.attrs);
  Along along;
  if (std::string why = read_along(query, attrs.axis, along); !why.empty()) return refuse(std::move(why));
  if (query.output(0).type.dtype != DataType::i64) return refuse("its result is " + query.output(0).type.str());
  Launch launch = along_launch(along, "arg_extreme");
  launch.options.push_back(define("KEEP", attrs.keepdims != 0 ? 1 : 0));
  launch.options.push_back(define("LARGEST", query.node.op == "arg_max" ? 1 : 0));
  launch.options.push_back(define("LAST", attrs.select_last_index != 0 ? 1 : 0));
  launch.arguments.push_back("view:o0");
  sink.offer(launch_candidate(query, std::move(launch), {0}, estimate_us(query, 0, 1)));
}

void propose_scan(const TacticQuery& query, CandidateSink& sink) {
  const auto refuse = [&](std::string why) { sink.refuse("cuda.scan", std::move(why)); };
  if (query.node.op == "fused") return refuse("an epilogue");
  if (!query.input(1).is_constant()) return refuse("its axis is computed");
  const auto attrs = attrs_to<CumSumAttrs>(query.node.attrs);
  Along along;
  if (std::string why = read_along(query, query.input(1).constant.to_ints().at(0), along); !why.empty())
    return refuse(std::move(why));
  Launch launch = along_launch(along, "scan");
  launch.options.push_back(define("PRODUCTS", query.node.op == "cum_prod" ? 1 : 0));
  launch.options.push_back(define("EXCLUSIVE", attrs.exclusive != 0 ? 1 : 0));
  launch.options.push_back(define("REVERSE", attrs.reverse != 0 ? 1 : 0));
  launch.arguments.push_back("view:o0");
  sink.offer(launch_candidate(query, std::move(launch), {0}, estimate_us(query, 0, 1)));
}

}  // namespace

void register_order(TacticTable& table) {
  table.add("topk", propose_topk);
  table.add("arg_max", propose_arg);
  table.add("arg_min", propose_arg);
  table.add("cum_sum", propose_scan);
  table.add("cum_prod", propose_scan);
}

}  // namespace planish::tactics::cuda
