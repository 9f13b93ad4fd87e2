// Einsum as transposes, sums, and one matrix product (or elementwise product, where nothing is summed) a pair of terms.

#include <algorithm>
#include <map>
#include <set>

#include "importers/onnx/pieces.h"

namespace planish::onnx {
namespace {

// Axes by label; those that an ellipsis stands for are '0', '1', … counted from the last.
struct Term {
  ValueId value;
  std::string labels;
};

bool holds(const std::string& labels, char label) { return labels.find(label) != std::string::npos; }

std::vector<std::string> split_terms(const std::string& text) {
  std::vector<std::string> terms(1);
  for (char c : text) {
    if (c == ',')
      terms.emplace_back();
    else
      terms.back() += c;
  }
  return terms;
}

class Einsum {
 public:
  explicit Einsum(NodeContext& context) : context_(context) {
    for (char c : context.get_or<std::string>("equation", ""))
      if (c != ' ') equation_ += c;
  }

  void import() {
    const size_t arrow = equation_.find("->");
    const auto texts = split_terms(equation_.substr(0, arrow));
    if (texts.size() != context_.inputs().size())
      refuse(fmt::format("has {} terms for {} operands", texts.size(), context_.inputs().size()));
    std::vector<Term> terms;
    for (size_t i = 0; i < texts.size(); ++i)
      terms.push_back({context_.input(i), expand_dots(texts[i], context_.type(i).shape.rank())});
    const std::string wanted =
        arrow == std::string::npos ? implicit_result(terms) : expand_dots(equation_.substr(arrow + 2), -1);
    check_result(terms, wanted);
    check_extents(terms);
    Term sum = reduced(diagonal(terms[0]), needed_by(terms, 1, wanted));
    for (size_t i = 1; i < terms.size(); ++i)
      sum = product(sum, reduced(diagonal(terms[i]), sum.labels + needed_by(terms, i + 1, wanted)),
                    needed_by(terms, i + 1, wanted));
    finish(sum, wanted);
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    fail(Code::invalid_model, "equation '{}' {}", equation_, why);
  }

  // `rank` < 0: the result, which takes all axes that ellipses of the terms stand for.
  std::string expand_dots(const std::string& text, int rank) {
    const size_t dots = text.find("...");
    std::string labels = text;
    if (dots != std::string::npos) labels.erase(dots, 3);
    if (std::any_of(labels.begin(), labels.end(), [](unsigned char c) { return std::isalpha(c) == 0; }))
      refuse("holds more than letters, commas, ellipses and an arrow");
    if (dots != std::string::npos) {
      const int count = rank < 0 ? dotted_ : rank - static_cast<int>(labels.size());
      if (count < 0 || count > 9) refuse(fmt::format("names {} axes of an operand of rank {}", labels.size(), rank));
      if (rank >= 0) dotted_ = std::max(dotted_, count);
      std::string digits;
      for (int i = count; i-- > 0;) digits += static_cast<char>('0' + i);
      labels.insert(dots, digits);
    } else if (rank >= 0 && static_cast<int>(labels.size()) != rank) {
      refuse(fmt::format("names {} axes of an operand of rank {}", labels.size(), rank));
    }
    return labels;
  }

  // Axes of ellipses, then labels that occur once, sorted.
  std::string implicit_result(const std::vector<Term>& terms) const {
    std::string all, result;
    for (const Term& term : terms) all += term.labels;
    for (int i = dotted_; i-- > 0;) result += static_cast<char>('0' + i);
    for (char c : std::set<char>(all.begin(), all.end()))
      if (std::isalpha(static_cast<unsigned char>(c)) != 0 && std::count(all.begin(), all.end(), c) == 1) result += c;
    return result;
  }

  void check_result(const std::vector<Term>& terms, const std::string& wanted) const {
    const std::string known = needed_by(terms, 0, "");
    for (char c : wanted)
      if (!holds(known, c) || std::count(wanted.begin(), wanted.end(), c) > 1)
        refuse(fmt::format("has a result axis '{}' that is in no term, or twice in the result", c));
  }

  // A label has one extent along a diagonal; between terms, 1 repeats.
  void check_extents(const std::vector<Term>& terms) {
    std::map<char, Dim> all;
    for (const Term& term : terms) {
      std::map<char, Dim> own;
      for (size_t i = 0; i < term.labels.size(); ++i) {
        const Dim extent = shape(term.value)[static_cast<int>(i)];
        require_equal(term.labels[i], own.try_emplace(term.labels[i], extent).first->second, extent);
      }
      for (const auto& [label, extent] : own) {
        Dim& known = all.try_emplace(label, extent).first->second;
        if (known == Dim(1)) known = extent;
        if (extent != Dim(1)) require_equal(label, known, extent);
      }
    }
  }

  void require_equal(char label, Dim a, Dim b) {
    if (!assume_equal(context_.graph(), a, b, fmt::format("node '{}' (Einsum)", context_.name())))
      refuse(fmt::format(
          "has extents of {} and {} under {}", a.str(), b.str(),
          std::isdigit(static_cast<unsigned char>(label)) != 0 ? "an ellipsis" : fmt::format("'{}'", label)));
  }

  static std::string needed_by(const std::vector<Term>& terms, size_t first, std::string wanted) {
    for (size_t i = first; i < terms.size(); ++i) wanted += terms[i].labels;
    return wanted;
  }

  const Shape& shape(ValueId id) const { return context_.value(id).type.shape; }

  // A label that occurs twice in a term names the diagonal: what is off it becomes 0, and one axis is summed up.
  Term diagonal(Term term) {
    for (size_t b = term.labels.size(); b-- > 1;) {
      const size_t a = term.labels.find(term.labels[b]);
      if (a == b) continue;
      const int rank = static_cast<int>(term.labels.size());
      const ValueId same = context_.add("equal", {iota(term.value, a, rank), iota(term.value, b, rank)});
      const ValueId kept = context_.add("where", {same, term.value, context_.scalar_like(term.value, 0)});
      term = {sum_over(kept, {static_cast<int64_t>(b)}), term.labels.substr(0, b) + term.labels.substr(b + 1)};
    }
    return term;
  }

  // 0, 1, … along one axis.
  ValueId iota(ValueId like, size_t axis, int rank) {
    const int at = static_cast<int>(axis);
    return along(context_, positions(context_, shape(like)[at]), at, rank);
  }

  ValueId sum_over(ValueId value, std::vector<int64_t> axes) {
    return context_.add("reduce_sum", {value, context_.ints(std::move(axes))}, {{"keepdims", int64_t{0}}});
  }

  // Axes that nobody else needs are summed up.
  Term reduced(const Term& term, const std::string& needed) {
    std::vector<int64_t> axes;
    Term left{term.value, ""};
    for (size_t i = 0; i < term.labels.size(); ++i) {
      if (holds(needed, term.labels[i]))
        left.labels += term.labels[i];
      else
        axes.push_back(static_cast<int64_t>(i));
    }
    if (!axes.empty()) left.value = sum_over(term.value, std::move(axes));
    return left;
  }

  ValueId ordered(const Term& term, const std::string& labels) {
    if (labels == term.labels) return term.value;
    std::vector<int64_t> perm;
    for (char c : labels) perm.push_back(static_cast<int64_t>(term.labels.find(c)));
    return context_.add("transpose", {term.value}, {{"perm", perm}});
  }

  std::vector<Dim> extents(const Term& term, const std::string& labels) const {
    std::vector<Dim> dims;
    for (char c : labels) dims.push_back(extent_of(term, c));
    return dims;
  }

  static Dim count(const std::vector<Dim>& dims) { return Shape(dims).element_count(); }

  // `term` without the summed labels along which one of both repeats: those are summed up in each by itself.
  Term without_repeats(const Term& term, const Term& other, const std::string& needed) {
    std::string kept = needed;
    for (char c : term.labels) {
      const bool shared = holds(other.labels, c);
      if (!shared || (extent_of(term, c) == Dim(1)) == (extent_of(other, c) == Dim(1))) kept += c;
    }
    return reduced(term, kept);
  }

  Dim extent_of(const Term& term, char label) const {
    return shape(term.value)[static_cast<int>(term.labels.find(label))];
  }

  Term product(const Term& first, const Term& second, const std::string& needed) {
    const Term a = without_repeats(first, second, needed), b = without_repeats(second, first, needed);
    std::string batch, only_a, only_b, summed;
    for (char c : a.labels) (!holds(b.labels, c) ? only_a : holds(needed, c) ? batch : summed) += c;
    for (char c : b.labels)
      if (!holds(a.labels, c)) only_b += c;
    const ValueId left = ordered(a, batch + only_a + summed);
    const ValueId right = ordered(b, batch + summed + only_b);
    const auto rows = extents(a, only_a), columns = extents(b, only_b);
    auto dims_a = extents(a, batch), dims_b = extents(b, batch);
    if (summed.empty()) {
      dims_a.insert(dims_a.end(), rows.begin(), rows.end());
      dims_a.resize(dims_a.size() + columns.size(), Dim(1));
      dims_b.resize(dims_b.size() + rows.size(), Dim(1));
      dims_b.insert(dims_b.end(), columns.begin(), columns.end());
      return {context_.add("mul", {reshaped(context_, left, dims_a), reshaped(context_, right, dims_b)}),
              batch + only_a + only_b};
    }
    dims_a.insert(dims_a.end(), {count(rows), count(extents(a, summed))});
    dims_b.insert(dims_b.end(), {count(extents(b, summed)), count(columns)});
    const ValueId sums = context_.add("matmul", {reshaped(context_, left, dims_a), reshaped(context_, right, dims_b)});
    std::vector<Dim> dims(shape(sums).begin(), shape(sums).end() - 2);
    dims.insert(dims.end(), rows.begin(), rows.end());
    dims.insert(dims.end(), columns.begin(), columns.end());
    return {reshaped(context_, sums, dims), batch + only_a + only_b};
  }

  void finish(const Term& sum, const std::string& wanted) {
    const Term left = reduced(sum, wanted);
    context_.alias(ordered(left, wanted));
  }

  NodeContext& context_;
  std::string equation_;
  int dotted_ = 0;
};

void import_einsum(NodeContext& context) {
  if (context.inputs().empty()) fail(Code::invalid_model, "no operands");
  Einsum(context).import();
}

}  // namespace

void register_einsum(ImporterTable& table) { table.add("Einsum", import_einsum); }

}  // namespace planish::onnx
