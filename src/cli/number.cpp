#include "cli/number.h"

#include <cmath>

#include "base/error.h"

namespace planish::cli {
namespace {

bool stores(const TensorView& element, const Number& number) {
  if (is_float(element.dtype)) {
    store_double(element, 0, number.value);
    return std::isfinite(load_double(element, 0)) == std::isfinite(number.value);
  }
  const int64_t least = element.dtype == DataType::u64 || element.dtype == DataType::boolean ? 0 : INT64_MIN;
  const int64_t most = element.dtype == DataType::boolean ? 1 : INT64_MAX;
  if (!number.is_integer || number.integer < least || number.integer > most) return false;
  store_int(element, 0, number.integer);
  return load_int(element, 0) == number.integer;
}

}  // namespace

std::optional<Number> read_number(const std::string& text) {
  if (text == "true" || text == "false") return Number{true, text == "true", text == "true" ? 1.0 : 0.0};
  try {
    Scanner scanner(text);
    const Number number = scanner.number();
    return scanner.at_end() ? std::optional(number) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

Tensor number_tensor(DataType dtype, const std::vector<int64_t>& extents, const Number& number) {
  return Tensor::make(dtype, extents, [&](std::byte* out) {
    const TensorView all = make_view(out, dtype, extents);
    if (all.element_count() == 0) return;
    if (!stores(all, number))
      fail(Code::invalid_argument, "{} is no value of {}",
           number.is_integer ? std::to_string(number.integer) : print_double(number.value), data_type_name(dtype));
    for (int64_t i = 1, bytes = element_bytes(dtype); i < all.element_count(); ++i)
      std::copy_n(out, bytes, out + i * bytes);
  });
}

}  // namespace planish::cli
