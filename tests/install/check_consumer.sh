#!/usr/bin/env bash
# check_consumer.sh BUILD CONSUMER CMAKE SANITIZERS: installs BUILD into an empty prefix, builds the programs of
# CONSUMER against it through the CMake package and through pkg-config, and runs them.
set -euo pipefail
build=$1 consumer=$2 cmake=$3 sanitizers=$4
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
flags=${sanitizers:+-fsanitize=$sanitizers}

"$cmake" --install "$build" --prefix "$folder/prefix" > "$folder/log" || { cat "$folder/log"; exit 1; }

check() { # PROGRAM_FOLDER: the C++ program builds a plan, both C programs run it and agree
  "$1/build_run" "$folder/net.plan" > "$folder/built"
  "$1/load_run" "$folder/net.plan" > "$folder/runtime"
  "$1/load_run_full" "$folder/net.plan" > "$folder/full"
  cat "$folder/built"
  cmp "$folder/built" "$folder/runtime"
  cmp "$folder/built" "$folder/full"
}

echo "== find_package(planish COMPONENTS runtime build)"
"$cmake" -G Ninja -S "$consumer" -B "$folder/cmake" -DCMAKE_PREFIX_PATH="$folder/prefix" -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_C_FLAGS="$flags" -DCMAKE_CXX_FLAGS="$flags" > "$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
"$cmake" --build "$folder/cmake" > "$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
check "$folder/cmake"

echo "== pkg-config"
libraries=$(dirname "$(find "$folder/prefix" -name libplanish.so)")
export PKG_CONFIG_PATH=$libraries/pkgconfig LD_LIBRARY_PATH=$libraries
config() { pkg-config "$@"; }  # the files find the prefix from where they lie
if [ -e "$folder/prefix/planish" ]; then echo "the Python package is in the prefix"; exit 1; fi
mkdir "$folder/pkg"
# shellcheck disable=SC2046,SC2086
{
  cc -std=c99 -Wall -Wextra -Werror -pedantic $flags "$consumer/load_run.c" -o "$folder/pkg/load_run" $(config --cflags --libs planish_runtime) -lm
  cc -std=c99 -Wall -Wextra -Werror -pedantic $flags "$consumer/load_run.c" -o "$folder/pkg/load_run_full" $(config --cflags --libs planish) -lm
  c++ -std=c++20 -Wall -Wextra -Werror $flags "$consumer/build_run.cpp" -o "$folder/pkg/build_run" $(config --cflags --libs planish)
}
check "$folder/pkg"

# TensorRT's interface: the program of examples/ in a project of its own, and by pkg-config.
layout=$(find "$folder/prefix" -type d -path '*/planish/tensorrt/10')
if [ -n "$layout" ]; then
  examples=$consumer/../../../examples
  python3 -B "$examples/make_data.py" "$folder/data"
  echo "== find_package(TensorRT)"
  "$cmake" -G Ninja -S "$consumer/../tensorrt" -B "$folder/tensorrt" -DCMAKE_BUILD_TYPE=Release -DEXAMPLES="$examples" -DWANTED=10 \
    -DCMAKE_MODULE_PATH="$libraries/cmake/planish/tensorrt" -DCMAKE_CXX_FLAGS="$flags" > "$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
  "$cmake" --build "$folder/tensorrt" > "$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
  for program in by_target by_variable; do
    "$folder/tensorrt/$program" "$folder/data/digits.wts" "$folder"/data/[1-9].pgm > "$folder/$program" || { cat "$folder/$program"; exit 1; }
  done
  "$cmake" -G Ninja -S "$consumer/../tensorrt" -B "$folder/by_config" -DEXAMPLES="$examples" -DWANTED=10 \
    -DTensorRT_DIR="$libraries/cmake/planish/tensorrt" > "$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
  echo "== a tree of TensorRT's form"
  [ -e "$layout/lib/libnvinfer.so" ]
  grep -q '^#define NV_TENSORRT_MAJOR 10$' "$layout/include/NvInferVersion.h"
  echo "== pkg-config nvinfer"
  # shellcheck disable=SC2046,SC2086
  PKG_CONFIG_PATH=$layout/pkgconfig c++ -std=c++14 -Wall -Werror $flags "$examples/mnist_api.cpp" -o "$folder/pkg/mnist_api" \
    $(PKG_CONFIG_PATH=$layout/pkgconfig config --cflags --libs nvinfer)
  "$folder/pkg/mnist_api" "$folder/data/digits.wts" "$folder"/data/[1-9].pgm | cmp - "$folder/by_target"
  echo "== planish-config"
  "$folder/prefix/bin/planish-config" --libs > /dev/null
  mv "$layout" "$layout.away"
  if "$folder/prefix/bin/planish-config" --libs 2> "$folder/absent"; then echo "libraries that are absent"; exit 1; fi
  grep -q 'layout 10) are not in .*PLANISH_TENSORRT_LAYOUTS' "$folder/absent"
fi
