#include "tactics/cuda/common/source.h"

#include <bit>
#include <cctype>
#include <chrono>
#include <map>
#include <mutex>

#include "base/error.h"
#include "device/cuda/image_cache.h"
#include "device/cuda/nvrtc.h"
#include "kernels/cuda/sources.h"

namespace planish::tactics::cuda {
namespace {

// $0, $1, $2 are the operands; empty: there is no such form.
const char* real_form(PwOp op) {
  switch (op) {
    case PwOp::neg:
      return "-$0";
    case PwOp::abs:
      return "fabsf($0)";
    case PwOp::exp:
      return "pw_exp($0)";
    case PwOp::log:
      return "logf($0)";
    case PwOp::sqrt:
      return "sqrtf($0)";
    case PwOp::rsqrt:
      return "1.0f / sqrtf($0)";
    case PwOp::reciprocal:
      return "pw_div(1.0f, $0)";
    case PwOp::sin:
      return "sinf($0)";
    case PwOp::cos:
      return "cosf($0)";
    case PwOp::tan:
      return "tanf($0)";
    case PwOp::asin:
      return "asinf($0)";
    case PwOp::acos:
      return "acosf($0)";
    case PwOp::atan:
      return "atanf($0)";
    case PwOp::sinh:
      return "sinhf($0)";
    case PwOp::cosh:
      return "coshf($0)";
    case PwOp::tanh:
      return "pw_tanh($0)";
    case PwOp::asinh:
      return "asinhf($0)";
    case PwOp::acosh:
      return "acoshf($0)";
    case PwOp::atanh:
      return "atanhf($0)";
    case PwOp::erf:
      return "pw_erf($0)";
    case PwOp::sigmoid:
      return "pw_sigmoid($0)";
    case PwOp::floor:
      return "floorf($0)";
    case PwOp::ceil:
      return "ceilf($0)";
    case PwOp::round:
      return "pw_round($0)";
    case PwOp::trunc:
      return "truncf($0)";
    case PwOp::sign:
      return "pw_sign($0)";
    case PwOp::logical_not:
      return "$0 == 0 ? 1.0f : 0.0f";
    case PwOp::is_nan:
      return "$0 != $0 ? 1.0f : 0.0f";
    case PwOp::softplus:
      return "pw_softplus($0)";
    case PwOp::add:
      return "$0 + $1";
    case PwOp::sub:
      return "$0 - $1";
    case PwOp::mul:
      return "$0 * $1";
    case PwOp::div:
      return "pw_div($0, $1)";
    case PwOp::pow:
      return "powf($0, $1)";
    case PwOp::min:
      return "pw_min($0, $1)";
    case PwOp::max:
      return "pw_max($0, $1)";
    case PwOp::mod:
      return "pw_mod($0, $1)";
    case PwOp::fmod:
      return "fmodf($0, $1)";
    case PwOp::equal:
      return "$0 == $1 ? 1.0f : 0.0f";
    case PwOp::less:
      return "$0 < $1 ? 1.0f : 0.0f";
    case PwOp::less_equal:
      return "$0 <= $1 ? 1.0f : 0.0f";
    case PwOp::greater:
      return "$0 > $1 ? 1.0f : 0.0f";
    case PwOp::greater_equal:
      return "$0 >= $1 ? 1.0f : 0.0f";
    case PwOp::logical_and:
      return "$0 != 0 && $1 != 0 ? 1.0f : 0.0f";
    case PwOp::logical_or:
      return "$0 != 0 || $1 != 0 ? 1.0f : 0.0f";
    case PwOp::logical_xor:
      return "($0 != 0) != ($1 != 0) ? 1.0f : 0.0f";
    case PwOp::is_inf:
      return "pw_is_inf($0, $1)";
    case PwOp::select:
      return "$0 != 0 ? $1 : $2";
    default:
      return "";
  }
}

const char* integer_form(PwOp op) {
  switch (op) {
    case PwOp::neg:
      return "pw_wrap(0 - pw_bits($0))";
    case PwOp::abs:
      return "$0 < 0 ? pw_wrap(0 - pw_bits($0)) : $0";
    case PwOp::floor:
    case PwOp::ceil:
    case PwOp::round:
    case PwOp::trunc:
      return "$0";
    case PwOp::sign:
      return "$0 > 0 ? 1 : $0 < 0 ? -1 : 0";
    case PwOp::logical_not:
      return "$0 == 0";
    case PwOp::bit_not:
      return "~$0";
    case PwOp::is_nan:
    case PwOp::is_inf:
      return "0";
    case PwOp::add:
      return "pw_wrap(pw_bits($0) + pw_bits($1))";
    case PwOp::sub:
      return "pw_wrap(pw_bits($0) - pw_bits($1))";
    case PwOp::mul:
      return "pw_wrap(pw_bits($0) * pw_bits($1))";
    case PwOp::div:
      return "pw_divide($0, $1)";
    case PwOp::mod:
      return "pw_modulo($0, $1)";
    case PwOp::fmod:
      return "pw_remainder($0, $1)";
    case PwOp::pow:
      return "pw_pow($0, $1)";
    case PwOp::min:
      return "$0 < $1 ? $0 : $1";
    case PwOp::max:
      return "$0 < $1 ? $1 : $0";
    case PwOp::equal:
      return "$0 == $1";
    case PwOp::less:
      return "$0 < $1";
    case PwOp::less_equal:
      return "$0 <= $1";
    case PwOp::greater:
      return "$0 > $1";
    case PwOp::greater_equal:
      return "$0 >= $1";
    case PwOp::logical_and:
      return "$0 != 0 && $1 != 0";
    case PwOp::logical_or:
      return "$0 != 0 || $1 != 0";
    case PwOp::logical_xor:
      return "($0 != 0) != ($1 != 0)";
    case PwOp::bit_and:
      return "$0 & $1";
    case PwOp::bit_or:
      return "$0 | $1";
    case PwOp::bit_xor:
      return "$0 ^ $1";
    case PwOp::shift_left:
      return "pw_shift($0, $1, true)";
    case PwOp::shift_right:
      return "pw_shift($0, $1, false)";
    case PwOp::select:
      return "$0 != 0 ? $1 : $2";
    default:
      return "";
  }
}

std::string filled(std::string_view form, const PwInstr& instruction) {
  const uint16_t operands[] = {instruction.a, instruction.b, instruction.c};
  std::string text;
  for (size_t i = 0; i < form.size(); ++i)
    text += form[i] == '$' ? fmt::format("r{}", operands[form[++i] - '0']) : std::string(1, form[i]);
  return text;
}

// a * sigmoid(a), whatever becomes of the sigmoid itself: the register of a, or -1.
int silu_operand(const PointwiseProgram& program, const PwInstr& mul) {
  if (mul.op != PwOp::mul) return -1;
  for (const auto& [value, gate] : {std::pair(mul.a, mul.b), std::pair(mul.b, mul.a)}) {
    if (gate < program.inputs) continue;
    const PwInstr& other = program.code[static_cast<size_t>(gate - program.inputs)];
    if (other.op == PwOp::sigmoid && other.a == value) return value;
  }
  return -1;
}

// The same form in double: sqrtf( and 1.0f lose their f. Names of ours are overloaded.
std::string in_double(std::string_view form) {
  const auto is_name = [&](size_t i) {
    return std::isalnum(static_cast<unsigned char>(form[i])) != 0 || form[i] == '_';
  };
  std::string text;
  for (size_t i = 0; i < form.size();) {
    size_t end = i;
    while (end < form.size() && is_name(end)) ++end;
    std::string word(form.substr(i, std::max<size_t>(end - i, 1)));
    const bool call = end < form.size() && form[end] == '(';
    const bool number = word.size() > 1 && std::isdigit(static_cast<unsigned char>(word[0])) != 0;
    if (word.size() > 1 && word.back() == 'f' && (number || (call && !word.starts_with("pw_")))) word.pop_back();
    text += word;
    i = std::max(end, i + 1);
  }
  return text;
}

std::string constant(double value, Arithmetic arithmetic) {
  if (arithmetic == Arithmetic::i64)
    return fmt::format("static_cast<int64_t>({}ull)", static_cast<uint64_t>(pw_integer(value)));
  if (arithmetic == Arithmetic::f64) return fmt::format("__longlong_as_double({}ull)", std::bit_cast<uint64_t>(value));
  return fmt::format("__uint_as_float({}u)", std::bit_cast<uint32_t>(static_cast<float>(value)));
}

}  // namespace

std::string device_type(DataType type) {
  switch (type) {
    case DataType::f32:
      return "float";
    case DataType::f16:
      return "half_t";
    case DataType::bf16:
      return "bfloat_t";
    case DataType::i8:
      return "int8_t";
    case DataType::u8:
      return "uint8_t";
    case DataType::i16:
      return "int16_t";
    case DataType::u16:
      return "uint16_t";
    case DataType::i32:
      return "int32_t";
    case DataType::u32:
      return "uint32_t";
    case DataType::i64:
      return "int64_t";
    case DataType::boolean:
      return "bool_t";
    default:
      return "";
  }
}

std::string wide_type(DataType type) {
  return type == DataType::f64 ? "double" : type == DataType::u64 ? "uint64_t" : device_type(type);
}

std::string word_type(DataType type) {
  static constexpr const char* kWords[] = {"", "uint8_t", "uint16_t", "", "uint32_t", "", "", "", "uint64_t"};
  return kWords[element_bytes(type)];
}

std::string with_primitives(const std::string& result) {
  const bool is_short = result == "half_t" || result == "bfloat_t";
  return std::string(is_short ? "#define PLANISH_SHORT_RESULT\n" : "") + "#include \"primitives.cuh\"\n";
}

std::string arithmetic_type(Arithmetic arithmetic) {
  return arithmetic == Arithmetic::f32 ? "float" : arithmetic == Arithmetic::f64 ? "double" : "int64_t";
}

std::string statements(const PointwiseProgram& program, Arithmetic arithmetic) {
  std::string text;
  auto at = static_cast<size_t>(program.inputs);
  const bool whole = arithmetic == Arithmetic::i64;
  for (const PwInstr& instruction : program.code) {
    std::string form = whole ? integer_form(instruction.op) : real_form(instruction.op);
    if (form.empty() && instruction.op != PwOp::constant)
      fail(Code::unsupported, "{} of {} elements", pw_name(instruction.op), whole ? "integer" : "floating-point");
    if (arithmetic == Arithmetic::f64) form = in_double(form);
    const int silu = arithmetic == Arithmetic::f32 ? silu_operand(program, instruction) : -1;
    text += fmt::format("  const {} r{} = {};\n", arithmetic_type(arithmetic), at++,
                        silu >= 0                          ? fmt::format("pw_silu(r{})", silu)
                        : instruction.op == PwOp::constant ? constant(instruction.immediate, arithmetic)
                                                           : filled(form, instruction));
  }
  return text;
}

std::string define(const std::string& name, const std::string& value) { return "-D" + name + "=" + value; }
std::string define(const std::string& name, int64_t value) { return define(name, std::to_string(value)); }

Hash128 sources_hash() {
  static const Hash128 hash = [] {
    std::string all = planish::cuda::nvrtc_version();
    for (const CudaSource& header : cuda_sources()) all += fmt::format("\n{}\n{}", header.name, header.text);
    return hash128(all.data(), all.size());
  }();
  return hash;
}

namespace {

// An image that is compiled once, whoever asks first; others wait for it alone.
struct Slot {
  std::mutex mutex;
  Tensor image;
};

std::shared_ptr<Slot> slot_of(const Hash128& key) {
  static std::mutex mutex;
  static std::map<Hash128, std::shared_ptr<Slot>> known;
  const std::lock_guard lock(mutex);
  std::shared_ptr<Slot>& slot = known[key];
  if (slot == nullptr) slot = std::make_shared<Slot>();
  return slot;
}

std::mutex counts_mutex;
ImageCounts counts;

std::string compiled(const std::string& source, const std::vector<std::string>& options, const std::string& arch,
                     const Hash128& key) {
  const auto start = std::chrono::steady_clock::now();
  if (auto cached = planish::cuda::cached_image(key)) {
    const std::lock_guard lock(counts_mutex);
    ++counts.from_disk;
    return *std::move(cached);
  }
  std::vector<planish::cuda::SourceFile> headers;
  for (const CudaSource& header : cuda_sources()) headers.push_back({header.name, header.text});
  std::string cubin = planish::cuda::compile(source, "kernel.cu", headers, options, arch).cubin;
  planish::cuda::cache_image(key, cubin);
  const std::lock_guard lock(counts_mutex);
  ++counts.compiled;
  counts.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return cubin;
}

}  // namespace

ImageCounts image_counts() {
  const std::lock_guard lock(counts_mutex);
  return counts;
}

Tensor image_of(const std::string& source, const std::vector<std::string>& options, const std::string& arch) {
  std::string text = sources_hash().hex() + arch;
  for (const std::string& option : options) text += "\n" + option;
  text += "\n" + source;
  const Hash128 key = hash128(text.data(), text.size());
  const auto slot = slot_of(key);
  const std::lock_guard lock(slot->mutex);
  if (slot->image.present()) return slot->image;
  const std::string cubin = compiled(source, options, arch, key);
  return slot->image = Tensor::of<uint8_t>({static_cast<int64_t>(cubin.size())},
                                           {reinterpret_cast<const uint8_t*>(cubin.data()), cubin.size()});
}

}  // namespace planish::tactics::cuda
