// Discrete Fourier transform and the matrix of mel filters.

#include "kernels/reference/signal.h"

#include <cmath>
#include <complex>
#include <numbers>

#include "kernels/reference/contracts.h"

namespace planish::kernels::reference {
namespace {

using Complex = std::complex<double>;

// Without the care for infinities that the operator of std::complex takes.
Complex times(Complex a, Complex b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

int64_t smallest_factor(int64_t n) {
  for (int64_t p = 2; p * p <= n; ++p)
    if (n % p == 0) return p;
  return n;
}

// y[k] = sum over j of x[j] * root^(j k), root = exp(∓2πi / n), for any n: the sums over every p-th element, p the
// smallest prime factor, are transforms of n / p elements.
class FourierTransform {
 public:
  FourierTransform(int64_t n, bool inverse) : n_(n) {
    for (int64_t i = 0; i < n; ++i) {
      const double angle = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(n);
      roots_.emplace_back(std::cos(angle), inverse ? std::sin(angle) : -std::sin(angle));
    }
  }

  std::vector<Complex> operator()(const std::vector<Complex>& x) const {
    std::vector<Complex> y(x.size()), scratch(x.size());
    part(x.data(), 1, n_, y.data(), scratch.data());
    return y;
  }

 private:
  void part(const Complex* x, int64_t step, int64_t n, Complex* y, Complex* scratch) const {
    if (n == 1) {
      *y = *x;
      return;
    }
    const int64_t p = smallest_factor(n), m = n / p;
    for (int64_t r = 0; r < p; ++r) part(x + r * step, step * p, m, scratch + r * m, y + r * m);
    for (int64_t k = 0; k < n; ++k) {
      Complex sum = 0;
      for (int64_t r = 0, turn = 0; r < p; ++r, turn = (turn + k) % n)
        sum += times(roots_[static_cast<size_t>(turn * step)], scratch[r * m + k % m]);
      y[k] = sum;
    }
  }

  int64_t n_;
  std::vector<Complex> roots_;
};

// Offset of row `i`, rows counted over all axes but `axis` and the last.
int64_t row_offset(const TensorView& view, size_t axis, int64_t i) {
  int64_t offset = 0;
  for (size_t k = static_cast<size_t>(view.rank) - 1; k-- > 0;) {
    if (k == axis) continue;
    offset += i % view.dims[k] * view.strides[k];
    i /= view.dims[k];
  }
  return offset;
}

struct DftRow {
  size_t axis, last;
  int64_t step(const TensorView& view) const { return view.strides[axis]; }
};

// Elements of a row, cut or filled with zeros to n; of half a spectrum also the other half, its mirror.
std::vector<Complex> load_signal(const TensorView& x, const DftRow& row, int64_t from, int64_t n, bool mirrored) {
  std::vector<Complex> signal(static_cast<size_t>(n));
  const int64_t given = std::min(x.dims[row.axis], mirrored ? n / 2 + 1 : n);
  const bool is_complex = x.dims[row.last] == 2;
  for (int64_t i = 0; i < given; ++i) {
    const int64_t at = from + i * row.step(x);
    const Complex value(load_double(x, at), is_complex ? load_double(x, at + x.strides[row.last]) : 0);
    signal[static_cast<size_t>(i)] = value;
    if (mirrored && i > 0 && i < n - i) signal[static_cast<size_t>(n - i)] = std::conj(value);
  }
  return signal;
}

void store_signal(const TensorView& y, const DftRow& row, int64_t to, const std::vector<Complex>& signal,
                  double scale) {
  for (int64_t i = 0; i < y.dims[row.axis]; ++i) {
    const Complex value = signal[static_cast<size_t>(i)] * scale;
    store_double(y, to + i * row.step(y), value.real());
    if (y.dims[row.last] == 2) store_double(y, to + i * row.step(y) + y.strides[row.last], value.imag());
  }
}

bool is_half_input(const DftAttrs& attrs) { return attrs.onesided != 0 && attrs.inverse != 0; }
bool is_half_result(const DftAttrs& attrs) { return attrs.onesided != 0 && attrs.inverse == 0; }

size_t dft_axis(const KernelArgs& args) {
  const int rank = args.inputs[0].rank;
  const int axis = normalize_axis(args.has_input(2) ? load_int(args.inputs[2], 0) : -2, rank);
  if (axis == rank - 1) fail(Code::invalid_argument, "a transform along the last axis, of real and imaginary parts");
  return static_cast<size_t>(axis);
}

// As given, or what there is; of half a spectrum of m values, 2 (m - 1).
int64_t dft_length(const KernelArgs& args, const DftAttrs& attrs, size_t axis) {
  const int64_t in = args.inputs[0].dims[axis];
  const int64_t n = args.has_input(1) ? load_int(args.inputs[1], 0) : is_half_input(attrs) ? 2 * (in - 1) : in;
  if (n < 1) fail(Code::invalid_argument, "a transform of length {}", n);
  return n;
}

void extents_dft(const KernelArgs& args) {
  const auto& attrs = args.as<DftAttrs>();
  const auto in = args.inputs[0].extents();
  std::vector<int64_t> extents(in.begin(), in.end());
  const size_t axis = dft_axis(args);
  const int64_t n = dft_length(args, attrs, axis);
  extents[axis] = is_half_result(attrs) ? n / 2 + 1 : n;
  extents.back() = is_half_input(attrs) ? 1 : 2;
  bind_extents(args, extents);
}

void run_dft(const KernelArgs& args) {
  const auto& attrs = args.as<DftAttrs>();
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  if (y.element_count() == 0) return;
  const int64_t named = args.has_input(2) ? load_int(args.inputs[2], 0) : -2;
  const DftRow row{static_cast<size_t>(normalize_axis(named, x.rank)), static_cast<size_t>(x.rank) - 1};
  if (row.axis == row.last)
    fail(Code::invalid_argument, "a transform along the last axis, of real and imaginary parts");
  for (size_t i = 0; i < row.last; ++i)
    if (i != row.axis && x.dims[i] != y.dims[i])
      fail(Code::invalid_argument, "axis {} of {} elements in a result of {}", i, x.dims[i], y.dims[i]);
  const int64_t n = dft_length(args, attrs, row.axis), found = y.dims[row.axis];
  if (found != (is_half_result(attrs) ? n / 2 + 1 : n))
    fail(Code::invalid_argument, "a transform of length {} into a result of {}", n, found);
  const FourierTransform transform(n, attrs.inverse != 0);
  const bool mirrored = is_half_input(attrs);
  const double scale = attrs.inverse != 0 ? 1 / static_cast<double>(n) : 1;
  const int64_t rows = y.element_count() / y.dims[row.axis] / y.dims[row.last];
  args.pool->parallel_for(rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      store_signal(y, row, row_offset(y, row.axis, i),
                   transform(load_signal(x, row, row_offset(x, row.axis, i), n, mirrored)), scale);
  });
}

// X [.., 1 or 2], length?, axis?; length and axis are data
void check_dft_operands(const Operands& o, const DftAttrs& attrs) {
  const Slot x = o.in(0).rank(2, kMaxRank);
  require(x.extent(-1) == 1 || (x.extent(-1) == 2 && !is_half_result(attrs)), "elements of {} parts", x.extent(-1));
  o.in(1).integers().elements(1);
  o.in(2).integers().elements(1);
}

void check_extents_dft(const KernelArgs& args) { check_dft_operands(Operands(args, 1, 3, 0, 0), args.as<DftAttrs>()); }

// -> X's type and rank, [.., 2], or 1 where the result is real
void check_dft(const KernelArgs& args) {
  const Operands o(args, 1, 3);
  const auto& attrs = args.as<DftAttrs>();
  check_dft_operands(o, attrs);
  const Slot x = o.in(0), y = o.out().type_of(x).rank(x.view().rank, x.view().rank);
  require(y.extent(-1) == (is_half_input(attrs) ? 1 : 2), "results of {} parts", y.extent(-1));
}

double mel_of(double hertz) { return 2595 * std::log10(1 + hertz / 700); }
double hertz_of(double mel) { return 700 * (std::pow(10, mel / 2595) - 1); }

// Spectrum bins of the edges of all triangles: filter i rises from edge i to i + 1 and falls to i + 2.
std::vector<int64_t> mel_edges(const KernelArgs& args, int64_t filters) {
  const double length = load_double(args.inputs[1], 0), rate = load_double(args.inputs[2], 0);
  const double low = mel_of(load_double(args.inputs[3], 0)), high = mel_of(load_double(args.inputs[4], 0));
  std::vector<int64_t> edges;
  for (int64_t i = 0; i < filters + 2; ++i) {
    const double mel = low + static_cast<double>(i) * (high - low) / static_cast<double>(filters + 2);
    const double bin = std::floor((length + 1) * hertz_of(mel) / rate);
    if (!(std::abs(bin) < 1e9)) fail(Code::invalid_argument, "a mel filter that begins at bin {}", bin);
    edges.push_back(static_cast<int64_t>(bin));
  }
  return edges;
}

// Height of the triangle of edges left, top, right at a bin.
double mel_height(int64_t left, int64_t top, int64_t right, int64_t bin) {
  if (bin == top) return 1;
  if (bin > left && bin < top) return static_cast<double>(bin - left) / static_cast<double>(top - left);
  if (bin > top && bin < right) return static_cast<double>(right - bin) / static_cast<double>(right - top);
  return 0;
}

void run_mel_weight_matrix(const KernelArgs& args) {
  const TensorView& y = args.outputs[0];
  if (load_int(args.inputs[0], 0) != y.dims[1] || load_int(args.inputs[1], 0) / 2 + 1 != y.dims[0])
    fail(Code::invalid_argument, "{} filters over a transform of {} in a result of {} by {}",
         load_int(args.inputs[0], 0), load_int(args.inputs[1], 0), y.dims[0], y.dims[1]);
  const auto edges = mel_edges(args, y.dims[1]);
  for (int64_t bin = 0; bin < y.dims[0]; ++bin)
    for (int64_t i = 0; i < y.dims[1]; ++i) {
      const int64_t* edge = edges.data() + i;
      store_double(y, bin * y.strides[0] + i * y.strides[1], mel_height(edge[0], edge[1], edge[2], bin));
    }
}

void extents_mel_weight_matrix(const KernelArgs& args) {
  bind_extents(args, {load_int(args.inputs[1], 0) / 2 + 1, load_int(args.inputs[0], 0)});
}

// filters, length of the transform, samples a second, lowest and highest frequency
void check_mel_operands(const Operands& o) {
  for (size_t i = 0; i < 5; ++i) o.in(i).elements(1);
  for (size_t i : {0, 1, 2}) o.in(i).integers();
}

void check_extents_mel(const KernelArgs& args) { check_mel_operands(Operands(args, 5, 5, 0, 0)); }

// -> [length / 2 + 1, filters]
void check_mel_weight_matrix(const KernelArgs& args) {
  const Operands o(args, 5, 5);
  check_mel_operands(o);
  o.out().rank(2, 2);
}

}  // namespace

void register_signal(KernelTable& table) {
  table.add(make_kernel<DftAttrs>("dft", check_dft, run_dft));
  table.add(make_kernel<DftAttrs>("extents.dft", check_extents_dft, extents_dft));
  table.add(make_kernel<MelAttrs>("extents.mel_weight_matrix", check_extents_mel, extents_mel_weight_matrix));
  table.add(make_kernel<MelAttrs>("mel_weight_matrix", check_mel_weight_matrix, run_mel_weight_matrix));
}

}  // namespace planish::kernels::reference
