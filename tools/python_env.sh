#!/usr/bin/env bash
# python_env.sh MODULE…: prints a Python that has these packages of PyPI, or says on standard error why there is none (status 1).
# PLANISH_PYTHON when it is set; else the virtual environment build/python, which is made and filled where PyPI is reachable.
# A package written as NAME/ is installed without what it depends on (for the files it carries); NAME==VERSION asks for that version.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -n "${PLANISH_PYTHON:-}" ]; then python=$PLANISH_PYTHON; else python=build/python/bin/python; fi
check='import importlib.metadata as m, sys
for name, _, version in (p.rstrip("/").partition("==") for p in sys.argv[1:]):
  assert m.version(name) == version or not version'
if "$python" -c "$check" "$@" > /dev/null 2>&1; then echo "$python"; exit 0; fi
if [ -n "${PLANISH_PYTHON:-}" ]; then echo "PLANISH_PYTHON=$PLANISH_PYTHON lacks one of: $*" >&2; exit 1; fi

[ -x "$python" ] || python3 -m venv build/python > /dev/null || { echo "python3 -m venv failed (Debian: apt-get install python3-venv)" >&2; exit 1; }
pip=("$python" -m pip install --quiet --disable-pip-version-check --retries 1 --timeout 20)
with=() alone=()
for package in "$@"; do
  case "$package" in */) alone+=("${package%/}") ;; *) with+=("$package") ;; esac
done
echo "installing from PyPI into build/python: ${with[*]} ${alone[*]}" >&2
if ! { "${pip[@]}" "${with[@]}" && { [ ${#alone[@]} = 0 ] || "${pip[@]}" --no-deps "${alone[@]}"; }; } > build/python/install.log 2>&1; then
  echo "PyPI gave no answer or not these packages: $(tail -n 1 build/python/install.log)" >&2
  exit 1
fi
echo "$python"
