// Operators of domain com.microsoft on weights packed in few bits: MatMulNBits, GatherBlockQuantized.

#include <cmath>

#include "base/checked.h"
#include "importers/onnx/pieces.h"
#include "tensor/narrow.h"

namespace planish::onnx {
namespace {

int64_t positive(NodeContext& context, const char* name, int64_t fallback) {
  const int64_t value = context.get_or<int64_t>(name, fallback);
  constexpr int64_t kMost = int64_t{1} << 40;
  if (value < 1 || value > kMost)
    fail(Code::invalid_model, "attribute '{}' is {}; 1 and more is accepted", name, value);
  return value;
}

DataType numbers_of_bits(NodeContext& context, std::initializer_list<int64_t> accepted) {
  const int64_t bits = context.get_or<int64_t>("bits", 4);
  std::string names;
  for (int64_t known : accepted) {
    if (bits == known) return bits == 2 ? DataType::u2 : bits == 4 ? DataType::u4 : DataType::u8;
    names += (names.empty() ? "" : known == *(accepted.end() - 1) ? " and " : ", ") + std::to_string(known);
  }
  fail(Code::unsupported, "attribute 'bits' is {}; {} are accepted", bits, names);
}

// A constant of one scale, or many: finite ones.
void check_scales(NodeContext& context, size_t i) {
  const Value& scales = context.value(context.input(i));
  if (!scales.is_constant() || !is_float(scales.type.dtype)) return;
  for (double scale : scales.constant.to_doubles())
    if (!std::isfinite(scale)) fail(Code::invalid_model, "a scale of {}; finite ones are accepted", scale);
}

// A [.., K] by N columns of blocks, whose numbers, scales and zero points lie column by column.
class PackedProduct {
 public:
  explicit PackedProduct(NodeContext& context)
      : context_(context),
        columns_(positive(context, "N", 0)),
        depth_(positive(context, "K", 0)),
        block_(positive(context, "block_size", 0)),
        blocks_((depth_ + block_ - 1) / block_),
        type_(numbers_of_bits(context, {2, 4, 8})) {
    if (block_ < 16 || (block_ & (block_ - 1)) != 0)
      fail(Code::invalid_model, "attribute 'block_size' is {}; powers of two from 16 on are accepted", block_);
  }

  void import() {
    check_scales(context_, 2);
    const DataType floats = context_.type(0).dtype;
    const ValueId scales =
        turned(reshaped(context_, as(DataType::f32, context_, context_.input(2)), {columns_, blocks_}));
    const ValueId numbers = context_.constant(unpacked(1, blocks_ * block_, depth_));
    ValueId weights;
    if (has_input(3) && is_float(context_.type(3).dtype))
      weights = with_float_zeros(numbers, scales);
    else if (has_input(4))
      weights = with_groups(numbers, scales);
    else
      weights = context_.add("dequantize_linear", {numbers, scales, zero_points()},
                             {{"axis", int64_t{0}}, {"block_size", block_}});
    ValueId y = context_.add("matmul", {as(DataType::f32, context_, context_.input(0)), weights});
    if (has_input(5)) y = context_.add("add", {y, as(DataType::f32, context_, context_.input(5))});
    if (floats == DataType::f32) return context_.alias(y);
    context_.emit("cast", {y}, {{"to", floats}});
  }

 private:
  bool has_input(size_t i) const { return context_.has_input(i); }
  ValueId turned(ValueId matrix) { return transposed(context_, matrix, {1, 0}); }

  // Columns of `count` numbers, each beginning at a byte, as rows of a matrix [kept, columns].
  Tensor unpacked(size_t i, int64_t count, int64_t kept) {
    const Value& value = context_.value(context_.input(i));
    const int64_t bytes = packed_bytes(type_, count);
    if (!value.is_constant()) fail(Code::unsupported, "operand {} is computed; a constant is accepted", i);
    const Tensor& packed = value.constant;
    if (packed.dtype() != DataType::u8 || packed.element_count() != checked_mul(columns_, bytes))
      fail(Code::invalid_model, "operand {} is {}; {} rows of {} bytes are accepted", i, value.type.str(), columns_,
           bytes);
    return Tensor::make(type_, {kept, columns_}, [&](std::byte* out) {
      const auto from = packed.as<uint8_t>();
      auto* to = reinterpret_cast<uint8_t*>(out);
      std::vector<uint8_t> column(static_cast<size_t>(count));
      for (int64_t n = 0; n < columns_; ++n) {
        unpack_narrow(type_, from.subspan(static_cast<size_t>(n * bytes), static_cast<size_t>(bytes)), column);
        for (int64_t k = 0; k < kept; ++k) to[k * columns_ + n] = column[static_cast<size_t>(k)];
      }
    });
  }

  ValueId zero_points() {
    if (has_input(3)) return context_.constant(unpacked(3, blocks_, blocks_));
    const int middle = 1 << (element_bits(type_) - 1);
    return context_.constant(Tensor::make(type_, {blocks_, columns_}, [&](std::byte* out) {
      std::fill_n(reinterpret_cast<uint8_t*>(out), blocks_ * columns_, static_cast<uint8_t>(middle));
    }));
  }

  ValueId blocks_of_rows() {
    std::vector<int64_t> rows;
    for (int64_t k = 0; k < depth_; ++k) rows.push_back(k / block_);
    return context_.ints(std::move(rows));
  }
  ValueId rows_of(ValueId blocks, ValueId rows) {
    return context_.add("gather", {blocks, rows}, {{"axis", int64_t{0}}});
  }

  ValueId with_float_zeros(ValueId numbers, ValueId scales) {
    const ValueId rows = has_input(4) ? groups() : blocks_of_rows();
    const ValueId zeros =
        turned(reshaped(context_, as(DataType::f32, context_, context_.input(3)), {columns_, blocks_}));
    const ValueId centred = context_.add("sub", {as(DataType::f32, context_, numbers), rows_of(zeros, rows)});
    return context_.add("mul", {centred, rows_of(scales, rows)});
  }

  // The block of each row [K].
  ValueId groups() {
    const Value& value = context_.value(context_.input(4));
    if (value.type.shape != Shape{Dim(depth_)} || !is_integer(value.type.dtype))
      fail(Code::invalid_model, "operand 4 ('g_idx') is {}; {} integers are accepted", value.type.str(), depth_);
    return as(DataType::i64, context_, context_.input(4));
  }
  ValueId with_groups(ValueId numbers, ValueId scales) {
    const ValueId rows = groups();
    return context_.add("dequantize_linear", {numbers, rows_of(scales, rows), rows_of(zero_points(), rows)},
                        {{"axis", int64_t{0}}, {"block_size", int64_t{1}}});
  }

  NodeContext& context_;
  int64_t columns_, depth_, block_, blocks_;
  DataType type_;
};

void import_matmul_bits(NodeContext& context) { PackedProduct(context).import(); }

// Rows of a table of numbers, dequantised when they are taken: data, indices, scales, zero points. Bytes hold numbers
// of `bits` packed along the last axis.
class PackedRows {
 public:
  explicit PackedRows(NodeContext& context) : context_(context), block_(positive(context, "block_size", 128)) {
    if (block_ < 16 || (block_ & (block_ - 1)) != 0)
      fail(Code::invalid_model, "attribute 'block_size' is {}; powers of two from 16 on are accepted", block_);
  }

  void import() {
    check_scales(context_, 2);
    const int rank = context_.type(0).shape.rank();
    const int from = normalize_axis(context_.get_or<int64_t>("gather_axis", 0), rank),
              blocks = normalize_axis(context_.get_or<int64_t>("quantize_axis", 1), rank);
    const ValueId numbers = unpacked(0), zeros = zero_points();
    if (from == blocks)
      return context_.emit("gather", {dequantized({numbers, context_.input(2), zeros}, blocks), context_.input(1)},
                           {{"axis", static_cast<int64_t>(from)}});
    std::vector<ValueId> taken;
    for (ValueId value : {numbers, context_.input(2), zeros})
      taken.push_back(context_.add("gather", {value, context_.input(1)}, {{"axis", static_cast<int64_t>(from)}}));
    const int indices = context_.type(1).shape.rank();
    context_.alias(dequantized(std::move(taken), blocks < from ? blocks : blocks + indices - 1));
  }

 private:
  ValueId dequantized(std::vector<ValueId> operands, int axis) {
    return context_.add("dequantize_linear", std::move(operands),
                        {{"axis", static_cast<int64_t>(axis)}, {"block_size", block_}});
  }

  // u8 holds numbers of `bits`; u4 and i4 are numbers.
  ValueId unpacked(size_t i) {
    const Value& value = context_.value(context_.input(i));
    const DataType found = value.type.dtype;
    if (found == DataType::u4 || found == DataType::i4) return context_.input(i);
    const DataType type = numbers_of_bits(context_, {2, 4, 8});
    if (found != DataType::u8 || !value.is_constant() || value.constant.rank() < 1)
      fail(Code::unsupported, "operand {} is {}; a constant of u8, u4 or i4 is accepted", i, value.type.str());
    if (type == DataType::u8) return context_.input(i);
    std::vector<int64_t> extents = value.constant.extents();
    extents.back() = checked_mul(extents.back(), 8 / element_bits(type));
    return context_.constant(Tensor::make(type, extents, [&](std::byte* out) {
      const auto from = value.constant.as<uint8_t>();
      unpack_narrow(type, from,
                    {reinterpret_cast<uint8_t*>(out), from.size() * static_cast<size_t>(8 / element_bits(type))});
    }));
  }

  // Without them: the middle of unsigned numbers that bytes hold, else 0.
  ValueId zero_points() {
    const Shape& scales = context_.type(2).shape;
    if (context_.has_input(3)) {
      const ValueId zeros = unpacked(3);
      // Packed along the last axis, the last byte may hold more of them than there are blocks.
      if (context_.value(zeros).type.shape == scales) return zeros;
      return sliced(context_, zeros, -1, 0, scales[scales.rank() - 1].value());
    }
    const ValueId numbers = context_.input(0);
    const DataType found = dtype_of(context_, numbers);
    const DataType type = found == DataType::u8 ? numbers_of_bits(context_, {2, 4, 8}) : found;
    const int middle = found == DataType::u8 ? 1 << (element_bits(type) - 1) : 0;
    if (!scales.is_static()) fail(Code::unsupported, "scales of dynamic extents");
    return context_.constant(Tensor::make(type, scales.extents(), [&](std::byte* out) {
      std::fill_n(reinterpret_cast<uint8_t*>(out), scales.element_count().value(), static_cast<uint8_t>(middle));
    }));
  }

  NodeContext& context_;
  int64_t block_;
};

void import_gather_blocks(NodeContext& context) { PackedRows(context).import(); }

}  // namespace

void register_packed_weights(ImporterTable& table) {
  table.add("com.microsoft::MatMulNBits", import_matmul_bits, 6);
  table.add("com.microsoft::GatherBlockQuantized", import_gather_blocks, 4);
}

}  // namespace planish::onnx
