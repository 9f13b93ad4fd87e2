// Matrix product with weights that are numbers of 4 or 8 bits: A [.., M, K] x (numbers - zeros) * scales [K, N].
//
// Few rows read the numbers as they are: the weights' way from memory is what such a product costs. For more of them,
// slices of a panel become f32 in L1 and meet all rows of a chunk, as those of "gemm".

#include "kernels/cpu/common/number_rows.h"
#include "kernels/cpu/common/product.h"
#include "tensor/copy.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

struct NumberParams : GemmParams {
  NumberAttrs numbers;
  NumberLayout layout;
};

std::shared_ptr<const void> decode_numbers(const Attrs& attrs) {
  const auto a = attrs_to<NumberAttrs>(attrs);
  require((a.bits == 4 || a.bits == 8) && a.depth >= 1 && a.depth <= kMostDepthOfNumbers && a.columns >= 1 &&
              a.columns <= kMostColumns && a.group == 1 && a.kernel.empty() && a.slots == 0,
          "damaged parameters of a product with numbers");
  require(a.block >= kBlockStep && a.block <= kDeepestBlock && a.block % kBlockStep == 0, "blocks of {}", a.block);
  require(a.zero >= -1 && a.zero < (1 << a.bits) && (a.dots == 0 || a.dots == 1), "damaged parameters of numbers");
  const bool fits = a.digit_bits == 7 || (a.digit_bits == 8 && (a.dots == 1 || a.bits == 4));
  require(a.digit_bits == 0 || fits, "digits of {} bits", a.digit_bits);
  auto params = std::make_shared<NumberParams>();
  params->numbers = a;
  params->attrs = a;
  static_cast<EpilogueSetup&>(*params) = decode_epilogue(a);
  if (params->has_program) params->activation = activation_of(params->program);
  params->layout = NumberLayout(a, Isa::PLANISH_ISA);
  return params;
}

int64_t rows_of_product(const TensorView& a) {
  const int64_t depth = a.dims[static_cast<size_t>(a.rank - 1)];
  return depth == 0 ? 0 : a.element_count() / depth;
}

// A [.., M, K], bytes of numbers, bias?, extras -> Y [.., M, N], columns adjacent
void check_numbers(const KernelArgs& args) {
  const auto& params = args.as<NumberParams>();
  check_product(args, -1);
  const Operands o(args, 2, args.inputs.size());
  const Slot a = o.in(0).rank(2, kMaxRank);
  require(a.extent(-1) == params.numbers.depth, "{} columns against {} rows", a.extent(-1), params.numbers.depth);
  o.in(1).is({DataType::u8}).shape({params.layout.bytes()}).dense();
  std::vector<int64_t> dims(a.extents().begin(), a.extents().end());
  dims.back() = params.numbers.columns;
  o.out().shape(dims);
}

int64_t gathered_bytes(const TensorView& a) { return is_gathered(a) ? round_to_lines(a.element_count()) * 4 : 0; }

bool has_digits(const NumberParams& params) { return Vec::kWidth > 1 && params.numbers.digit_bits > 0; }
bool takes_digits(const NumberParams& params, int64_t rows) { return has_digits(params) && rows <= kFewRows; }

int64_t numbers_workspace(const KernelArgs& args) {
  const auto& params = args.as<NumberParams>();
  const int64_t rows = rows_of_product(args.inputs[0]), gathered = gathered_bytes(args.inputs[0]);
  if (!has_digits(params)) return gathered;
  // Of many rows as of a few: more rows never need less.
  return checked_add(gathered, checked_mul(std::min(rows, kFewRows), DigitLayout(params.layout).row_bytes()));
}

// Positions [from, to) of a block of a panel, as f32, [position][kPanel].
void widen_block(const NumberParams& params, const std::byte* block, int64_t values, int64_t from, int64_t to,
                 float* out) {
  const NumberLayout& layout = params.layout;
  const auto* scales = reinterpret_cast<const float*>(block);
  const auto* words = reinterpret_cast<const uint32_t*>(block) + kNumberColumns;
  const auto* zeros = reinterpret_cast<const uint8_t*>(words + layout.words_of(values) * kNumberColumns);
  float zero[kNumberColumns];
  for (int i = 0; i < kNumberColumns; ++i)
    zero[i] = static_cast<float>(layout.has_zeros ? zeros[i] : static_cast<uint8_t>(params.numbers.zero));
  const uint32_t mask = params.numbers.bits == 8 ? 255 : 15;
  for (int64_t k = from; k < to; ++k, out += kPanel) {
    const uint32_t* const word = words + k / layout.per_word * kNumberColumns;
    const int shift = layout.shift_of(k);
    for (int i = 0; i < kNumberColumns; ++i)
      out[i] = (static_cast<float>(static_cast<int32_t>(word[i] >> shift & mask)) - zero[i]) * scales[i];
  }
}

// A slice of the kPanel columns from panel * kPanel on.
void widen_slice(const Product& p, int64_t panel, const DepthSlice& slice, float* out) {
  const auto& params = *static_cast<const NumberParams*>(p.epilogue.params);
  const NumberLayout& layout = params.layout;
  constexpr int64_t kParts = kPanel / kNumberColumns;
  for (int64_t part = 0; part < kParts && panel * kParts + part < layout.panels(); ++part) {
    const std::byte* const from =
        static_cast<const std::byte*>(p.weights) + (panel * kParts + part) * layout.panel_bytes();
    const int64_t last = slice.channel + slice.channels;
    for (int64_t k = slice.channel; k < last;) {
      const int64_t b = k / layout.block, first = b * layout.block, end = std::min(last, first + layout.block);
      widen_block(params, from + layout.block_at(b), layout.depth_of(b), k - first, end - first,
                  out + (k - slice.channel) * kPanel + part * kNumberColumns);
      k = end;
    }
  }
}

#if !defined(PLANISH_ISA_scalar)

// Panels [begin, end) by all rows, whose digits lie in `digits`.
void run_number_panels(const Product& p, const DigitRow* digits, const ChunkRows& rows, int64_t begin, int64_t end) {
  const auto& params = *static_cast<const NumberParams*>(p.epilogue.params);
  const NumberLayout& layout = params.layout;
  const NumberFn multiply = number_function(params.numbers.bits, params.numbers.dots != 0);
  NumberTask task{
      &layout, nullptr, static_cast<float>(1 << params.numbers.digit_bits), DigitLayout(layout).stride, nullptr,
      nullptr, 0};
  constexpr int64_t kWordBytes = kNumberColumns * 4, kNear = 2048;  // near: of rows that pass once
  const int64_t groups = p.row_count / kNumberRows + std::popcount(static_cast<uint64_t>(p.row_count % kNumberRows));
  TileEnd out;
  out.low = params.low;
  out.high = params.high;
  out.activation = p.epilogue.activation;
  out.has_residual = p.epilogue.residual() != nullptr;
  for (int64_t panel = begin; panel < end; ++panel) {
    const int64_t at = panel * kNumberColumns;
    out.width = static_cast<int>(std::min<int64_t>(kNumberColumns, p.columns - at));
    alignas(64) float init[kNumberColumns];
    for (int i = 0; i < kNumberColumns; ++i) init[i] = p.bias != nullptr && i < out.width ? p.bias[at + i] : 0.f;
    task.panel = static_cast<const std::byte*>(p.weights) + panel * layout.panel_bytes();
    const auto* const first = reinterpret_cast<const char*>(task.panel);
    int64_t group = 0;
    for (int64_t m = 0; m < p.row_count; ++group) {
      task.ahead = first + (groups == 1 ? kNear : layout.panel_bytes() * (groups + group) / groups);
      task.ahead_bytes = kWordBytes / groups;
      const auto left = static_cast<int>(p.row_count - m);
      const int height = left >= kNumberRows ? kNumberRows : left >= 2 ? 2 : 1;
      for (int r = 0; r < height; ++r) {
        out.out[r] = rows.out[m + r] + at;
        out.residual[r] = out.has_residual ? rows.residual[m + r] + at : nullptr;
      }
      task.rows = digits + m;
      multiply(task, height, init, out);
      m += height;
    }
  }
  if (p.epilogue.has_program)
    finish_rows(p.epilogue, p.rows, p.row_count, begin * kNumberColumns, std::min(end * kNumberColumns, p.columns));
}

// False where a row has no digits.
bool run_few(const Product& p, std::byte* memory, const DenseRows& source, ThreadPool& pool) {
  const auto& params = *static_cast<const NumberParams*>(p.epilogue.params);
  const DigitLayout at(params.layout);
  DigitRow digits[kFewRows];
  for (int64_t m = 0; m < p.row_count; ++m) digits[m] = DigitRow(memory + m * at.row_bytes(), at);
  ChunkRows rows;
  fill_chunk(p, source, 0, p.rows, p.row_count, rows);
  bool put[kFewRows] = {};
  pool.parallel_for(p.row_count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t m = begin; m < end; ++m) put[m] = put_row(rows.from[m], params.layout, params.numbers, at, digits[m]);
  });
  if (!std::all_of(put, put + p.row_count, [](bool is) { return is; })) return false;
  const int64_t panels = params.layout.panels();
  const int64_t tasks = std::min<int64_t>(panels, pool.size() == 1 ? 1 : 2 * pool.size());
  pool.parallel_for(tasks, 1, [&](int64_t begin, int64_t end) {
    run_number_panels(p, digits, rows, panels * begin / tasks, panels * end / tasks);
  });
  return true;
}

#else
bool run_few(const Product&, std::byte*, const DenseRows&, ThreadPool&) { return false; }
#endif

void run_numbers(const KernelArgs& args) {
  const auto& params = args.as<NumberParams>();
  const TensorView &a = args.inputs[0], &y = args.outputs[0];
  if (y.element_count() == 0) return;
  if (params.numbers.dots != 0 && !host_has(Mma::dot_i8))
    fail(Code::mismatch, "a product of kind {}, which this processor lacks", static_cast<int>(Mma::dot_i8));
  const int last = y.rank - 1, a_last = a.rank - 1;
  Product p;
  p.rows = rows_of(y, last);
  p.row_count = p.rows.count();
  p.columns = params.numbers.columns;
  p.channels = params.numbers.depth;
  p.weights = args.inputs[1].data;
  p.unpack = widen_slice;
  p.bias = params.attrs.has_bias != 0 ? args.inputs[2].as<const float>() : nullptr;
  p.row_blocks = params.attrs.row_blocks;
  p.epilogue = make_epilogue(args, last);
  TensorView rows = a;
  if (is_gathered(a)) {
    rows = make_view(args.workspace, DataType::f32, a.extents());
    copy_view(a, rows, *args.pool);
  }
  const DenseRows source{{rows.as<const float>(), without_axis(rows.strides, rows.rank, a_last), 1}};
  if (takes_digits(params, p.row_count) && run_few(p, args.workspace + gathered_bytes(a), source, *args.pool)) return;
  run_product(p, *args.pool, kMostBlocks, [&] { return source; });
}

}  // namespace

void register_number_gemm(KernelTable& table) {
  Kernel kernel = make_gemm_kernel("number_gemm", check_numbers, run_numbers, numbers_workspace);
  kernel.version = 1;
  kernel.decode = decode_numbers;
  table.add(std::move(kernel));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
