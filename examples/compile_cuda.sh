#!/bin/sh
# compile_cuda.sh SOURCE HEADERS: a plugin's device code by the toolkit's compiler, where there is one.
if ! command -v nvcc > /dev/null; then
  echo "SKIPPED: there is no nvcc"
  exit 0
fi
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
nvcc -x cu -std=c++17 -arch=sm_80 -I "$2" -ptx "$1" -o "$folder/code.ptx" && grep hswish_kernel "$folder/code.ptx"
