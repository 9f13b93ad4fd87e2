#!/usr/bin/env python3
"""verify_test.py PLANISH: `planish verify` on a network whose steps fuse, merge and move values under other names."""
import json
import struct
import tempfile
import zipfile
from pathlib import Path

from helpers import expect, planish, program_from
from run import npy
from wire import INT64, block, floats, ints, model, node, number, tensor, value


def int_attribute(name, x):
    return block(1, name) + number(3, x) + number(20, 2)


def weights(name, dims):
    count = 1
    for d in dims:
        count *= d
    return floats(name, dims, [((7 * i) % 23 - 11) / 16 for i in range(count)])


def network(outputs):
    """conv - hard swish in exporters' form - pool - channel shuffle of two halves - concat - conv."""
    int64 = lambda name, values: tensor(name, INT64, [len(values)], struct.pack(f"<{len(values)}q", *values))
    nodes = [
        node("Conv", ["x", "w1"], ["c"], "conv1", [ints("pads", [1, 1, 1, 1])]),
        node("Add", ["c", "three"], ["c3"], "add3"), node("Clip", ["c3", "zero", "six"], ["gate"], "clip"),
        node("Mul", ["c", "gate"], ["g"], "mul"), node("Div", ["g", "six"], ["act"], "div"),
        node("MaxPool", ["act"], ["pool"], "pool", [ints("kernel_shape", [2, 2]), ints("strides", [2, 2])]),
        node("Split", ["pool", "halves"], ["left", "right"], "split", [int_attribute("axis", 1)]),
        node("Relu", ["right"], ["r"], "relu"), node("Concat", ["left", "r"], ["cat"], "concat", [int_attribute("axis", 1)]),
        node("Reshape", ["cat", "grouped"], ["s1"], "shuffle1"), node("Transpose", ["s1"], ["s2"], "shuffle2", [ints("perm", [0, 2, 1, 3, 4])]),
        node("Reshape", ["s2", "whole"], ["shuffled"], "shuffle3"), node("Conv", ["shuffled", "w2"], ["y"], "conv2"),
    ]
    constants = [weights("w1", [8, 3, 3, 3]), weights("w2", [4, 8, 1, 1]), floats("three", [], [3]), floats("zero", [], [0]), floats("six", [], [6]),
                 int64("halves", [4, 4]), int64("grouped", [1, 2, 4, 4, 4]), int64("whole", [1, 8, 4, 4])]
    shapes = {"y": [1, 4, 4, 4], "pool": [1, 8, 4, 4]}
    return model(nodes, [value("x", [1, 3, 8, 8])], [value(name, shapes[name]) for name in outputs], constants)


def archive(folder, name, arrays):
    with zipfile.ZipFile(folder / name, "w") as zipped:
        for member, data in arrays.items():
            zipped.writestr(member + ".npy", data)


def shifted(array):
    """The .npy with its last element one larger."""
    return array[:-4] + struct.pack("<f", struct.unpack("<f", array[-4:])[0] + 1)


def check_reference(program, folder):
    result = planish(program, folder, "verify", "net.onnx", "--json", "r.json", "--tolerance", "1e-5")
    expect(result.returncode == 0 and "no layer is beyond" in result.stdout, result)
    layers = json.loads((folder / "r.json").read_text())["layers"]
    expect({"pool", "y"} <= {layer["value"] for layer in layers}, result)
    expect(all(layer["relative_l2"] < 1e-5 for layer in layers), result)


def check_archive(program, folder):
    header = npy("<f4", "1x3x8x8")[:-4 * 192]
    x = header + struct.pack("<192f", *[((5 * i) % 31) / 8 - 2 for i in range(192)])
    (folder / "x.npy").write_bytes(x)
    result = planish(program, folder, "run", "both.onnx", "--input", "x=x.npy", "--no-optimize", "--output-dir", ".", "--quiet")
    expect(result.returncode == 0, result)
    y, pool = (folder / "y.npy").read_bytes(), (folder / "pool.npy").read_bytes()

    archive(folder, "good.npz", {"x": x, "y": y, "pool": pool})
    result = planish(program, folder, "verify", "net.onnx", "--against", "good.npz")
    expect(result.returncode == 0 and "input x: from the archive" in result.stdout and "2 layers compared" in result.stdout, result)

    archive(folder, "between.npz", {"x": x, "y": y, "pool": shifted(pool)})
    result = planish(program, folder, "verify", "net.onnx", "--against", "between.npz")
    expect(result.returncode == 0 and "first layer beyond 1e-04: pool" in result.stdout, result)

    archive(folder, "output.npz", {"x": x, "y": shifted(y)})
    result = planish(program, folder, "verify", "net.onnx", "--against", "output.npz")
    expect(result.returncode == 1 and "output 'y' differs" in result.stderr and "at [0,3,3,3]" in result.stderr, result)


def main(program):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "net.onnx").write_bytes(network(["y"]))
        (folder / "both.onnx").write_bytes(network(["y", "pool"]))
        check_reference(program, folder)
        check_archive(program, folder)


if __name__ == "__main__":
    main(program_from(__doc__))
