#include "tensor/type.h"

#include "base/hash.h"
#include "base/scanner.h"

namespace planish {

std::string TensorType::str() const {
  std::string text = std::string(data_type_name(dtype)) + shape.str();
  return layout == Layout::row_major ? text : text + "@" + std::string(layout_name(layout));
}

std::vector<Dim> parse_dims(std::string_view list) {
  std::vector<Dim> dims;
  if (Scanner(list).at_end()) return dims;
  int depth = 0;
  for (size_t begin = 0, at = 0; at <= list.size(); ++at) {
    const char c = at < list.size() ? list[at] : ',';
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c != ',' || (depth != 0 && at < list.size())) continue;
    dims.push_back(Dim::parse(list.substr(begin, at - begin)));
    begin = at + 1;
  }
  return dims;
}

TensorType TensorType::parse(std::string_view text) {
  Scanner scanner(text);
  TensorType type;
  type.dtype = parse_data_type(scanner.word());
  scanner.expect("[");
  type.shape = Shape(parse_dims(scanner.balanced('[', ']')));
  if (scanner.accept("@")) type.layout = parse_layout(scanner.word());
  if (!scanner.at_end()) scanner.fail_here("the end of the type");
  return type;
}

uint64_t TensorType::hash() const { return hash64(str()); }
Dim TensorType::bytes() const { return shape.element_count() * Dim(element_bytes(dtype)); }

}  // namespace planish
