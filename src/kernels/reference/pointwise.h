#pragma once
// Attributes of the pointwise kernels: the program as text (kernels/pointwise.h).

#include <string>

namespace planish {

struct PointwiseAttrs {
  std::string program;
  template <class Visitor>
  void fields(Visitor& v) {
    v("program", program);
  }
};

}  // namespace planish
