#!/usr/bin/env bash
# check_headers.sh INCLUDE: every header of the interface by itself, and programs that implement its interfaces, for
# every major with the standard of its time, without a warning. Compilers that are not here are left out.
set -euo pipefail
include=$1
here=$(dirname "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for header in "$include"/*.h; do echo "#include \"$(basename "$header")\""; done > "$folder/all.cpp"
for header in "$include"/*.h; do
  echo "#include \"$(basename "$header")\"" > "$folder/one.cpp"
  c++ -std=c++11 -Wall -Wextra -Werror -fsyntax-only -I"$include" "$folder/one.cpp" || { echo "alone: $header"; exit 1; }
done
for compiler in g++ clang++ clang++-14; do
  command -v "$compiler" > /dev/null || continue
  for pair in 3:11 4:11 5:11 6:11 7:11 8:14 9:17 10:17; do
    for file in "$folder/all.cpp" "$here/era_program.cpp"; do
      "$compiler" -std=c++"${pair#*:}" -DNV_TENSORRT_MAJOR="${pair%:*}" -Wall -Werror -fsyntax-only -I"$include" "$file" ||
        { echo "$compiler, major ${pair%:*}: $file"; exit 1; }
    done
  done
done
echo "headers compile for majors 3 to 10"
