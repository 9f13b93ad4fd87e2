// guard {extents = [left, right], what}: a branch assumes that two extents are equal. Nothing is computed: a step whose
// contract does not hold is not run.

#include "kernels/reference/contracts.h"

namespace planish::kernels::reference {
namespace {

struct GuardParams {
  std::vector<int64_t> extents;
  std::string what;
  template <class V>
  void fields(V& v) {
    v("extents", extents);
    v("what", what);
  }
};

void check_guard(const KernelArgs& args) {
  const Operands nothing(args, 0, 0, 0, 0);
  const auto& given = args.as<GuardParams>();
  if (given.extents.size() != 2)
    fail(Code::invalid_plan, "a guard of {} extents, 2 are accepted", given.extents.size());
  if (given.extents[0] != given.extents[1])
    fail(Code::invalid_argument, "{}; they are {} and {}", given.what, given.extents[0], given.extents[1]);
}

void run_guard(const KernelArgs&) {}

}  // namespace

void register_guard(KernelTable& table) { table.add(make_kernel<GuardParams>("guard", check_guard, run_guard)); }

}  // namespace planish::kernels::reference
