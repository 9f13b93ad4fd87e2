#include <flatbuffers/flatbuffers.h>

#include <cstring>
#include <map>
#include <unordered_map>

#include "base/checked.h"
#include "base/file.h"
#include "base/hash.h"
#include "gen/plan_generated.h"
#include "plan/header.h"
#include "plan/plan.h"

namespace planish {

uint64_t plan_index_checksum(const PlanHeader& header, std::span<const std::byte> index) {
  const uint64_t seed = hash64(&header, offsetof(PlanHeader, index_checksum));
  return hash64(index.data(), index.size(), seed);
}

uint64_t plan_checksum(const PlanHeader& header, std::span<const std::byte> file) {
  const uint64_t seed = hash64(&header, offsetof(PlanHeader, checksum));
  return hash64(file.data() + sizeof(PlanHeader), file.size() - sizeof(PlanHeader), seed);
}

namespace {

template <class T>
using Offsets = std::vector<flatbuffers::Offset<T>>;

class Writer {
 public:
  std::vector<std::byte> write(const Plan& plan) {
    std::vector<uint32_t> constants;
    for (const Tensor& tensor : plan.constants) constants.push_back(tensor_index(tensor));
    Offsets<fb::Binding> bindings;
    for (const Binding& binding : plan.bindings) bindings.push_back(write_binding(binding));
    Offsets<fb::Profile> profiles;
    for (const Profile& profile : plan.profiles) profiles.push_back(write_profile(profile));
    Offsets<fb::Note> notes;
    for (const auto& [key, value] : plan.notes) notes.push_back(fb::CreateNote(b_, str(key), str(value)));
    // Expressions and tensors are complete only now.
    const auto exprs = b_.CreateVector(exprs_);
    const auto tensors = b_.CreateVector(tensors_);
    const auto notes_vector = b_.CreateVector(notes);
    const auto bindings_vector = b_.CreateVector(bindings);
    const auto profiles_vector = b_.CreateVector(profiles);
    const auto constants_vector = b_.CreateVector(constants);
    b_.Finish(fb::CreatePlan(b_, str(plan.producer), str(plan.target), str(plan.isa), str(plan.model), notes_vector,
                             exprs, bindings_vector, profiles_vector, tensors, constants_vector));
    return assemble();
  }

 private:
  flatbuffers::Offset<flatbuffers::String> str(const std::string& text) { return b_.CreateSharedString(text); }

  uint32_t expr_index(Dim dim) {
    if (auto at = expr_of_.find(dim.str()); at != expr_of_.end()) return at->second;
    std::vector<uint32_t> operands;
    for (Dim operand : dim.operands()) operands.push_back(expr_index(operand));
    const auto index = static_cast<uint32_t>(exprs_.size());
    exprs_.push_back(fb::CreateExpr(b_, static_cast<uint8_t>(dim.op()), dim.is_constant() ? dim.value() : 0,
                                    str(std::string(dim.name())), b_.CreateVector(operands)));
    expr_of_.emplace(dim.str(), index);
    return index;
  }

  flatbuffers::Offset<flatbuffers::Vector<uint32_t>> write_dims(const std::vector<Dim>& dims) {
    std::vector<uint32_t> indices;
    for (Dim dim : dims) indices.push_back(expr_index(dim));
    return b_.CreateVector(indices);
  }

  // Equal contents are stored once.
  uint32_t tensor_index(const Tensor& tensor) {
    const Hash128 hash = tensor.content_hash();
    if (auto at = tensor_of_.find(hash); at != tensor_of_.end()) return at->second;
    const auto index = static_cast<uint32_t>(tensors_.size());
    const auto bytes = static_cast<uint64_t>(tensor.byte_count());
    tensors_.push_back(fb::CreateTensor(b_, static_cast<uint8_t>(tensor.dtype()), b_.CreateVector(tensor.extents()),
                                        data_bytes_, bytes));
    data_.push_back(tensor);
    data_bytes_ = static_cast<uint64_t>(align_up(static_cast<int64_t>(data_bytes_ + bytes), kAlignment));
    tensor_of_.emplace(hash, index);
    return index;
  }

  flatbuffers::Offset<fb::Attr> write_attr(const Attrs::Entry& entry) {
    const auto name = str(entry.first);
    const AttrValue& value = entry.second;
    flatbuffers::Offset<flatbuffers::String> s;
    flatbuffers::Offset<flatbuffers::Vector<int64_t>> ints;
    flatbuffers::Offset<flatbuffers::Vector<double>> floats;
    flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>> strings;
    flatbuffers::Offset<flatbuffers::Vector<uint32_t>> exprs;
    int64_t i = 0;
    double f = 0;
    int32_t tensor = -1;
    if (const auto* v = std::get_if<int64_t>(&value)) i = *v;
    if (const auto* v = std::get_if<double>(&value)) f = *v;
    if (const auto* v = std::get_if<DataType>(&value)) i = static_cast<int64_t>(*v);
    if (const auto* v = std::get_if<std::string>(&value)) s = str(*v);
    if (const auto* v = std::get_if<std::vector<int64_t>>(&value)) ints = b_.CreateVector(*v);
    if (const auto* v = std::get_if<std::vector<double>>(&value)) floats = b_.CreateVector(*v);
    if (const auto* v = std::get_if<std::vector<std::string>>(&value)) strings = write_strings(*v);
    if (const auto* v = std::get_if<std::vector<Dim>>(&value)) exprs = write_dims(*v);
    if (const auto* v = std::get_if<Tensor>(&value)) tensor = static_cast<int32_t>(tensor_index(*v));
    return fb::CreateAttr(b_, name, static_cast<uint8_t>(value.index()), i, f, s, ints, floats, strings, exprs, tensor);
  }

  flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>> write_strings(
      const std::vector<std::string>& list) {
    Offsets<flatbuffers::String> offsets;
    for (const std::string& text : list) offsets.push_back(str(text));
    return b_.CreateVector(offsets);
  }

  flatbuffers::Offset<fb::View> write_view(const ViewDesc& view) {
    const auto dims = write_dims(view.dims);
    const auto strides = write_dims(view.strides);
    return fb::CreateView(b_, view.buffer, expr_index(view.offset), static_cast<uint8_t>(view.dtype), dims, strides);
  }

  flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<fb::View>>> write_views(
      const std::vector<ViewDesc>& views) {
    Offsets<fb::View> offsets;
    for (const ViewDesc& view : views) offsets.push_back(write_view(view));
    return b_.CreateVector(offsets);
  }

  flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<fb::Step>>> write_steps(const std::vector<Step>& steps) {
    Offsets<fb::Step> offsets;
    for (const Step& step : steps) offsets.push_back(write_step(step));
    return b_.CreateVector(offsets);
  }

  flatbuffers::Offset<fb::Step> write_step(const Step& step) {
    Offsets<fb::Attr> params;
    for (const auto& entry : step.params.entries()) params.push_back(write_attr(entry));
    const auto params_vector = b_.CreateVector(params);
    const auto name = str(step.name), op = str(step.op), kernel = str(step.kernel);
    const auto origins = write_strings(step.origins), binds = write_strings(step.binds);
    const auto inputs = write_views(step.inputs), outputs = write_views(step.outputs);
    const auto workspace = write_view(step.workspace);
    Offsets<fb::Body> bodies;
    for (const auto& body : step.bodies) bodies.push_back(fb::CreateBody(b_, write_steps(body)));
    const auto bodies_vector = b_.CreateVector(bodies);
    return fb::CreateStep(b_, step.id, static_cast<uint8_t>(step.kind), name, origins, op, kernel, step.version,
                          params_vector, inputs, outputs, workspace, binds, bodies_vector, expr_index(step.flops),
                          expr_index(step.bytes));
  }

  flatbuffers::Offset<fb::Binding> write_binding(const Binding& binding) {
    const auto name = str(binding.name);
    const auto dims = write_dims(binding.type.shape.dims());
    return fb::CreateBinding(b_, name, binding.is_input, static_cast<uint8_t>(binding.type.dtype), dims,
                             static_cast<uint8_t>(binding.space));
  }

  flatbuffers::Offset<fb::Profile> write_profile(const Profile& profile) {
    Offsets<fb::Symbol> symbols;
    for (const auto& [name, info] : profile.symbols)
      symbols.push_back(fb::CreateSymbol(b_, str(name), static_cast<uint8_t>(info.kind), info.range.min, info.range.opt,
                                         info.range.max));
    Offsets<fb::Buffer> buffers;
    for (const BufferDesc& buffer : profile.buffers)
      buffers.push_back(fb::CreateBuffer(b_, static_cast<uint8_t>(buffer.kind), static_cast<uint8_t>(buffer.space),
                                         buffer.index, buffer.offset, buffer.bytes, expr_index(buffer.size)));
    Offsets<fb::Guard> guards;
    for (const Guard& guard : profile.guards)
      guards.push_back(fb::CreateGuard(b_, expr_index(guard.left), expr_index(guard.right), str(guard.where)));
    const auto symbols_vector = b_.CreateVector(symbols);
    const auto guards_vector = b_.CreateVector(guards);
    const auto buffers_vector = b_.CreateVector(buffers);
    const auto steps = write_steps(profile.steps);
    return fb::CreateProfile(b_, symbols_vector, buffers_vector, steps, profile.arena_bytes, profile.live_peak_bytes,
                             guards_vector, profile.device_arena_bytes);
  }

  std::vector<std::byte> assemble() const {
    PlanHeader header{};
    std::memcpy(header.magic, "PLANISH", 8);
    header.version = kPlanFormatVersion;
    header.header_bytes = sizeof header;
    header.index_offset = sizeof header;
    header.index_bytes = b_.GetSize();
    header.data_offset =
        static_cast<uint64_t>(align_up(static_cast<int64_t>(header.index_offset + header.index_bytes), 4096));
    header.data_bytes = data_bytes_;
    header.file_bytes = header.data_offset + header.data_bytes;
    std::vector<std::byte> file(header.file_bytes);
    std::memcpy(file.data() + header.index_offset, b_.GetBufferPointer(), header.index_bytes);
    uint64_t offset = header.data_offset;
    for (const Tensor& tensor : data_) {
      std::memcpy(file.data() + offset, tensor.data(), static_cast<size_t>(tensor.byte_count()));
      offset = static_cast<uint64_t>(align_up(static_cast<int64_t>(offset) + tensor.byte_count(), kAlignment));
    }
    header.index_checksum = plan_index_checksum(header, {file.data() + header.index_offset, header.index_bytes});
    header.checksum = plan_checksum(header, file);
    std::memcpy(file.data(), &header, sizeof header);
    return file;
  }

  flatbuffers::FlatBufferBuilder b_;
  Offsets<fb::Expr> exprs_;
  Offsets<fb::Tensor> tensors_;
  std::unordered_map<std::string, uint32_t> expr_of_;
  std::map<Hash128, uint32_t> tensor_of_;
  std::vector<Tensor> data_;
  uint64_t data_bytes_ = 0;
};

}  // namespace

std::vector<std::byte> serialize(const Plan& plan) { return Writer().write(plan); }

void save(const Plan& plan, const std::string& path) {
  const auto bytes = serialize(plan);
  const std::span<const std::byte> part(bytes);
  write_file_atomic(path, {&part, 1});
}

}  // namespace planish
