#!/usr/bin/env bash
# check_libraries.sh RUNTIME FULL SANITIZERS: what the libraries weigh, need and show.
set -euo pipefail
runtime=$1 full=$2 sanitizers=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

wrong() { echo "wrong: $*"; exit 1; }

symbols_of() { nm -D --defined-only "$1" | awk '{print $3}' | sed 's/@.*//'; }
shows() { [[ $'\n'$1$'\n' == *$'\n'$2$'\n'* ]]; }

for library in "$runtime" "$full"; do
  symbols=$(symbols_of "$library")
  other=$(grep -vE '^planish_|^PLANISH_0$' <<< "$symbols" || true)
  [ -z "$other" ] || wrong "$library shows $other"
  for symbol in planish_engine_load planish_context_enqueue planish_plugin_register; do
    shows "$symbols" "$symbol" || wrong "$library does not show $symbol"
  done
done
shows "$(symbols_of "$full")" planish_build || wrong "$full does not show planish_build"
building=$(symbols_of "$runtime" | grep -E '^planish_(build|network_)' || true)
[ -z "$building" ] || wrong "$runtime shows the building side: $building"

if [ -n "$sanitizers" ]; then
  echo "symbols are right; a build with -fsanitize=$sanitizers is neither small nor alone"
  exit 0
fi
strip -o "$folder/stripped.so" "$runtime"
bytes=$(stat -c %s "$folder/stripped.so")
echo "libplanish_runtime.so, stripped: $bytes bytes"
[ "$bytes" -le 5000000 ] || wrong "more than 5 MB"
needs=$(ldd "$runtime" | awk '{print $1}' | grep -vE '^(linux-vdso|libc|libstdc\+\+|libm|libgcc_s|.*/ld-linux.*)\.so|ld-linux' || true)
[ -z "$needs" ] || wrong "it needs $needs"
ldd "$runtime"
