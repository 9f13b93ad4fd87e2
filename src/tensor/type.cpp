#include "tensor/type.h"

#include "base/hash.h"
#include "base/scanner.h"

namespace planish {

std::string TensorType::str() const {
  std::string text = std::string(data_type_name(dtype)) + shape.str();
  return layout == Layout::row_major ? text : text + "@" + std::string(layout_name(layout));
}

TensorType TensorType::parse(std::string_view text) {
  Scanner scanner(text);
  TensorType type;
  type.dtype = parse_data_type(scanner.word());
  scanner.expect("[");
  const std::string_view inside = scanner.balanced('[', ']');
  std::vector<Dim> dims;
  int depth = 0;
  for (size_t begin = 0, at = 0; at <= inside.size(); ++at) {
    const char c = at < inside.size() ? inside[at] : ',';
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c != ',' || depth != 0) continue;
    if (at > begin) dims.push_back(Dim::parse(inside.substr(begin, at - begin)));
    begin = at + 1;
  }
  type.shape = Shape(std::move(dims));
  if (scanner.accept("@")) type.layout = parse_layout(scanner.word());
  if (!scanner.at_end()) scanner.fail_here("the end of the type");
  return type;
}

uint64_t TensorType::hash() const { return hash64(str()); }
Dim TensorType::bytes() const { return shape.element_count() * Dim(element_bytes(dtype)); }

}  // namespace planish
