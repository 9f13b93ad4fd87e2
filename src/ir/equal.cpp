#include "ir/graph.h"
#include "ir/text.h"

namespace planish {

bool equal(const Graph& a, const Graph& b) { return print(a, {0}) == print(b, {0}); }

}  // namespace planish
