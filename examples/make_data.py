#!/usr/bin/env python3
"""Writes the data that the examples run on, from the bundled network and its pictures (demo/).

make_data.py FOLDER

digits.prototxt, digits.caffemodel, digits_mean.binaryproto   demo/digits.onnx as a Caffe network
digits.wts                                                    its weights as text: name, count, numbers in hexadecimal
0.pgm … 9.pgm                                                 a picture of each digit that demo/ has, 8 x 8
spots.onnx, spots_pose.onnx, spots.ppm                        detectors in the form of YOLO's, and what they look at
hswish.onnx                                                   a network with a node that nobody but a plugin knows
integers.onnx                                                 integers of 64 bits
doubles.onnx                                                  floats of 64 bits, and axes that constants are computed from

Needs nothing but Python's standard library.
"""
import argparse
import struct
import zlib
from pathlib import Path

DEMO = Path(__file__).resolve().parent.parent / "demo"


# --- the wire format of protocol buffers


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def block(field, value):
    value = value.encode() if isinstance(value, str) else bytes(value)
    return varint(field << 3 | 2) + varint(len(value)) + value


def float32(field, value):
    return varint(field << 3 | 5) + struct.pack("<f", value)


def floats(values):
    return struct.pack(f"<{len(values)}f", *values)


def fields(message):
    """(field, value) of each field; the value of a block is its bytes."""
    at = 0

    def read():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = read()
        if key & 7 == 0:
            yield key >> 3, read()
        elif key & 7 == 2:
            size = read()
            yield key >> 3, message[at:at + size]
            at += size
        else:
            size = 4 if key & 7 == 5 else 8
            yield key >> 3, message[at:at + size]
            at += size


def initializers(model):
    """Name: (extents, numbers) of an ONNX model's constants, which are floats as raw data."""
    graph = dict(fields(model))[7]
    found = {}
    for field, tensor in fields(graph):
        if field != 5:
            continue
        parts = list(fields(tensor))
        extents = [value for part, value in parts if part == 1]
        raw = dict(parts)[9]
        found[dict(parts)[8].decode()] = (extents, list(struct.unpack(f"<{len(raw) // 4}f", raw)))
    return found


# --- Caffe

PROTOTXT = """name: "digits"
layer {
  name: "image"
  type: "Input"
  top: "image"
  input_param { shape { dim: 1 dim: 1 dim: 8 dim: 8 } }
}
layer {
  name: "scale"
  type: "Power"
  bottom: "image"
  top: "scale"
  power_param { scale: 0.00392156862745098 }
}
layer {
  name: "conv1"
  type: "Convolution"
  bottom: "scale"
  top: "conv1"
  convolution_param { num_output: 16 pad: 1 kernel_size: 3 }
}
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer {
  name: "pool1"
  type: "Pooling"
  bottom: "conv1"
  top: "pool1"
  pooling_param { pool: MAX kernel_size: 2 stride: 2 }
}
layer {
  name: "conv2"
  type: "Convolution"
  bottom: "pool1"
  top: "conv2"
  convolution_param { num_output: 32 pad: 1 kernel_size: 3 }
}
layer { name: "relu2" type: "ReLU" bottom: "conv2" top: "conv2" }
layer {
  name: "pool2"
  type: "Pooling"
  bottom: "conv2"
  top: "pool2"
  pooling_param { pool: MAX kernel_size: 2 stride: 2 }
}
layer {
  name: "fc"
  type: "InnerProduct"
  bottom: "pool2"
  top: "scores"
  inner_product_param { num_output: 10 }
}
layer { name: "prob" type: "Softmax" bottom: "scores" top: "prob" }
"""


def blob(extents, values):
    return block(7, block(1, b"".join(varint(extent) for extent in extents))) + block(5, floats(values))


def caffe_layer(name, kind, blobs):
    return block(100, block(1, name) + block(2, kind) + b"".join(block(7, blob(*one)) for one in blobs))


def transposed(extents, values):
    rows, columns = extents
    return [columns, rows], [values[r * columns + c] for c in range(columns) for r in range(rows)]


def write_caffe(folder, weights):
    (folder / "digits.prototxt").write_text(PROTOTXT, encoding="ascii")
    model = block(1, "digits")
    for name, kind in (("conv1", "Convolution"), ("conv2", "Convolution"), ("fc", "InnerProduct")):
        kernel = weights[f"{name}.weight"]
        model += caffe_layer(name, kind, [transposed(*kernel) if name == "fc" else kernel, weights[f"{name}.bias"]])
    (folder / "digits.caffemodel").write_bytes(model)
    old_extents = number(1, 1) + number(2, 1) + number(3, 8) + number(4, 8)
    (folder / "digits_mean.binaryproto").write_bytes(old_extents + block(5, floats([0.0] * 64)))


def write_wts(folder, weights):
    lines = [f"{len(weights)}"]
    for name, (extents, values) in weights.items():
        values = transposed(extents, values)[1] if name == "fc.weight" else values
        lines.append(f"{name} 0 {len(values)} " + " ".join(struct.pack(">f", value).hex() for value in values))
    (folder / "digits.wts").write_text("\n".join(lines) + "\n", encoding="ascii")


# --- pictures


def read_png(path):
    """Rows of (red, green, blue) of a PNG of 8 bits a channel."""
    data, at, packed = path.read_bytes(), 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            width, height, bits, colour = struct.unpack(">IIBB", data[at + 8:at + 18])
            assert bits == 8 and colour == 2, path
        if kind == b"IDAT":
            packed += data[at + 8:at + 8 + size]
        at += size + 12
    raw, stride = zlib.decompress(packed), width * 3
    rows, before = [], bytes(stride)
    for y in range(height):
        filtered = raw[y * (stride + 1):(y + 1) * (stride + 1)]
        row = bytearray(filtered[1:])
        for x in range(stride):
            left, up = row[x - 3] if x >= 3 else 0, before[x]
            corner = before[x - 3] if x >= 3 else 0
            paeth = min((abs(up - corner), 0, left), (abs(left - corner), 1, up), (abs(left + up - 2 * corner), 2, corner))[2]
            row[x] = row[x] + (0, left, up, (left + up) // 2, paeth)[filtered[0]] & 255
        rows.append([tuple(row[3 * x:3 * x + 3]) for x in range(width)])
        before = bytes(row)
    return rows


def write_digits(folder):
    for digit in range(10):
        path = sorted(DEMO.glob(f"digit_*_{digit}.png"))
        if path:
            rows = read_png(path[0])
            (folder / f"{digit}.pgm").write_bytes(b"P5\n8 8\n255\n" + bytes(pixel[0] for row in rows for pixel in row))


# --- ONNX: detectors whose answers are known


def tensor(name, extents, values, integers=False):
    raw = struct.pack(f"<{len(values)}q", *values) if integers else floats(values)
    return b"".join(number(1, extent) for extent in extents) + number(2, 7 if integers else 1) + block(8, name) + block(9, raw)


def attribute(name, value):
    if isinstance(value, float):
        return block(1, name) + float32(2, value) + number(20, 1)
    if isinstance(value, int):
        return block(1, name) + number(3, value) + number(20, 2)
    if isinstance(value, str):
        return block(1, name) + block(4, value) + number(20, 3)
    return block(1, name) + b"".join(number(8, one) for one in value) + number(20, 7)


def node(kind, inputs, output, **attributes):
    return (b"".join(block(1, one) for one in inputs) + block(2, output) + block(3, output) + block(4, kind) +
            b"".join(block(5, attribute(*one)) for one in attributes.items()))


def value_info(name, extents, kind=1):
    shape = b"".join(block(1, block(2, one) if isinstance(one, str) else number(1, one)) for one in extents)
    return block(1, name) + block(2, block(1, number(1, kind) + block(2, shape)))


def write_onnx(path, nodes, constants, inputs, outputs):
    graph = (b"".join(block(1, one) for one in nodes) + block(2, path.stem) + b"".join(block(5, one) for one in constants) +
             b"".join(block(11, value_info(*one)) for one in inputs) + b"".join(block(12, value_info(*one)) for one in outputs))
    path.write_bytes(number(1, 8) + block(7, graph) + block(8, block(1, "") + number(2, 17)))


SIDE, STRIDE, BOX, JOINTS = 64, 8, 24, 17


def cells():
    """The centres of the cells of the grid, row by row."""
    steps = [STRIDE * i + STRIDE / 2 for i in range(SIDE // STRIDE)]
    return [(x, y) for y in steps for x in steps]


def write_detectors(folder):
    """A box of 24 x 24 around each cell of 8 x 8, whose scores grow with the mean of red (class 0) and of green (class 1): [1, 6, 64].
    The other looks for red alone, and has 17 points for each box, k pixels right of its centre and above it: [1, 56, 64]."""
    count, centres = len(cells()), cells()
    boxes = [x for x, _ in centres] + [y for _, y in centres] + [float(BOX)] * (2 * count)
    for name, classes in (("spots", 2), ("spots_pose", 1)):
        kernel = [16.0 if channel == one else 0.0 for one in range(classes) for channel in range(3)]
        constants = [tensor("kernel", [classes, 3, 1, 1], kernel), tensor("bias", [classes], [-8.0] * classes),
                     tensor("list", [3], [1, classes, count], integers=True), tensor("boxes", [1, 4, count], boxes)]
        nodes = [node("AveragePool", ["images"], "means", kernel_shape=[STRIDE, STRIDE], strides=[STRIDE, STRIDE]),
                 node("Conv", ["means", "kernel", "bias"], "logits"), node("Sigmoid", ["logits"], "grid"),
                 node("Reshape", ["grid", "list"], "scores")]
        parts, channels = ["boxes", "scores"], 4 + classes
        if classes == 1:
            for k in range(JOINTS):
                constants.append(tensor(f"joint{k}", [1, 2, count], [x + k for x, _ in centres] + [y - k for _, y in centres]))
                parts += [f"joint{k}", "scores"]
            channels += 3 * JOINTS
        nodes.append(node("Concat", parts, "output0", axis=1))
        write_onnx(folder / f"{name}.onnx", nodes, constants, [("images", [1, 3, SIDE, SIDE])], [("output0", [1, channels, count])])


def write_spots(folder):
    """Red in two neighbouring cells, the second darker, and green in a third: two things, as boxes of neighbours overlap by half."""
    pixels = bytearray(3 * SIDE * SIDE)
    for column, row, channel, value in ((1, 1, 0, 255), (2, 1, 0, 204), (5, 6, 1, 255)):
        for y in range(STRIDE * row, STRIDE * (row + 1)):
            for x in range(STRIDE * column, STRIDE * (column + 1)):
                pixels[3 * (SIDE * y + x) + channel] = value
    (folder / "spots.ppm").write_bytes(b"P6\n%d %d\n255\n" % (SIDE, SIDE) + bytes(pixels))


def write_hswish(folder):
    """What torch.onnx.export writes of a module whose symbolic() says g.op("HSwish", x)."""
    kernel = [(i % 7 - 3) / 4 for i in range(8 * 3)]
    write_onnx(folder / "hswish.onnx", [node("Conv", ["x", "kernel"], "conv"), node("HSwish", ["conv"], "y")],
               [tensor("kernel", [8, 3, 1, 1], kernel)], [("x", ["N", 3, 4, 4])], [("y", ["N", 8, 4, 4])])


def write_integers(folder):
    """Integers of 64 bits: an input, an output, weights beyond 32 bits, and the end of a slice that means "all"."""
    constants = [tensor("more", [2], [1 << 40, 7], True), tensor("start", [1], [1], True),
                 tensor("end", [1], [(1 << 63) - 1], True), tensor("axis", [1], [1], True)]
    write_onnx(folder / "integers.onnx", [node("Add", ["ids", "more"], "sum"), node("Slice", ["x", "start", "end", "axis"], "rest")],
               constants, [("ids", [2], 7), ("x", [2, 3])], [("sum", [2], 7), ("rest", [2, 2])])


def write_doubles(folder):
    """An input and an output of f64; the axis of a sum is what two constants make."""
    constants = [tensor("zero", [1], [0], True), tensor("one", [1], [1], True)]
    nodes = [node("Mul", ["x", "x"], "squares"), node("Add", ["zero", "one"], "axes"), node("ReduceSum", ["squares", "axes"], "y", keepdims=0)]
    write_onnx(folder / "doubles.onnx", nodes, constants, [("x", [2, 3], 11)], [("y", [2], 11)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    weights = initializers((DEMO / "digits.onnx").read_bytes())
    write_caffe(folder, weights)
    write_wts(folder, weights)
    write_digits(folder)
    write_detectors(folder)
    write_spots(folder)
    write_hswish(folder)
    write_integers(folder)
    write_doubles(folder)


if __name__ == "__main__":
    main()
