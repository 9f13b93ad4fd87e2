#include <algorithm>

#include "kernels/kernel.h"

namespace planish {

void KernelTable::add(Kernel kernel) {
  if (find(kernel.name) != nullptr) fail(Code::internal, "two kernels are called '{}'", kernel.name);
  auto at = std::lower_bound(rows_.begin(), rows_.end(), kernel.name,
                             [](const auto& row, const std::string& name) { return row->name < name; });
  rows_.insert(at, std::make_unique<const Kernel>(std::move(kernel)));
}

const Kernel* KernelTable::find(std::string_view name) const {
  auto at = std::lower_bound(rows_.begin(), rows_.end(), name,
                             [](const auto& row, std::string_view wanted) { return row->name < wanted; });
  return at != rows_.end() && (*at)->name == name ? at->get() : nullptr;
}

std::vector<const Kernel*> KernelTable::rows() const {
  std::vector<const Kernel*> rows;
  for (const auto& row : rows_) rows.push_back(row.get());
  return rows;
}

}  // namespace planish

#define PLANISH_ROW(stem) void register_##stem(planish::KernelTable&);
namespace planish::kernels::reference {
#include "gen/kernels_reference.inc"
}
namespace planish::kernels::cpu::scalar {
#include "gen/kernels_cpu.inc"
}
namespace planish::kernels::cpu::avx2 {
#include "gen/kernels_cpu.inc"
}
namespace planish::kernels::cpu::avx512 {
#include "gen/kernels_cpu.inc"
}
#undef PLANISH_ROW

namespace planish {
#define PLANISH_ROW(stem) register_##stem(table);

const KernelTable& reference_kernels() {
  static const KernelTable table = [] {
    using namespace kernels::reference;
    KernelTable table;
#include "gen/kernels_reference.inc"
    return table;
  }();
  return table;
}

namespace {

// `isa`: a level that code is compiled for. Even the code that fills a table is compiled for its level: a level that
// the host lacks is never entered.
const KernelTable& level_kernels(Isa isa) {
  switch (isa) {
    case Isa::scalar: {
      static const KernelTable scalar = [] {
        using namespace kernels::cpu::scalar;
        KernelTable table;
#include "gen/kernels_cpu.inc"
        return table;
      }();
      return scalar;
    }
    case Isa::avx2: {
      static const KernelTable avx2 = [] {
        using namespace kernels::cpu::avx2;
        KernelTable table;
#include "gen/kernels_cpu.inc"
        return table;
      }();
      return avx2;
    }
    default:
      break;
  }
  static const KernelTable avx512 = [] {
    using namespace kernels::cpu::avx512;
    KernelTable table;
#include "gen/kernels_cpu.inc"
    return table;
  }();
  return avx512;
}

}  // namespace

// All levels are compiled from the same sources: what the host's best one says of a row is true of every other.
const KernelTable& cpu_kernels(Isa isa) {
  const Isa best = code_level(cpu_info().best_isa());
  if (code_level(isa) <= best) return level_kernels(code_level(isa));
  static const KernelTable foreign = [best] {
    KernelTable table;
    for (const Kernel* row : level_kernels(best).rows()) {
      Kernel kernel = *row;
      kernel.run = [](const KernelArgs&) { fail(Code::mismatch, "a kernel of a level that this processor lacks"); };
      table.add(std::move(kernel));
    }
    return table;
  }();
  return foreign;
}

}  // namespace planish
