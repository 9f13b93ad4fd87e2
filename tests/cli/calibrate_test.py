#!/usr/bin/env python3
"""calibrate_test.py PLANISH: calibration of a small network, its table, int8 beside fp32, and what is refused."""
import json
import math
import random
import struct
import tempfile
import zipfile
from pathlib import Path

from helpers import expect, planish, program_from
from run import npy
from wire import floats, ints, model, node, value

SAMPLES, SHAPE = 16, [3, 8, 8]
COUNT = SHAPE[0] * SHAPE[1] * SHAPE[2]
WIDTH = 1 / 64  # of a bin: the first sample's largest value is 2048 of them


def weights(name, dims, scale=1.0):
    drawn = random.Random(name)
    return floats(name, dims, [drawn.gauss(0, scale) for _ in range(math.prod(dims))])


def network(first="x", scale=1.0):
    """conv - relu - conv + first conv's result - relu - pool - conv: y."""
    same = [ints("pads", [1, 1, 1, 1])]
    nodes = [
        node("Conv", [first, "w1", "b1"], ["c1"], "conv1", same), node("Relu", ["c1"], ["r1"], "relu1"),
        node("Conv", ["r1", "w2"], ["c2"], "conv2", same), node("Add", ["c2", "r1"], ["s"], "add"),
        node("Relu", ["s"], ["r2"], "relu2"),
        node("MaxPool", ["r2"], ["p"], "pool", [ints("kernel_shape", [2, 2]), ints("strides", [2, 2])]),
        node("Conv", ["p", "w3"], ["y"], "conv3"),
    ]
    constants = [weights("w1", [8, 3, 3, 3], scale), floats("b1", [8], [scale * k for k in range(8)]),
                 weights("w2", [8, 8, 3, 3]), weights("w3", [4, 8, 1, 1])]
    return model(nodes, [value(first, [1, *SHAPE])], [value("y", [1, 4, 4, 4])], constants)


def sample_values():
    """In the middles of bins, so that every arithmetic finds the same histogram."""
    drawn = random.Random(1)
    values = [min(int(abs(drawn.gauss(0, 250))), 2000) for _ in range(SAMPLES * COUNT)]
    values = [(k + 0.5) * WIDTH * drawn.choice((-1, 1)) for k in values]
    values[0] = 2048 * WIDTH
    return values


def array(values, shape):
    zeros = npy("<f4", "x".join(map(str, shape)))
    return zeros[:len(zeros) - 4 * len(values)] + struct.pack(f"<{len(values)}f", *values)


def entropy_threshold(values):
    """Bin by bin, as published: no prefix sums."""
    bins = [0] * 2048
    for x in values:
        bins[min(int(abs(x) / WIDTH), 2047)] += 1
    bins[0] = bins[1]
    total, least, best = sum(bins), math.inf, 2048
    for i in range(128, 2049):
        inside, beyond = sum(bins[:i]), sum(bins[i:])
        reference = bins[:i]
        reference[-1] += beyond
        masses, occupied = [0] * 128, [0] * 128
        for k in range(i):
            masses[k * 128 // i] += bins[k]
            occupied[k * 128 // i] += bins[k] > 0
        divergence = 0.0
        for k in range(i):
            if reference[k] == 0:
                continue
            q = masses[k * 128 // i] / occupied[k * 128 // i] if bins[k] else 0
            divergence += reference[k] / total * math.log(reference[k] / total / (q / inside)) if q else math.inf
        if divergence <= least + 1e-12:
            least, best = min(least, divergence), i
    return best * WIDTH


def read_table(path):
    header, *lines = path.read_text().splitlines()
    return header, {name: struct.unpack(">f", bytes.fromhex(bits))[0] for name, bits in (line.split(": ") for line in lines)}


def check_entropy(program, folder, values):
    result = planish(program, folder, "calibrate", "net.onnx", "--data", "x.npz", "-o", "net.table", "--json", "c.json")
    expect(result.returncode == 0 and "16 samples by entropy" in result.stdout, result)
    header, scales = read_table(folder / "net.table")
    expect(header == "TRT-8601-EntropyCalibration2" and set(scales) == {"x", "r1", "r2"}, result)
    wanted = entropy_threshold(values) / 127
    expect(abs(scales["x"] / wanted - 1) < 1e-6, f"{result.stdout}\nscale of x {scales['x']}, expected {wanted}")
    result = planish(program, folder, "calibrate", "net.onnx", "--data", "x.npz", "-o", "max.table", "--method", "minmax")
    expect(abs(read_table(folder / "max.table")[1]["x"] - 32 / 127) < 1e-6, result)
    result = planish(program, folder, "calibrate", "net.onnx", "--data", "x.npz", "-o", "means.table", "--correct-bias")
    lines = [line for line in (folder / "means.table").read_text().splitlines() if " mean: " in line]
    expect([len(line.split()) - 2 for line in lines] == [8, 8, 3], lines)  # p, r1, x
    result = planish(program, folder, "build", "net.onnx", "-o", "means.plan", "--precision", "int8", "--calibration", "means.table")
    expect(result.returncode == 0 and "int8: 3 layers" in result.stdout, result)
    result = planish(program, folder, "calibrate", "net.onnx", "--data", "x.npz", "-o", "best.table", "--method", "best", "--json", "c.json")
    judged = json.loads((folder / "c.json").read_text())
    taken = max(judged["decibels"], key=judged["decibels"].get)
    expect(taken.startswith(judged["method"]) and len(judged["decibels"]) == 6, result)
    result = planish(program, folder, "build", "net.onnx", "-o", "best.plan", "--precision", "int8", "--calibration", "best.table")
    expect(result.returncode == 0 and "int8: 3 layers" in result.stdout, result)
    result = planish(program, folder, "calibrate", "net.onnx", "--data", "x.npz", "-o", "all.table", "--equalise", "--round-weights")
    text = (folder / "all.table").read_text()
    expect(all(f"\nr1 {what}: " in text for what in ("largest", "power")) and "\nconv2 weights: " in text, result)


def check_int8(program, folder):
    int8 = ["--precision", "int8", "--calibration", "max.table"]
    result = planish(program, folder, "build", "net.onnx", "-o", "int8.plan", *int8)
    expect(result.returncode == 0 and "int8: 3 layers; fp32: 0" in result.stdout, result)
    layers = planish(program, folder, "inspect", "int8.plan", "--layers").stdout
    expect("max_pool" in layers and "dequantize_linear  dequantize_linear" not in layers, layers)
    result = planish(program, folder, "verify", "net.onnx", *int8)
    expect(result.returncode == 0, result)
    result = planish(program, folder, "inspect", "net.onnx", "--islands", *int8)
    expect("0 layers compute in floats" in result.stdout, result)
    result = planish(program, folder, "verify", "net.onnx", "--precision", "int8", "--data", "x.npz", "--method", "minmax",
                     "--json", "v.json", "--quiet")
    found = json.loads((folder / "v.json").read_text())
    expect(len(found["layers"]) == 3 and all(layer["sqnr_db"] > 30 for layer in found["layers"]), result)
    expect(found["error_all_int8"] < 0.05, found)
    for most in (found["error_all_int8"] / 2, 1e-5):
        result = planish(program, folder, "build", "net.onnx", "-o", "mixed.plan", "--precision", "int8", "--calibrate", "x.npz",
                         "--method", "minmax", "--max-error", str(most))
        expect(result.returncode == 0 and "stay fp32 for it" in result.stdout, result)
    result = planish(program, folder, "build", "net.onnx", "-o", "faster.plan", "--precision", "fp32,int8", "--calibration", "max.table")
    expect(result.returncode == 0 and " is taken" in result.stdout and "int8 " in result.stdout, result)
    result = planish(program, folder, "build", "net.onnx", "-o", "p.plan", *int8, "--layer-precision", "relu1=int8:prefer",
                     "--layer-precision", "conv9=fp32:prefer", "--layer-precision", "conv1=fp32:obey", "-v")
    expect(result.returncode == 0 and "layer 'relu1' stays fp32: no product" in result.stderr and "no layer 'conv9'" in result.stderr
           and "int8: 2 layers" in result.stdout, result)
    result = planish(program, folder, "build", "net.onnx", "-o", "corrected.plan", "--precision", "int8", "--calibrate", "x.npz",
                     "--correct-bias", "--layer-precision", "conv3=fp32", "-v")
    expect("int8: 2 layers; fp32: 1" in result.stdout and "conv3 stays fp32: --layer-precision says so" in result.stdout, result)


def check_refusals(program, folder, values):
    def refused(words, *texts):
        result = planish(program, folder, *words)
        expect(result.returncode in (1, 2) and all(text in result.stderr for text in texts), result)

    build = ["build", "net.onnx", "-o", "no.plan", "--precision", "int8"]
    refused(build, "--calibration TABLE or --calibrate SAMPLES")
    (folder / "other.onnx").write_bytes(network("image"))
    refused(["build", "other.onnx", "-o", "no.plan", "--precision", "int8", "--calibration", "net.table"],
            "no scale of 1 tensors of the network: 'image'", "that the network lacks: 'x'")
    for lines, why in (("conv7 weights: 7f01", "weights of layers that the network lacks: 'conv7'"), ("q mean: 3f800000", "means of tensors that the network lacks: 'q'"),
                       ("x mean: 3f800000\nx mean: 3f800000", "two lines 'x mean'"), ("x largest: bf800000", "0 or more is accepted"),
                       ("x largest: 3f800000\nx power: 3f800000", "1 channels of 'x'"), ("x largest: 3f800000", "1 magnitudes and 0 mean squares")):
        (folder / "own.table").write_text((folder / "net.table").read_text() + lines + "\n")
        refused([*build, "--calibration", "own.table"], "own.table", why)
    for name, text, why in (("empty", "", "begins with ''"), ("bits", "x: 3f80zzzz", "'3f80zzzz'"), ("nan", "x: 7fc00000", "tensor 'x' is nan"),
                            ("negative", "x: bf800000", "tensor 'x' is -1"), ("denormal", "x: 00000001", "normal numbers"),
                            ("infinite", "x: 7f800000", "tensor 'x' is inf"), ("range", "x: 3f800000\nx range: 3f800000 bf800000", "range of tensor 'x'"),
                            ("odd", "x: 3f800000\nconv1 weights: 7f8", "weight 1 of layer 'conv1' is '8'"), ("least", "x: 3f800000\nconv1 weights: 80", "not 80"),
                            ("twice", "x: 3f800000\nx: 3f800000", "two scales of tensor 'x'")):
        (folder / f"{name}.table").write_text(text if name == "empty" else f"TRT-8601-EntropyCalibration2\n{text}\n")
        refused([*build, "--calibration", f"{name}.table"], f"{name}.table", why)
    table = (folder / "net.table").read_text()
    for name, line, why in (("few", "conv1 weights: 7f7f", "has 2 weights of layer 'conv1', which has 216"),
                            ("columns", "conv1 scales: 3f800000", "has 1 scales of layer 'conv1', which has 8 columns")):
        (folder / f"{name}.table").write_text(f"{table}{line}\n")
        refused([*build, "--calibration", f"{name}.table"], f"{name}.table", why)
    for bound in (["--max-drop", "101"], ["--max-error", "nan"], ["--max-drop", "nan"]):
        refused([*build, "--calibrate", "x.npz", *bound], f"{bound[0]} {bound[1]}", "accepted")
    refused([*build, "--calibrate", "x.npz", "--max-drop", "1"], "holds no scores of classes")
    refused([*build, "--calibration", "net.table", "--max-drop", "1"], "samples are needed")
    refused([*build, "--calibration", "net.table", "--layer-precision", "conv1=int8:may"], "obey and prefer are accepted")
    refused([*build, "--calibration", "net.table", "--layer-precision", "conv9=fp32"], "no layer 'conv9'")
    refused([*build, "--calibration", "net.table", "--layer-precision", "relu1=int8"], "'relu1' cannot be int8")
    calibrate = ["calibrate", "net.onnx", "-o", "no.table", "--data"]
    refused([*calibrate, "nowhere"], "--data nowhere")
    broken = list(values)
    broken[3 * COUNT] = math.nan
    (folder / "nan.npy").write_bytes(array(broken, [SAMPLES, *SHAPE]))
    refused([*calibrate, "nan.npy"], "sample 4", "input 'x' has elements that are not finite")
    broken[3 * COUNT] = -math.inf
    with zipfile.ZipFile(folder / "inf.npz", "w") as archive:
        archive.writestr("x.npy", array(broken, [SAMPLES, *SHAPE]))
    refused([*calibrate, "inf.npz"], "sample 4", "input 'x' has elements that are not finite")
    refused([*build, "--calibrate", "inf.npz", "--method", "best"], "sample 4", "not finite")
    with zipfile.ZipFile(folder / "named.npz", "w") as archive:
        archive.writestr("image.npy", array(values, [SAMPLES, *SHAPE]))
    refused([*calibrate, "named.npz"], "named.npz", "no member 'x'")
    (folder / "type.npy").write_bytes(npy("<i8", "x".join(map(str, [SAMPLES, *SHAPE]))))
    refused([*calibrate, "type.npy"], "sample 1", "'x'", "i64")
    (folder / "cut.npy").write_bytes(array(values, [SAMPLES, *SHAPE])[:-4])
    refused([*calibrate, "cut.npy"], "cut.npy")
    (folder / "shape.npy").write_bytes(array(values[:4 * 75], [4, 3, 5, 5]))
    refused([*calibrate, "shape.npy"], "sample 1", "'x'", "5,5")
    (folder / "none.npy").write_bytes(array([], [0, *SHAPE]))
    refused([*calibrate, "none.npy"], "holds no row")


def check_dead(program, folder):
    (folder / "dead.onnx").write_bytes(network(scale=0.0))
    result = planish(program, folder, "calibrate", "dead.onnx", "--data", "x.npz", "-o", "dead.table", "--samples", "4")
    expect(result.returncode == 0 and "tensor 'r1' is 0 in every sample" in result.stderr and "with 4 samples" in result.stderr, result)
    result = planish(program, folder, "build", "dead.onnx", "-o", "dead.plan", "--precision", "int8", "--calibration", "dead.table", "-v")
    expect(result.returncode == 0 and "conv2 stays fp32: 'r1' is zero in every sample" in result.stdout, result)


def main():
    program = program_from(__doc__)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        values = sample_values()
        (folder / "net.onnx").write_bytes(network())
        with zipfile.ZipFile(folder / "x.npz", "w") as archive:
            archive.writestr("x.npy", array(values, [SAMPLES, *SHAPE]))
        check_entropy(program, folder, values)
        check_int8(program, folder)
        check_refusals(program, folder, values)
        check_dead(program, folder)


if __name__ == "__main__":
    main()
