#pragma once
// The table of a folder, whose files define `void register_<file>(Table&)` each; the build lists them in
// gen/<folder>.inc, a line PLANISH_ROW(file) each.

#include <initializer_list>

namespace planish {

template <class Table>
Table filled(std::initializer_list<void (*)(Table&)> rows) {
  Table table;
  for (const auto row : rows) row(table);
  return table;
}

}  // namespace planish
