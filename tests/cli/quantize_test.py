#!/usr/bin/env python3
"""quantize_test.py PLANISH: a network whose weights become numbers, in every form; what comes out beside fp32, and what is refused.

Where onnxruntime is there (PLANISH_PYTHON's), it runs the files too and agrees.
"""
import json
import math
import os
import random
import struct
import subprocess
import tempfile
from pathlib import Path

from helpers import expect, planish, program_from
from run import npy
from wire import floats, model, node, number, block, value

ROWS, DEPTH, COLUMNS = 3, 72, 40


def weights(name, dims, scale=1.0):
    drawn = random.Random(name)
    return floats(name, dims, [drawn.gauss(0, scale) for _ in range(math.prod(dims))])


def flag(name, chosen):
    return block(1, name) + number(3, chosen) + number(20, 2)


def network(opset):
    """matmul - relu - gemm of a turned matrix with a bias - matmul by the first matrix again, which the two share."""
    nodes = [node("MatMul", ["x", "w1"], ["a"], "first"), node("Relu", ["a"], ["b"], "relu"),
             node("Gemm", ["b", "w2", "c2"], ["c"], "second", [flag("transB", 1)]),
             node("MatMul", ["c", "w1"], ["y"], "third")]
    constants = [weights("w1", [DEPTH, COLUMNS]), weights("w2", [DEPTH, COLUMNS]), weights("c2", [DEPTH])]
    return model(nodes, [value("x", [ROWS, DEPTH])], [value("y", [ROWS, COLUMNS])], constants, opset)


def array(values, shape):
    zeros = npy("<f4", "x".join(map(str, shape)))
    return zeros[:len(zeros) - 4 * len(values)] + struct.pack(f"<{len(values)}f", *values)


def results(path):
    data = path.read_bytes()
    count = ROWS * COLUMNS
    return struct.unpack(f"<{count}f", data[-4 * count:])


def distance(found, expected):
    return math.sqrt(sum((a - b) ** 2 for a, b in zip(found, expected)) / sum(b * b for b in expected))


def run(program, folder, name, *flags):
    done = planish(program, folder, "run", name, "--input", "x=x.npy", "--output-dir", "out", "--tune", "off", *flags)
    expect(done.returncode == 0, done)
    return results(Path(folder) / "out" / "y.npy")


PEER = """
import sys, numpy as np, onnxruntime as ort
session = ort.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
np.save(sys.argv[2], session.run(None, {"x": np.load("x.npy")})[0])
"""


def peer(folder, name):
    """ONNX Runtime's results, or None where it is not there."""
    python = os.environ.get("PLANISH_PYTHON", "python3")
    if subprocess.run([python, "-c", "import onnxruntime, numpy"], capture_output=True).returncode:
        return None
    done = subprocess.run([python, "-c", PEER, name, "peer.npy"], cwd=folder, capture_output=True, text=True)
    expect(done.returncode == 0, done)
    return results(Path(folder) / "peer.npy")


FORMS = [("int4", 0.25, ["--weights", "int4"]), ("int4_16_zeros", 0.25, ["--weights", "int4", "--block", "16", "--asymmetric"]),
         ("int8", 0.015, ["--weights", "int8"]), ("int8_bits", 0.01, ["--weights", "int8", "--block", "32"]),
         ("int8_zeros", 0.015, ["--weights", "int8", "--asymmetric"]), ("dynamic", 0.03, ["--dynamic"]),
         ("int4_dequantize", 0.25, ["--weights", "int4", "--form", "dequantize", "--block", "32"])]


def check_forms(program, folder):
    for name, most, flags in FORMS:
        model_name = "new.onnx" if "dequantize" in name else "fp32.onnx"
        in_blocks = name in ("int4", "int4_16_zeros", "int8_bits")
        done = planish(program, folder, "quantize", model_name, "-o", f"{name}.onnx", "--json", "-", "--quiet", *flags)
        expect(done.returncode == 0 and json.loads(done.stdout)["layers"] == ["first", "second", "third"], done)
        expected, found = run(program, folder, "fp32.onnx"), run(program, folder, f"{name}.onnx")
        expect(0 < distance(found, expected) < most, done)
        exact = run(program, folder, f"{name}.onnx", "--no-optimize")
        expect(distance(found, exact) < 2e-6, done)
        # ONNX Runtime takes rows as 8-bit integers where a dequantised matrix is behind them.
        other = peer(folder, f"{name}.onnx")
        expect(other is None or distance(found, other) < (2e-6 if in_blocks else 2e-2), done)


def check_build(program, folder):
    """Built so in one step: as the file of the same numbers."""
    for name, flags in (("int4", ["--weights", "int4"]), ("int8", ["--weights", "int8"])):
        found, expected = run(program, folder, "fp32.onnx", *flags), run(program, folder, f"{name}.onnx")
        done = planish(program, folder, "inspect", "fp32.onnx")
        expect(distance(found, expected) < 2e-6, done)
    rows, expected = run(program, folder, "fp32.onnx", "--dynamic"), run(program, folder, "fp32.onnx")
    done = planish(program, folder, "inspect", "fp32.onnx")
    expect(0 < distance(rows, expected) < 0.03, done)
    kept = planish(program, folder, "quantize", "fp32.onnx", "-o", "kept.onnx", "--weights", "int8", "--exclude", "second", "--json", "-", "--quiet")
    expect(kept.returncode == 0 and json.loads(kept.stdout)["layers"] == ["first", "third"], kept)
    expect(0 < distance(run(program, folder, "kept.onnx"), expected) < 0.015, kept)


REFUSALS = [
    (["--weights", "int3"], 2, "--weights int3: int8 and int4 are accepted"),
    (["--weights", "int4", "--block", "24"], 1, "blocks of 24; 16, 32, 64, 128, 256 and 0 (a scale a column) are accepted"),
    (["--weights", "int4", "--form", "dequantize"], 1, "fp32.onnx is of opset 17; this form of weights needs 21 and later"),
    (["--weights", "int4", "--block", "0", "--form", "bits"], 1, "MatMulNBits with a scale a column"),
    (["--dynamic", "--weights", "int4"], 1, "dynamic rows go with symmetric weights of 8 bits"),
    (["--weights", "int4", "--exclude", "nobody"], 1, "'nobody' is excluded, but no node of fp32.onnx has that name"),
    (["--exclude", "first"], 2, "--weights int8 or int4, or --dynamic, is needed"),
]


def check_refusals(program, folder):
    (Path(folder) / "text.onnx").write_text("this is no model")
    done = planish(program, folder, "quantize", "text.onnx", "-o", "no.onnx", "--weights", "int8")
    expect(done.returncode == 1 and done.stderr.startswith("planish: text.onnx: ") and not (Path(folder) / "no.onnx").exists(), done)
    for flags, status, sentence in REFUSALS:
        done = planish(program, folder, "quantize", "fp32.onnx", "-o", "no.onnx", *flags)
        expect(done.returncode == status and sentence in done.stderr and not (Path(folder) / "no.onnx").exists(), done)
    done = planish(program, folder, "quantize", "bad.onnx", "-o", "no.onnx", "--weights", "int4")
    expect(done.returncode == 1 and "weights 'w1' of bad.onnx: the weight [0, 1] is nan" in done.stderr, done)
    done = planish(program, folder, "build", "fp32.onnx", "-o", "no.plan", "--weights", "int4", "--exclude", "nobody")
    expect(done.returncode == 1 and "'nobody' is excluded, but no layer has that name" in done.stderr, done)


def main():
    program = program_from(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        drawn = random.Random(1)
        files = {"fp32.onnx": network(17), "new.onnx": network(21)}
        broken = [1.0, float("nan")] + [1.0] * (DEPTH * COLUMNS - 2)
        files["bad.onnx"] = model([node("MatMul", ["x", "w1"], ["y"])], [value("x", [ROWS, DEPTH])], [value("y", [ROWS, COLUMNS])],
                                  [floats("w1", [DEPTH, COLUMNS], broken)])
        files["x.npy"] = array([drawn.gauss(0, 1) for _ in range(ROWS * DEPTH)], [ROWS, DEPTH])
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        check_forms(program, folder)
        check_build(program, folder)
        check_refusals(program, folder)


if __name__ == "__main__":
    main()
