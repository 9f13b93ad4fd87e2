#!/usr/bin/env python3
"""words_test.py PLANISH: what people are told: open extents, what was permitted and what ran, rates, headings of --help, labels, variables."""
import json
import os
import struct
import tempfile
from pathlib import Path

from helpers import expect, planish, program_from
from run import npy
from wire import MODELS, block, floats, model, node, number, value


def models(folder):
    weights = floats("w", [2, 3, 3, 3], [0.5] * 54)
    open_sides = [value("x", ["N", 3, "H", "W"])]
    (folder / "fine.onnx").write_bytes(MODELS["fine"])
    (folder / "batch.onnx").write_bytes(MODELS["dynamic"])
    (folder / "conv.onnx").write_bytes(model([node("Conv", ["x", "w"], ["y"], "conv1")], open_sides, [value("y", ["N", 2, "H2", "W2"])], [weights]))
    (folder / "relu.onnx").write_bytes(model([node("Relu", ["x"], ["y"])], open_sides, [value("y", ["N", 3, "H", "W"])]))
    (folder / "pair.onnx").write_bytes(MODELS["two_inputs"])
    axis = [block(1, "axis") + number(3, 1) + number(20, 2)]
    classes = model([node("Flatten", ["x"], ["y"], "flat", axis)], [value("x", [1, 1, 2, 2])], [value("y", [1, 4])])
    (folder / "classes.onnx").write_bytes(classes)


def check_open(program, folder):
    """What is open is named, with what was taken and what to write; looking needs no extents."""
    result = planish(program, folder, "inspect", "conv.onnx")
    expect(result.returncode == 0 and "input  x f32[N,3,H,W]" in result.stdout and "--shape x=1x3x224x224" in result.stdout, result)
    expect("warning" not in result.stderr and "tuning" not in result.stderr, result)
    result = planish(program, folder, "inspect", "conv.onnx", "--support", "--json", "support.json")
    expect(result.returncode == 0 and "every operator is supported" in result.stdout and result.stderr == "", result)
    result = planish(program, folder, "build", "conv.onnx", "-o", "no.plan", "--tune", "off")
    expect(result.returncode == 1 and all(part in result.stderr for part in (
        "input 'x' [N,3,H,W] is taken as [1,3,1,1]", "conv1", "--shape x=1x3x224x224 gives another")), result)
    result = planish(program, folder, "build", "relu.onnx", "-o", "relu.plan", "--tune", "off", "--quiet")
    expect(result.returncode == 0 and result.stderr == (
        "planish warning: no shape was given: input 'x' [N,3,H,W] is taken as [1,3,1,1]; --shape x=1x3x224x224 gives one, "
        "--shape NAME=MIN:OPT:MAX a range\n"), result)
    result = planish(program, folder, "build", "relu.onnx", "-o", "relu.plan", "--tune", "off", "--shape", "x=1x3x8x8")
    expect(result.returncode == 0 and "no shape" not in result.stderr, result)
    result = planish(program, folder, "run", "batch.onnx", "--tune", "off")
    expect("no shape was given: input 'x' [N,4] is taken as [1,4]; --shape x=1x4 gives one" in result.stderr and "warning" not in result.stderr, result)
    expect(planish(program, folder, "run", "batch.onnx", "--tune", "off", "--quiet").stderr == "", result)
    result = planish(program, folder, "run", "pair.onnx", "--tune", "off", "--shape", "x=2x4")  # z shares the name
    expect(result.returncode == 0 and "no shape" not in result.stderr, result)


def check_arithmetic(program, folder):
    sides = ("--shape", "x=1x3x8x8", "--tune", "off")
    result = planish(program, folder, "build", "conv.onnx", "-o", "half.plan", "--device", "cpu", "--fp16", *sides)
    expect("permitted: fp32, tf32, fp16; products: 1 in fp32; fp16 is for GPUs" in result.stderr, result)
    result = planish(program, folder, "build", "conv.onnx", "-o", "plain.plan", "--device", "cpu", *sides)
    expect("permitted" not in result.stderr, result)
    result = planish(program, folder, "bench", "conv.onnx", *sides, "--runs", "20", "--layers", "--json", "bench.json")
    found = json.loads((folder / "bench.json").read_text())
    expect(result.returncode == 0 and sum(found["arithmetic"].values()) == 1, result)
    expect(found["layers"]["steps"][0]["arithmetic"] == "fp32", found)
    # One after another, all together: between the slowest and the fastest, as the median need not be.
    expect(found["runs"] == 20 and 1e3 / found["p99_ms"] * 0.1 <= found["throughput"] <= 1e3 / found["min_ms"] * 1.001, found)


def check_help(program, folder):
    text = planish(program, folder, "build", "--help").stdout
    headings = ("Machine:", "Shapes and target:", "Precision:", "Weights:", "Tuning:", "Ranges for int8, from samples:", "What is printed:")
    expect(all(heading in text for heading in headings), text)
    expect(text.index("Precision:") < text.index("--bf16") < text.index("Weights:"), text)


def check_labels(program, folder):
    (folder / "samples").mkdir()
    for name in "ab":
        (folder / "samples" / f"{name}.npy").write_bytes(npy("<f4", "1x1x2x2")[:-16] + struct.pack("<4f", 0, 1, 0, 0))
    evaluate = ("evaluate", "classes.onnx", "--images", "samples", "--labels", "labels.txt", "--tune", "off", "--quiet", "--json", "-")

    def judged(labels, *words):
        (folder / "labels.txt").write_text(labels)
        return planish(program, folder, *evaluate, *words)

    expect(json.loads(judged("a.npy 1\nb.npy 2\na.npy 1\n").stdout)["top1"]["share"] == 0.5, "labels")
    for labels, words, said in (
            ("a.npy 1\nb.npy 2\na.npy 3\n", (), "labels.txt:3: 'a.npy' is of class 3 here and of class 1 before"),
            ("a.npy 99999999999999999999\nb.npy 1\n", (), "labels.txt:1: class 99999999999999999999 is too large"),
            ("a.npy 4\nb.npy 1\n", (), "a.npy: its class, with --class-offset, is element 4 of the output, which has 4"),
            ("a.npy 1\nb.npy 1\n", ("--except", "2"), "--images samples: --except 2 leaves none of its pictures")):
        result = judged(labels, *words)
        expect(result.returncode == 1 and said in result.stderr, result)


def check_empty_samples(program, folder):
    (folder / "four.npy").write_bytes(npy("<f4", "4x3x8x8"))
    result = planish(program, folder, "calibrate", "conv.onnx", "--data", "four.npy", "--shape", "x=0x3x8x8", "-o", "no.table")
    expect(result.returncode == 1 and "four.npy[0]: sample 1: input 'x' f32[0,3,8,8] has no elements" in result.stderr and not (folder / "no.table").exists(), result)


def check_variables(program, folder):
    def run(**variables):
        return planish(program, folder, "run", "fine.onnx", "--tune", "off", "--quiet", env={**os.environ, **variables})

    result = run(PLANISH_DEVICE="CPU")
    expect(result.returncode == 1 and "PLANISH_DEVICE=CPU: auto, cpu, cuda and cuda:NUMBER are accepted" in result.stderr, result)
    result = run(PLANISH_CPU_ISA="avx9")
    expect(result.returncode == 1 and "PLANISH_CPU_ISA: 'avx9'" in result.stderr and "avx2" in result.stderr, result)
    result = run(PLANISH_CUDA_DRIVER="/nowhere/libcuda.so")
    expect(result.returncode == 0 and result.stderr.count("PLANISH_CUDA_DRIVER=/nowhere/libcuda.so") == 1, result)


def main(program):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models(folder)
        for check in (check_open, check_arithmetic, check_help, check_labels, check_empty_samples, check_variables):
            check(program, folder)


if __name__ == "__main__":
    main(program_from(__doc__))
