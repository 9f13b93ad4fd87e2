#!/usr/bin/env python3
"""Every candidate of the matrix products that transformers are made of: GFLOP/s and share of the fp32 peak.

  products.py PLANISH [--threads 1,2] [--model FILE] [--bf16]     FILE: products as --write leaves them
  products.py --write FILE                                        needs onnx

Candidates are timed by the tuner as it always does, with cold weights, in turns; `packed` ones copy a slice of the rows first.
"""
import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SHAPES = {"bert": [(128, 768, 768), (128, 768, 3072), (128, 3072, 768)],
          "vit": [(197, 768, 768), (197, 768, 2304), (197, 768, 3072), (197, 3072, 768)],
          "swin": [(3136, 96, 384), (784, 768, 192), (196, 384, 1536), (49, 768, 3072)]}


def write(path):
    """x [M, K] times w [K, N] plus a row, each a branch of its own."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper, save
    random, nodes, constants, inputs, outputs = np.random.default_rng(1), [], [], [], []
    for m, k, n in sum(SHAPES.values(), []):
        t = f"{m}x{k}x{n}"
        constants += [numpy_helper.from_array(random.standard_normal((k, n)).astype("float32") / 32, f"w{t}"),
                      numpy_helper.from_array(random.standard_normal(n).astype("float32"), f"b{t}")]
        inputs.append(helper.make_tensor_value_info(f"x{t}", TensorProto.FLOAT, [m, k]))
        outputs.append(helper.make_tensor_value_info(f"y{t}", TensorProto.FLOAT, [m, n]))
        nodes += [helper.make_node("MatMul", [f"x{t}", f"w{t}"], [f"h{t}"], name=f"product_{t}"),
                  helper.make_node("Add", [f"h{t}", f"b{t}"], [f"y{t}"], name=f"bias_{t}")]
    graph = helper.make_graph(nodes, "products", inputs, outputs, constants)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def run(words, stderr=None):
    return subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=stderr, text=True, check=True).stdout


def measure(planish, model, threads, flags):
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "products.plan"
        text = run([planish, "build", model, "-o", plan, "--tune", "full", "-v", "--threads", threads, *flags], stderr=subprocess.STDOUT)
        peak = json.loads(run([planish, "bench", plan, "--threads", threads, "--seconds", "0.5", "--json", "-"]))["peak_gflops"]
    gflop, shape = 0, ""
    for line in text.splitlines():
        if found := re.search(r"_(\d+)x(\d+)x(\d+)\S*: (\S+)", line):
            m, k, n = (int(word) for word in found.groups()[:3])
            gflop, shape = 2e-9 * m * k * n, f"{m}x{k}x{n}"
            print(f"{shape}, {threads} threads, chosen {found[4]}")
        elif shape and (found := re.match(r"\s+(\S+)\s+([\d.]+) us", line)):
            rate = gflop / float(found[2]) * 1e6
            print(f"  {found[1]:24} {float(found[2]):9.1f} us {rate:8.1f} GFLOP/s {100 * rate / peak:5.1f} % of {peak:.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("planish", nargs="?")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    if options.write:
        return write(options.write)
    if options.planish is None:
        parser.error("PLANISH is needed")
    with tempfile.TemporaryDirectory() as folder:
        model = options.model or Path(folder) / "products.onnx"
        if options.model is None:
            write(model)
        for threads in options.threads.split(","):
            measure(options.planish, model, threads, ["--bf16"] if options.bf16 else [])
    return None


if __name__ == "__main__":
    sys.exit(main())
