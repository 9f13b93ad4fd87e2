// Networks as bytes: the text, then the constants that it names, then the tensors among attributes, in the order of the
// nodes.

#include <cstring>
#include <map>

#include "api/build/network.h"
#include "base/checked.h"
#include "ir/text.h"
#include "ops/builder.h"

using namespace planish;
using planish::api::guarded;
using planish::api::required;

namespace {

constexpr std::string_view kMagic = "planish network 2";

class Writer {
 public:
  Writer(planish_write_fn write, void* user) : write_(write), user_(user) {}
  void raw(const void* data, size_t size) const {
    if (size > 0 && write_(user_, data, size) == 0) fail(Code::io, "the network could not be written");
  }
  void number(int64_t value) const { raw(&value, sizeof value); }
  void text(std::string_view value) const {
    number(static_cast<int64_t>(value.size()));
    raw(value.data(), value.size());
  }

 private:
  planish_write_fn write_;
  void* user_;
};

class Reader {
 public:
  Reader(const void* bytes, size_t size) : rest_(static_cast<const char*>(bytes), size) {}
  std::string_view raw(int64_t size) {
    if (size < 0 || static_cast<size_t>(size) > rest_.size())
      fail(Code::invalid_model, "the network's bytes end early: {} are needed, {} are left", size, rest_.size());
    const std::string_view part = rest_.substr(0, static_cast<size_t>(size));
    rest_.remove_prefix(part.size());
    return part;
  }
  int64_t number() {
    int64_t value = 0;
    std::memcpy(&value, raw(sizeof value).data(), sizeof value);
    return value;
  }
  std::string_view text() { return raw(number()); }

 private:
  std::string_view rest_;
};

Tensor read_tensor(Reader& in) {
  const auto type = api::checked_dtype(static_cast<planish_dtype>(in.number()));
  const int64_t rank = in.number();
  if (rank < 0 || rank > kMaxRank) fail(Code::invalid_model, "a constant of rank {}", rank);
  std::vector<int64_t> extents;
  for (int64_t i = 0; i < rank; ++i) {
    extents.push_back(in.number());
    if (extents.back() < 0) fail(Code::invalid_model, "a constant of the extent {}", extents.back());
  }
  const std::string_view data = in.text();
  if (checked_mul(checked_product(extents), element_bytes(type)) != std::ssize(data))
    fail(Code::invalid_model, "a constant of {} bytes", data.size());
  return Tensor::make(type, extents, [&](std::byte* out) { std::memcpy(out, data.data(), data.size()); });
}

void write_tensor(const Writer& out, const Tensor& tensor) {
  out.number(static_cast<int64_t>(tensor.dtype()));
  out.number(tensor.rank());
  for (int64_t extent : tensor.extents()) out.number(extent);
  out.text({reinterpret_cast<const char*>(tensor.data()), static_cast<size_t>(tensor.byte_count())});
}

// The text has empty ones in their place: it names large ones by their hashes alone.
template <class Each>
void each_tensor_attribute(Graph& graph, Each each) {
  for (NodeId id : graph.nodes()) {
    Node& node = graph.mutable_node(id);
    std::vector<std::string> names;
    for (const auto& [name, value] : node.attrs.entries())
      if (std::holds_alternative<Tensor>(value)) names.push_back(name);
    for (const std::string& name : names) node.attrs.set(name, each(node.attrs.get<Tensor>(name)));
    for (const auto& region : node.regions) each_tensor_attribute(*region, each);
  }
}

void write_network(const planish_network& network, const Writer& out) {
  Graph graph = network.graph.clone();
  std::vector<Tensor> attributes;
  each_tensor_attribute(graph, [&](const Tensor& tensor) {
    attributes.push_back(tensor);
    return Tensor::zeros(DataType::u8, {0});
  });
  out.raw(kMagic.data(), kMagic.size());
  out.text(print(graph));
  std::string ranged;
  for (const std::string& symbol : network.ranged) ranged += symbol + "\n";
  out.text(ranged);
  const ConstantPool constants = constants_of(graph);
  out.number(std::ssize(constants));
  for (const auto& [hash, tensor] : constants) {
    out.text(hash);
    write_tensor(out, tensor);
  }
  for (const Tensor& tensor : attributes) write_tensor(out, tensor);
}

}  // namespace

extern "C" {

planish_status planish_network_write(const planish_network* network, planish_write_fn write, void* user) {
  return guarded(
      [&] { write_network(required(network, "the network"), Writer(&required(write, "the writer"), user)); });
}

planish_status planish_network_read(const void* bytes, size_t size, planish_network** network) {
  return guarded([&] {
    required(network, "the result");
    Reader in(&required(static_cast<const char*>(bytes), "the bytes"), size);
    if (size < kMagic.size() || in.raw(std::ssize(kMagic)) != kMagic)
      fail(Code::invalid_model, "these are not the bytes of a network");
    const std::string_view text = in.text(), ranged = in.text();
    ConstantPool constants;
    for (int64_t i = 0, n = in.number(); i < n; ++i) {
      const std::string hash(in.text());
      constants.emplace(hash, read_tensor(in));
    }
    auto made = std::make_unique<planish_network>();
    made->graph = parse_graph(text, constants);
    each_tensor_attribute(made->graph, [&](const Tensor&) { return read_tensor(in); });
    verify(made->graph);
    for (size_t at = 0; at < ranged.size();) {
      const size_t end = ranged.find('\n', at);
      made->ranged.emplace(ranged.substr(at, end - at));
      at = end + 1;
    }
    *network = made.release();
  });
}

planish_status planish_network_set_constant(planish_network* network, planish_value value, const void* data) {
  return guarded([&] {
    const ValueId id = api::value_at(required(network, "the network"), value);
    required(static_cast<const char*>(data), "the data");
    const Tensor before = network->graph.value(id).constant;
    if (!before.present()) fail(Code::invalid_argument, "'{}' is no constant", network->graph.value(id).name);
    const Tensor after = Tensor::make(before.dtype(), before.extents(), [&](std::byte* out) {
      std::memcpy(out, data, static_cast<size_t>(before.byte_count()));
    });
    // What types follow from the elements of lists of extents is found again.
    const bool list = before.dtype() == DataType::i64 || before.dtype() == DataType::i32;
    if (!list) {
      network->graph.mutable_value(id).constant = after;
      return;
    }
    api::edit(*network, [&](Graph& graph) { graph.mutable_value(id).constant = after; });
  });
}

}  // extern "C"
