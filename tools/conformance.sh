#!/usr/bin/env bash
# conformance.sh RUNNER [--offline] [--update] [RUNNER'S OPTIONS…]: finds the ONNX backend suite and runs it.
# PLANISH_CONFORMANCE_DIR, else the archive of ../shared, else the suite that the PyPI wheel of onnx carries. --offline installs nothing and takes
# the wheel only where it is installed. --update writes the list of known failures and docs/conformance.md instead of judging by the list.
set -euo pipefail
cd "$(dirname "$0")/.."
runner=$1; shift
shared=../shared/data/conformance
list=tests/conformance/known.tsv

offline=no judge=(--expect "$list") options=()
for word in "$@"; do
  case "$word" in
    --offline) offline=yes ;;
    --update) judge=(--update "$list" --report docs/conformance.md) ;;
    *) options+=("$word") ;;
  esac
done

unpack() {
  if [ ! -f build/conformance/whole ]; then
    mkdir -p build/conformance
    tar xJf "$shared/onnx_backend_tests.tar.xz" -C build/conformance
    touch build/conformance/whole
  fi
  echo build/conformance
}

# The folder of test data of an installed onnx; empty where it has none.
data_of() {
  "$1" - <<'PYTHON' 2> /dev/null || true
import importlib.util, pathlib
folder = pathlib.Path(importlib.util.find_spec("onnx").origin).parent / "backend/test/data"
print(folder if (folder / "node/test_add/model.onnx").exists() else "")
PYTHON
}

from_wheel() {
  local python
  if [ $offline = yes ]; then
    python=${PLANISH_PYTHON:-build/python/bin/python}
  else
    python=$(tools/python_env.sh onnx==1.22.0/) || return 0
  fi
  data_of "$python"
}

if [ -n "${PLANISH_CONFORMANCE_DIR:-}" ]; then suite=$PLANISH_CONFORMANCE_DIR
elif [ -f "$shared/onnx_backend_tests.tar.xz" ]; then suite=$(unpack)
else suite=$(from_wheel); fi
if [ -z "$suite" ]; then
  echo "SKIPPED: no ONNX backend suite: PLANISH_CONFORMANCE_DIR is not set, $shared does not exist, no wheel of onnx is installed or could be"
  exit 0
fi
[ ! -f "$shared/cases.tsv" ] || options+=(--cases "$shared/cases.tsv")
exec "$runner" "$suite" --jobs "$(nproc)" "${judge[@]}" "${options[@]}"
