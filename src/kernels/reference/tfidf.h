#pragma once
// Attributes of tfidf_vectorizer.

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace planish {

// pool_int64s: all runs of 1 number, then all of 2, …; ngram_counts: where those of each length begin; ngram_indexes:
// the result's element of each run; weights: its weight, absent: 1.
struct TfIdfAttrs {
  int64_t max_gram_length = 0, max_skip_count = 0, min_gram_length = 0;
  std::string mode = "TF";
  std::vector<int64_t> ngram_counts, ngram_indexes, pool_int64s;
  std::vector<double> weights;
  template <class V>
  void fields(V& v) {
    v("max_gram_length", max_gram_length);
    v("max_skip_count", max_skip_count);
    v("min_gram_length", min_gram_length);
    v("mode", mode);
    v("ngram_counts", ngram_counts);
    v("ngram_indexes", ngram_indexes);
    v("pool_int64s", pool_int64s);
    v("weights", weights);
  }
};

// How many elements the result has for a row. Throws Error(`code`) where the attributes contradict one another.
int64_t tfidf_width(const TfIdfAttrs& attrs, Code code);

}  // namespace planish
