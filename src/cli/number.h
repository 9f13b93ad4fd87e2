#pragma once
// A number in place of a file: --input rate=16000.

#include <optional>
#include <string>
#include <vector>

#include "base/scanner.h"
#include "tensor/tensor.h"

namespace planish::cli {

using Number = Scanner::Number;

// 16000, -1.5, 1e-3, inf, true, false; nothing else, so a file of such a name is written ./16000.
std::optional<Number> read_number(const std::string& text);

// Every element is the number. Error(invalid_argument) where the type cannot hold it: integers and bool take no
// fractions and nothing beyond their range.
Tensor number_tensor(DataType dtype, const std::vector<int64_t>& extents, const Number& number);

}  // namespace planish::cli
