#!/usr/bin/env bash
# The bundled network from file to result: build a plan, run it on its 20 pictures, time it layer by layer.
set -euo pipefail
planish=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
recipe="image:order=gray,std=255"
"$planish" build demo/digits.onnx -o "$folder/digits.plan" --quiet
right=0
for picture in demo/digit_*.png; do
  label=${picture##*_}; label=${label%.png}
  best=$("$planish" run "$folder/digits.plan" --quiet --input "image=$picture" --image "$recipe" --top 1 --labels demo/digits.txt | tail -n 1)
  printf '%s %s\n' "$picture" "$best"
  [ "$(awk '{print $1}' <<< "$best")" = "$label" ] && right=$((right + 1))
done
echo "$right of 20 right"
"$planish" bench "$folder/digits.plan" --seconds 1 --layers
[ "$right" -ge 19 ]
