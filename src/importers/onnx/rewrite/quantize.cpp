#include "importers/onnx/rewrite/quantize.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "base/file.h"
#include "importers/common/wire.h"
#include "importers/onnx/wire/model.h"
#include "importers/onnx/wire/writer.h"
#include "tensor/narrow.h"

namespace planish::onnx {
namespace {

constexpr int64_t kLeastRows = 16;
constexpr int64_t kMostBytes = 0x7fffffff;  // of a protobuf message
constexpr const char* kMicrosoft = "com.microsoft";

struct Target {
  size_t node = 0;
  const Tensor* weights = nullptr;
  std::string weights_name;
  bool turned = false;  // [N, K]
};

int64_t int_attribute(const wire::Node& node, const char* name, int64_t fallback) {
  for (const wire::Attribute& attribute : node.attributes)
    if (attribute.name == name) return Attrs{{attribute.name, attribute.value}}.get<int64_t>(attribute.name);
  return fallback;
}
double float_attribute(const wire::Node& node, const char* name) {
  for (const wire::Attribute& attribute : node.attributes)
    if (attribute.name == name) return Attrs{{attribute.name, attribute.value}}.get<double>(attribute.name);
  return 1;
}

// Names that a graph reads, those of its bodies included.
void collect_reads(const wire::GraphProto& graph, std::map<std::string, int>& reads) {
  for (const wire::Node& node : graph.nodes) {
    for (const std::string& input : node.inputs) ++reads[input];
    for (const wire::Attribute& attribute : node.attributes)
      for (const auto& body : attribute.graphs) collect_reads(*body, reads);
  }
  for (const wire::ValueInfo& output : graph.outputs) ++reads[output.name];
}

class FileQuantizer {
 public:
  FileQuantizer(const std::string& path, const QuantizeRequest& request) : path_(path), request_(request) {}

  QuantizedFile run() {
    const auto file = std::make_shared<FileMap>(FileMap::open(path_));
    importers::refuse_lfs_pointer(file->bytes());
    model_ = with_context([&] { return path_; }, [&] { return wire::read_model(file->bytes(), {folder(), file}); });
    collect_reads(model_.graph, reads_);
    choose_form();
    find_targets();
    for (const Target& target : targets_) replace(target);
    importers::guarded("an ONNX model", [&] { write(importers::reader_of(file->bytes())); });
    if (std::ssize(result_.bytes) > kMostBytes)
      fail(Code::unsupported, "a file of {} bytes; 2 GiB is the most that the format holds", result_.bytes.size());
    return std::move(result_);
  }

 private:
  std::string folder() const {
    const std::string parent = std::filesystem::path(path_).parent_path().string();
    return parent.empty() ? "." : parent;
  }
  int64_t opset() const {
    const auto at = model_.opsets.find("");
    return at == model_.opsets.end() ? 1 : at->second;
  }

  void choose_form() {
    check_format(request_.format);
    form_ = request_.form;
    const WeightFormat& f = request_.format;
    if (form_ == WeightForm::automatic) form_ = f.block > 0 ? WeightForm::bits : WeightForm::dequantize;
    if (form_ == WeightForm::bits && f.block == 0)
      fail(Code::invalid_argument, "MatMulNBits with a scale a column; blocks of 16 to 256 are accepted");
    if (form_ == WeightForm::integers && (f.block != 0 || f.bits != 8 || !f.symmetric))
      fail(Code::invalid_argument, "MatMulInteger goes with symmetric weights of 8 bits, a scale a column");
    const int64_t needed = form_ == WeightForm::bits       ? 1
                           : form_ == WeightForm::integers ? 11
                           : f.bits == 4 || f.block > 0    ? 21
                                                           : 13;
    if (opset() < needed)
      fail(Code::invalid_argument, "{} is of opset {}; this form of weights needs {} and later{}", path_, opset(),
           needed, form_ == WeightForm::dequantize ? " (MatMulNBits goes with any)" : "");
  }

  bool takes(const wire::Node& node) const {
    const bool plain = node.domain.empty() || node.domain == "ai.onnx";
    if (!plain || node.inputs.size() < 2 || node.outputs.size() != 1) return false;
    if (node.op_type == "MatMul") return true;
    const bool has_c = node.inputs.size() > 2 && !node.inputs[2].empty();
    return node.op_type == "Gemm" && int_attribute(node, "transA", 0) == 0 && float_attribute(node, "alpha") == 1 &&
           (!has_c || float_attribute(node, "beta") == 1);
  }

  void find_targets() {
    std::map<std::string, const Tensor*> tensors;
    for (const auto& [name, tensor] : model_.graph.initializers) tensors[name] = &tensor;
    for (const wire::ValueInfo& input : model_.graph.inputs) tensors.erase(input.name);  // the caller may give another
    std::set<std::string> left(request_.exclude.begin(), request_.exclude.end());
    for (size_t i = 0; i < model_.graph.nodes.size(); ++i) {
      const wire::Node& node = model_.graph.nodes[i];
      if (std::find(request_.exclude.begin(), request_.exclude.end(), node.name) != request_.exclude.end()) {
        left.erase(node.name);
        continue;
      }
      const auto at = takes(node) ? tensors.find(node.inputs[1]) : tensors.end();
      if (at == tensors.end() || at->second->dtype() != DataType::f32 || at->second->rank() != 2) continue;
      const bool turned = node.op_type == "Gemm" && int_attribute(node, "transB", 0) != 0;
      if (at->second->extents()[turned ? 1 : 0] < kLeastRows || at->second->element_count() == 0) continue;
      targets_.push_back({i, at->second, node.inputs[1], turned});
    }
    if (!left.empty())
      fail(Code::invalid_argument, "'{}' is excluded, but no node of {} has that name", *left.begin(), path_);
    if (targets_.empty()) fail(Code::invalid_argument, "{} has no product of a constant matrix in f32", path_);
  }

  void replace(const Target& target) {
    const wire::Node& node = model_.graph.nodes[target.node];
    if (--reads_[target.weights_name] == 0) dropped_.insert(target.weights_name);
    const bool has_c = node.inputs.size() > 2 && !node.inputs[2].empty();
    const std::string y = has_c ? fresh(node.outputs[0] + "_product") : node.outputs[0];
    const Weights& weights = weights_of(target);
    messages_[target.node].clear();
    write_product(target.node, node, weights, y);
    if (has_c)
      add_node(target.node, {"Add", "", fresh(node.name + "_bias"), {y, node.inputs[2]}, {node.outputs[0]}, {}});
    result_.layers.push_back(node.name.empty() ? node.outputs[0] : node.name);
  }

  // What initializers a matrix became; several nodes may share them.
  struct Weights {
    std::string numbers, scales, zeros;
    int64_t depth = 0, columns = 0;
  };

  const Weights& weights_of(const Target& target) {
    const std::string key = target.weights_name + (target.turned ? "'" : "");
    const auto known = weights_.find(key);
    if (known != weights_.end()) return known->second;
    const auto& extents = target.weights->extents();
    std::vector<float> turned;
    std::span<const float> values = target.weights->as<float>();
    const int64_t depth = extents[target.turned ? 1 : 0], columns = extents[target.turned ? 0 : 1];
    if (target.turned) {
      turned.resize(values.size());
      for (int64_t n = 0; n < columns; ++n)
        for (int64_t k = 0; k < depth; ++k)
          turned[static_cast<size_t>(k * columns + n)] = values[static_cast<size_t>(n * depth + k)];
      values = turned;
    }
    const BlockWeights w = with_context([&] { return fmt::format("weights '{}' of {}", target.weights_name, path_); },
                                        [&] { return quantized_matrix(values, depth, columns, request_.format); });
    const size_t before = new_tensors_.size();
    Weights made{fresh(target.weights_name + "_numbers"), fresh(target.weights_name + "_scales"), "", depth, columns};
    form_ == WeightForm::bits ? add_packed(w, made) : add_dequantized(w, made);
    result_.weights_before += target.weights->byte_count();
    for (size_t i = before; i < new_tensors_.size(); ++i)
      result_.weights_after += static_cast<int64_t>(new_tensors_[i].size());
    return weights_.emplace(key, std::move(made)).first->second;
  }

  // Column by column: blocks of numbers, each padded to whole blocks; scales; zero points where they are not the
  // middle.
  void add_packed(const BlockWeights& w, Weights& made) {
    const DataType type = w.bits == 8 ? DataType::u8 : DataType::u4;
    const int64_t blocks = w.blocks(), block = request_.format.block;
    const auto pack = [&](const std::vector<uint8_t>& from, int64_t rows, int64_t padded, std::vector<int64_t> extents,
                          uint8_t filler) {
      const int64_t bytes = packed_bytes(type, padded);
      return Tensor::make(DataType::u8, std::move(extents), [&](std::byte* out) {
        std::fill_n(out, bytes * w.columns, std::byte{0});
        for (int64_t n = 0; n < w.columns; ++n)
          for (int64_t k = 0; k < padded; ++k) {
            const uint8_t number = k < rows ? from[static_cast<size_t>(k * w.columns + n)] : filler;
            out[n * bytes + k * w.bits / 8] |= static_cast<std::byte>(number << (k * w.bits % 8));
          }
      });
    };
    const auto middle = static_cast<uint8_t>(1 << (w.bits - 1));
    add_tensor(made.numbers, pack(w.numbers, w.depth, blocks * block, {w.columns, blocks, block * w.bits / 8}, middle));
    std::vector<float> scales;
    for (int64_t n = 0; n < w.columns; ++n)
      for (int64_t b = 0; b < blocks; ++b) scales.push_back(w.scales[static_cast<size_t>(b * w.columns + n)]);
    add_tensor(made.scales, Tensor::of<float>({w.columns * blocks}, scales));
    if (request_.format.symmetric) return;
    made.zeros = fresh(made.numbers + "_zeros");
    add_tensor(made.zeros, pack(w.zeros, blocks, blocks, {w.columns * packed_bytes(type, blocks)}, 0));
  }

  // [K, N]; symmetric numbers of 8 bits are signed, with zero points of 0.
  void add_dequantized(const BlockWeights& w, Weights& made) {
    DequantizeOperands operands = dequantize_operands(w);
    if (w.bits == 8 && request_.format.symmetric) {
      const auto lowered = [](const Tensor& from) {
        return Tensor::make(DataType::i8, from.extents(), [&](std::byte* out) {
          for (int64_t i = 0; i < from.element_count(); ++i) out[i] = from.data()[i] ^ std::byte{0x80};
        });
      };
      operands.numbers = lowered(operands.numbers);
      operands.zeros = lowered(operands.zeros);
    }
    add_tensor(made.numbers, operands.numbers);
    add_tensor(made.scales, operands.scales);
    if (form_ == WeightForm::integers) return;
    made.zeros = fresh(made.numbers + "_zeros");
    add_tensor(made.zeros, operands.zeros);
  }

  void write_product(size_t at, const wire::Node& node, const Weights& w, const std::string& y) {
    const std::string &a = node.inputs[0], &name = node.name;
    if (form_ == WeightForm::bits) {
      std::vector<std::string> inputs = {a, w.numbers, w.scales};
      if (!w.zeros.empty()) inputs.push_back(w.zeros);
      return add_node(
          at,
          {"MatMulNBits",
           kMicrosoft,
           name,
           std::move(inputs),
           {y},
           {{"K", w.depth}, {"N", w.columns}, {"bits", request_.format.bits}, {"block_size", request_.format.block}}});
    }
    if (form_ == WeightForm::dequantize) {
      const bool blocked = request_.format.block > 0 && request_.format.block < w.depth;
      const std::string floats = fresh(w.numbers + "_floats");
      std::vector<std::pair<std::string, int64_t>> attributes = {{"axis", blocked ? 0 : 1}};
      if (blocked) attributes.emplace_back("block_size", request_.format.block);
      add_node(
          at,
          {"DequantizeLinear", "", fresh(name + "_dequantize"), {w.numbers, w.scales, w.zeros}, {floats}, attributes});
      return add_node(at, {"MatMul", "", name, {a, floats}, {y}, {}});
    }
    // The numbers of a value serve all its readers.
    const auto [found, fresh_rows] = rows_.try_emplace(a);
    if (fresh_rows) {
      found->second = {fresh(a + "_numbers"), fresh(a + "_scale"), fresh(a + "_zero")};
      add_node(at, {"DynamicQuantizeLinear", "", fresh(a + "_quantize"), {a}, found->second, {}});
    }
    const std::vector<std::string>& x = found->second;
    const std::string sums = fresh(y + "_sums"), floats = fresh(y + "_floats"), scale = fresh(y + "_scale");
    add_node(at, {"MatMulInteger", "", name, {x[0], w.numbers, x[2]}, {sums}, {}});
    add_node(at, {"Cast", "", fresh(name + "_cast"), {sums}, {floats}, {{"to", 1}}});
    add_node(at, {"Mul", "", fresh(name + "_scale"), {x[1], w.scales}, {scale}, {}});
    add_node(at, {"Mul", "", fresh(name + "_scaled"), {floats, scale}, {y}, {}});
  }

  void add_node(size_t at, const wire::NewNode& node) { messages_[at].push_back(wire::node_message(node)); }
  void add_tensor(const std::string& name, const Tensor& tensor) {
    new_tensors_.push_back(wire::tensor_message(name, tensor));
  }

  // A name that nothing has yet.
  std::string fresh(const std::string& wanted) {
    if (names_.empty()) {
      for (const auto& [name, count] : reads_) names_.insert(name);
      for (const wire::Node& node : model_.graph.nodes) {
        names_.insert(node.name);
        names_.insert(node.outputs.begin(), node.outputs.end());
      }
      for (const auto& [name, tensor] : model_.graph.initializers) names_.insert(name);
    }
    std::string name = wanted;
    for (int i = 1; !names_.insert(name).second; ++i) name = fmt::format("{}_{}", wanted, i);
    return name;
  }

  void write(importers::Reader model) {
    protozero::pbf_writer out(result_.bytes);
    bool has_domain = false;
    while (model.next()) {
      if (model.tag() == 7) {
        std::string graph;
        write_graph(model.get_message(), graph);
        out.add_message(7, graph);
        continue;
      }
      if (model.tag() == 8) {
        const auto view = model.get_view();
        importers::Reader opset(view);
        while (opset.next()) {
          if (opset.tag() != 1)
            opset.skip();
          else if (importers::text_of(opset) == kMicrosoft)
            has_domain = true;
        }
        out.add_message(8, view);
        continue;
      }
      copy_field(model, out);
    }
    if (!has_domain && form_ == WeightForm::bits) out.add_message(8, wire::opset_message(kMicrosoft, 1));
  }

  static void copy_field(importers::Reader& from, protozero::pbf_writer& to) {
    const protozero::pbf_tag_type tag = from.tag();  // before its value is taken, which forgets it
    switch (from.wire_type()) {
      case protozero::pbf_wire_type::varint:
        return to.add_uint64(tag, from.get_uint64());
      case protozero::pbf_wire_type::fixed64:
        return to.add_fixed64(tag, from.get_fixed64());
      case protozero::pbf_wire_type::fixed32:
        return to.add_fixed32(tag, from.get_fixed32());
      default:
        return to.add_message(tag, from.get_view());
    }
  }

  void write_graph(importers::Reader graph, std::string& bytes) {
    protozero::pbf_writer out(bytes);
    size_t node = 0, tensor = 0;
    while (graph.next()) {
      if (graph.tag() == 1) {
        const auto view = graph.get_view();
        const auto at = messages_.find(node++);
        if (at == messages_.end())
          out.add_message(1, view);
        else
          for (const std::string& message : at->second) out.add_message(1, message);
      } else if (graph.tag() == 5) {
        const auto view = graph.get_view();
        const auto& [name, value] = model_.graph.initializers.at(tensor++);
        if (dropped_.count(name) > 0) continue;
        if (is_external(importers::Reader(view)))
          out.add_message(5, wire::tensor_message(name, value));
        else
          out.add_message(5, view);
      } else {
        copy_field(graph, out);
      }
    }
    for (const std::string& message : new_tensors_) out.add_message(5, message);
  }

  static bool is_external(importers::Reader tensor) {
    while (tensor.next()) {
      if (tensor.tag() == 14 && tensor.wire_type() == protozero::pbf_wire_type::varint) return tensor.get_int32() == 1;
      tensor.skip();
    }
    return false;
  }

  std::string path_;
  const QuantizeRequest& request_;
  wire::Model model_;
  WeightForm form_ = WeightForm::automatic;
  std::vector<Target> targets_;
  std::map<std::string, int> reads_;
  std::set<std::string> dropped_, names_;
  std::map<std::string, Weights> weights_;
  std::map<std::string, std::vector<std::string>> rows_;  // of a value: its numbers, scale, zero point
  std::map<size_t, std::vector<std::string>> messages_;   // in place of a node
  std::vector<std::string> new_tensors_;
  QuantizedFile result_;
};

}  // namespace

QuantizedFile quantize_file(const std::string& path, const QuantizeRequest& request) {
  return FileQuantizer(path, request).run();
}

}  // namespace planish::onnx
