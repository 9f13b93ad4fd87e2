#!/bin/bash
# What the runtime does on a GPU, in one go: bench/cuda_show.sh BIN MODELS [PYTHON-WITH-TORCH]
#
# BIN: planish, trtexec, bench_cuda_overlap, tensorrt_stream and the libraries that they load; what is missing is
# skipped, and said. MODELS, of which those that are there are used: resnet50.prototxt, yolov5s.onnx, range.onnx (a
# network of a batch from 1 to 8), digits.onnx. NVRTC and the CUDA runtime are torch's where no toolkit is installed.
set -u
here=$(dirname "$0") bin=$(realpath "$1") models=$(realpath "$2") python=${3:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PLANISH_CACHE=$work/cache LD_LIBRARY_PATH=$bin:${LD_LIBRARY_PATH:-}
failed=0

say() { printf '\n== %s (after %s s)\n' "$1" "$SECONDS"; }
try() {  # program arguments…
  if [ ! -x "$bin/$1" ]; then
    echo "$1 is not there: skipped"
    return 1
  fi
  timeout 90 "$bin/$1" "${@:2}" 2>&1 || { echo "FAILED with $?: $*"; failed=1; return 1; }
}
of_torch() { "$python" -c "import glob, site; print(*glob.glob(site.getsitepackages()[0] + '/nvidia/**/$1', recursive=True))" | cut -d' ' -f1; }

nvidia-smi --query-gpu=name,driver_version --format=csv,noheader
[ -e /usr/local/cuda/lib64/libnvrtc.so ] || export PLANISH_NVRTC=$(of_torch 'libnvrtc.so.1[0-9]')
[ -e /usr/local/cuda/lib64/libcudart.so ] || export PLANISH_CUDART_LIBRARY=$(of_torch 'libcudart.so.1[0-9]')
echo "NVRTC ${PLANISH_NVRTC:-of the toolkit}, runtime ${PLANISH_CUDART_LIBRARY:-of the toolkit}"

if [ -f "$models/resnet50.prototxt" ]; then
  say "ResNet-50: a cold build, then a warm one"
  build=(build "$models/resnet50.prototxt" --random-weights --device cuda --fp16 -o)
  try planish "${build[@]}" "$work/resnet50.plan" | grep -v '^[a-z ]*$'
  try planish "${build[@]}" "$work/again.plan" | grep -v '^[a-z ]*$'
  cmp "$work/resnet50.plan" "$work/again.plan" && echo "both plans are equal"
  du -sh "$PLANISH_CACHE" | cut -f1
  say "ResNet-50: contexts side by side, changes of address"
  try bench_cuda_overlap "$work/resnet50.plan" 3 1.5
  say "ResNet-50: torch's memory, streams and graphs"
  "$python" "$here/cuda_torch.py" "$bin/libplanish.so.0" "$work/resnet50.plan" || { echo "FAILED: cuda_torch.py"; failed=1; }
fi
if [ -f "$models/yolov5s.onnx" ]; then
  say "YOLOv5s: two streams with copies overlapped"
  try planish build "$models/yolov5s.onnx" -o "$work/yolov5s.plan" --device cuda --fp16 --tune 20 | grep -v '^[a-z ]*$' | head -8
  try bench_cuda_overlap "$work/yolov5s.plan" 3 1.5
fi
if [ -f "$models/range.onnx" ]; then
  say "a batch from 1 to 8 in one plan: what a change of shape takes"
  try planish build "$models/range.onnx" -o "$work/range.plan" --device cuda --fp16 --tune off --shape data=1x3x224x224:4x3x224x224:8x3x224x224 |
    grep -v '^[a-z ]*$'
  try bench_cuda_overlap "$work/range.plan" 2 1
  say "beside the processor"
  try planish bench "$models/range.onnx" --compare cpu,cuda --seconds 2 --tune off --shape data=1x3x224x224 | grep -v '^[a-z ]*$'
fi
say "TensorRT's interface"
try tensorrt_stream
if [ -f "$models/digits.onnx" ]; then
  try trtexec --onnx="$models/digits.onnx" --fp16 --iterations=50 --duration=0 --useCudaGraph | tail -22
  try trtexec --onnx="$models/digits.onnx" --device=-1 --iterations=50 --duration=0 | grep -E 'Running on|PASSED|FAILED'
  say "what is refused"
  "$bin/planish" bench "$models/digits.onnx" --device cuda:99 --runs 1 2>&1 | tail -1
  "$bin/planish" build "$models/digits.onnx" --target cuda:sm_80 -o "$work/old.plan" --quiet && "$bin/planish" bench "$work/old.plan" --runs 1 2>&1 | tail -1
fi
say "done, failed: $failed"
exit $failed
