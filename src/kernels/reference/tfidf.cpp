// Counts of runs of numbers in each row: TF counts, IDF has the weight of a run that occurs, TFIDF counts times
// weights. The numbers of a run lie 1, 2, … max_skip_count + 1 places apart.

#include "kernels/reference/tfidf.h"

#include <algorithm>
#include <map>

#include "kernels/check.h"

namespace planish {

int64_t tfidf_width(const TfIdfAttrs& attrs, Code code) {
  const auto lengths = static_cast<int64_t>(attrs.ngram_counts.size());
  const int64_t longest = attrs.max_gram_length, pool = std::ssize(attrs.pool_int64s);
  if (attrs.mode != "TF" && attrs.mode != "IDF" && attrs.mode != "TFIDF")
    fail(code, "attribute 'mode' is '{}'; TF, IDF and TFIDF are accepted", attrs.mode);
  if (longest < 1 || longest > lengths || attrs.min_gram_length < 1 || attrs.min_gram_length > longest)
    fail(code, "runs of {} to {} numbers, counts of {} lengths", attrs.min_gram_length, longest, lengths);
  constexpr int64_t kMostSkips = 1 << 20;
  if (attrs.max_skip_count < 0 || attrs.max_skip_count > kMostSkips)
    fail(code, "attribute 'max_skip_count' is {}; 0 to {} are accepted", attrs.max_skip_count, kMostSkips);
  int64_t runs = 0;
  for (int64_t n = 1; n <= lengths; ++n) {
    const auto at = static_cast<size_t>(n);
    const int64_t begin = attrs.ngram_counts[at - 1], end = n < lengths ? attrs.ngram_counts[at] : pool;
    if (begin < 0 || end < begin || end > pool || (end - begin) % n != 0)
      fail(code, "runs of {} numbers from {} to {} of {}", n, begin, end, pool);
    runs += (end - begin) / n;
  }
  if (std::ssize(attrs.ngram_indexes) != runs || (!attrs.weights.empty() && std::ssize(attrs.weights) != runs))
    fail(code, "{} indexes and {} weights for {} runs", attrs.ngram_indexes.size(), attrs.weights.size(), runs);
  int64_t largest = -1;
  constexpr int64_t kWidest = int64_t{1} << 31;
  for (int64_t index : attrs.ngram_indexes) {
    if (index < 0 || index >= kWidest) fail(code, "an index of {}; 0 to {} are accepted", index, kWidest - 1);
    largest = std::max(largest, index);
  }
  return largest + 1;
}

namespace kernels::reference {
namespace {

using Run = std::vector<int64_t>;

// The number of each run that is looked for.
std::map<Run, size_t> runs_of(const TfIdfAttrs& attrs) {
  std::map<Run, size_t> runs;
  size_t number = 0;
  const int64_t lengths = std::ssize(attrs.ngram_counts), pool = std::ssize(attrs.pool_int64s);
  for (int64_t n = 1; n <= lengths; ++n) {
    const int64_t end = n < lengths ? attrs.ngram_counts[static_cast<size_t>(n)] : pool;
    for (int64_t at = attrs.ngram_counts[static_cast<size_t>(n - 1)]; at < end; at += n, ++number)
      if (n >= attrs.min_gram_length && n <= attrs.max_gram_length)
        runs.emplace(Run(attrs.pool_int64s.begin() + at, attrs.pool_int64s.begin() + at + n), number);
  }
  return runs;
}

void count_runs(const TfIdfAttrs& attrs, const std::map<Run, size_t>& runs, const Run& row,
                std::vector<double>& counts) {
  const int64_t length = std::ssize(row);
  for (int64_t n = attrs.min_gram_length; n <= attrs.max_gram_length; ++n)
    for (int64_t apart = 1; apart <= (n == 1 ? 1 : attrs.max_skip_count + 1) && (n - 1) * apart < length; ++apart)
      for (int64_t begin = 0; begin + (n - 1) * apart < length; ++begin) {
        Run run;
        for (int64_t k = 0; k < n; ++k) run.push_back(row[static_cast<size_t>(begin + k * apart)]);
        if (const auto at = runs.find(run); at != runs.end()) counts[at->second] += 1;
      }
}

// X [C] or [N, C] -> [width] or [N, width]
void check_tfidf(const KernelArgs& args) {
  const Operands o(args, 1, 1);
  const Slot x = o.in(0).integers().rank(1, 2);
  const int64_t width = tfidf_width(args.as<TfIdfAttrs>(), Code::invalid_plan);
  if (x.view().rank == 1)
    o.out().shape({width});
  else
    o.out().shape({x.extent(0), width});
}

void run_tfidf(const KernelArgs& args) {
  const auto& attrs = args.as<TfIdfAttrs>();
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const auto runs = runs_of(attrs);
  const bool batched = x.rank == 2;
  const int64_t rows = batched ? x.dims[0] : 1;
  const auto last = static_cast<size_t>(x.rank - 1);
  for (int64_t n = 0; n < rows; ++n) {
    Run row;
    for (int64_t i = 0; i < x.dims[last]; ++i)
      row.push_back(load_int(x, (batched ? n * x.strides[0] : 0) + i * x.strides[last]));
    std::vector<double> counts(attrs.ngram_indexes.size());
    count_runs(attrs, runs, row, counts);
    const auto offset = [&](int64_t i) { return (batched ? n * y.strides[0] : 0) + i * y.strides[last]; };
    for (int64_t i = 0; i < y.dims[last]; ++i) store_double(y, offset(i), 0);
    for (size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] == 0) continue;
      const double weight = attrs.mode == "TF" || attrs.weights.empty() ? 1 : attrs.weights[i];
      store_double(y, offset(attrs.ngram_indexes[i]), (attrs.mode == "IDF" ? 1 : counts[i]) * weight);
    }
  }
}

}  // namespace

void register_tfidf(KernelTable& table) {
  table.add(make_kernel<TfIdfAttrs>("tfidf_vectorizer", check_tfidf, run_tfidf));
}

}  // namespace kernels::reference
}  // namespace planish
