#include "kernels/check.h"

namespace planish::kernels::reference {
namespace {

struct RefuseParams {
  std::string why, type;
  template <class V>
  void fields(V& v) {
    v("why", why);
    v("type", type);
  }
};

void run_refuse(const KernelArgs& args) { fail(Code::unsupported, "{}", args.as<RefuseParams>().why); }

}  // namespace

void register_refuse(KernelTable& table) { table.add(make_kernel<RefuseParams>("refuse", check_nothing, run_refuse)); }

}  // namespace planish::kernels::reference
