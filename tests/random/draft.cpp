#include "random/draft.h"

#include <algorithm>

namespace planish::testing {

Ints Draft::dims(ValueId id) const {
  Ints list;
  for (const Dim& dim : shape(id)) list.push_back(dim.is_constant() ? dim.value() : -1);
  return list;
}

std::optional<ValueId> Draft::any(bool (Draft::*holds)(ValueId) const) {
  std::vector<ValueId> found;
  for (ValueId id : values)
    if ((this->*holds)(id)) found.push_back(id);
  if (found.empty()) return std::nullopt;
  const int last = static_cast<int>(found.size()) - 1;
  return found[static_cast<size_t>(std::max(0, last - pick(3) * pick(3)))];
}

std::optional<ValueId> Draft::another_like(ValueId id) {
  for (size_t i = values.size(); i-- > 0;)
    if (type(values[i]) == type(id) && (values[i] == id ? one_in(8) : pick(3) > 0)) return values[i];
  return std::nullopt;
}

void Draft::keep(ValueId id) {
  const Dim count = shape(id).element_count();
  const int64_t least = count.lower_bound(graph.symbols), most = count.upper_bound(graph.symbols);
  if (least > 0 && most <= 4096 && rank(id) >= 1 && rank(id) <= 6) values.push_back(id);
}

ValueId Draft::cast(ValueId id, DataType to) { return op("cast", {id}, {{"to", to}}); }

ValueId Draft::integers(DataType dtype, const Ints& dims, int64_t low, int64_t high) {
  const int64_t count = make_view(nullptr, DataType::i64, dims).element_count();
  Ints list(static_cast<size_t>(count));
  for (int64_t& value : list) value = low + pick(static_cast<int>(high - low + 1));
  if (dtype == DataType::i64) return graph.add_constant(Tensor::of<int64_t>(dims, std::span<const int64_t>(list)));
  const std::vector<int32_t> narrow(list.begin(), list.end());
  return graph.add_constant(Tensor::of<int32_t>(dims, std::span<const int32_t>(narrow)));
}

}  // namespace planish::testing
