"""ONNX files that nobody should accept, written on the wire format: no package is needed, and no package corrects them."""
import struct

FLOAT, INT64, UINT8 = 1, 7, 2


def varint(value):
    out = b""
    value &= (1 << 64) - 1
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def block(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def tensor(name, dtype, dims, raw):
    return b"".join(number(1, d) for d in dims) + number(2, dtype) + block(8, name) + block(9, raw)


def floats(name, dims, values):
    return tensor(name, FLOAT, dims, struct.pack(f"<{len(values)}f", *values))


def external(name, dims, location):
    entry = block(1, "location") + block(2, location)
    return b"".join(number(1, d) for d in dims) + number(2, FLOAT) + block(8, name) + block(13, entry) + number(14, 1)


def value(name, dims, dtype=FLOAT):
    shape = b"".join(block(1, block(2, d) if isinstance(d, str) else number(1, d)) for d in dims)
    return block(1, name) + block(2, block(1, number(1, dtype) + block(2, shape)))


def ints(name, values):
    return block(1, name) + b"".join(number(8, v) for v in values) + number(20, 7)


def node(op, inputs, outputs, name="", attributes=(), domain=""):
    out = b"".join(block(1, i) for i in inputs) + b"".join(block(2, o) for o in outputs)
    out += block(3, name or op.lower()) + block(4, op) + b"".join(block(5, a) for a in attributes)
    return out + (block(7, domain) if domain else b"")


def model(nodes, inputs, outputs, weights=(), opset=17):
    graph = b"".join(block(1, n) for n in nodes) + block(2, "net") + b"".join(block(5, w) for w in weights)
    graph += b"".join(block(11, i) for i in inputs) + b"".join(block(12, o) for o in outputs)
    return number(1, 8) + block(7, graph) + block(8, number(2, opset))


def branch(name, results):
    """An If's subgraph that gives x under each of these names."""
    nodes = b"".join(block(1, node("Identity", ["x"], [result])) for result in results)
    graph = nodes + block(2, name) + b"".join(block(12, value(result, [1, 4])) for result in results)
    return block(1, name) + block(6, graph) + number(20, 5)


X, Y = [value("x", [1, 4])], [value("y", [1, 4])]
PICTURE = [value("x", [1, 3, 8, 8])]
QUANTISED = [value("y", [1, 4], UINT8)]
NAN = float("nan")

MODELS = {
    "fine": model([node("Relu", ["x"], ["y"])], X, Y),
    "dynamic": model([node("Relu", ["x"], ["y"])], [value("x", ["N", 4])], [value("y", ["N", 4])]),
    "square": model([node("ReduceSum", ["x"], ["y"])], [value("x", ["N", "M"])], [value("y", [1, 1])]),
    "two_inputs": model([node("Add", ["x", "z"], ["y"])], [value("x", ["N", 4]), value("z", ["N", 4])], [value("y", ["N", 4])]),
    "branches": model([node("If", ["c"], ["y"], "if1", [branch("then_branch", ["a", "b"]), branch("else_branch", ["d"])])],
                      X + [value("c", [], 9)], Y),
    "no_results": model([node("If", ["c"], ["y"], "if1", [branch("then_branch", []), branch("else_branch", [])])],
                        X + [value("c", [], 9)], Y),
    "pooled": model([node("MaxPool", ["x"], ["y"], "pool1", [ints("kernel_shape", [3, 3])])], [value("x", [1, 1, "H", 8])],
                    [value("y", [1, 1, "H2", 6])]),
    "cropped": model([node("Pad", ["x", "p"], ["y"], "crop1")], [value("x", ["H", 4])], [value("y", ["H2", 4])],
                     [tensor("p", INT64, [4], struct.pack("<4q", -2, 0, -2, 0))]),
    "integers": model([node("Cast", ["ids"], ["y"], attributes=[block(1, "to") + number(3, FLOAT) + number(20, 2)])],
                      [value("ids", [1, 4], INT64)], Y),
    "no_graph": number(1, 8) + block(8, number(2, 17)),
    "no_outputs": model([node("Relu", ["x"], ["y"])], X, []),
    "unknown_operator": model([node("Frobnicate", ["x"], ["a"], "first"), node("Frobnicate", ["a"], ["b"]),
                               node("Zap", ["b"], ["y"], "zapper", domain="my.domain")], X, Y),
    "undefined_value": model([node("Relu", ["nothing"], ["y"], "relu7")], X, Y),
    "undefined_output": model([node("Relu", ["x"], ["z"])], X, Y),
    "cycle": model([node("Add", ["x", "b"], ["a"], "add1"), node("Relu", ["a"], ["b"], "relu1"), node("Relu", ["b"], ["y"])], X, Y),
    "twice_defined": model([node("Relu", ["x"], ["y"], "relu1"), node("Tanh", ["x"], ["y"], "tanh1")], X, Y),
    "missing_operand": model([node("Add", ["x"], ["y"], "add1")], X, Y),
    "channels": model([node("Conv", ["x", "w"], ["y"], "conv1")], PICTURE, [value("y", [1, 2, 6, 6])],
                      [floats("w", [2, 4, 3, 3], [0.5] * 72)]),
    "kernel_larger": model([node("Conv", ["x", "w"], ["y"], "conv1")], [value("x", [1, 1, 2, 2])], [value("y", [1, 1, 1, 1])],
                           [floats("w", [1, 1, 3, 3], [0.5] * 9)]),
    "negative_stride": model([node("Conv", ["x", "w"], ["y"], "conv1", [ints("strides", [-1, 1])])], PICTURE,
                             [value("y", [1, 1, 8, 8])], [floats("w", [1, 3, 1, 1], [0.5] * 3)]),
    "short_weights": model([node("Conv", ["x", "w"], ["y"], "conv1")], PICTURE, [value("y", [1, 1, 8, 8])],
                           [floats("w", [1, 3, 1, 1], [0.5] * 2)]),
    "negative_extent": model([node("Add", ["x", "w"], ["y"], "add1")], X, Y, [floats("w", [-4], [0.5] * 4)]),
    "huge_extent": model([node("Add", ["x", "w"], ["y"], "add1")], X, Y, [floats("w", [1 << 40, 1 << 40], [0.5] * 4)]),
    "broadcast": model([node("Add", ["x", "w"], ["y"], "add1")], X, Y, [floats("w", [3], [0.5] * 3)]),
    "matmul": model([node("MatMul", ["x", "w"], ["y"], "fc")], X, Y, [floats("w", [5, 4], [0.5] * 20)]),
    "reshape": model([node("Reshape", ["x", "s"], ["y"], "reshape1")], X, Y, [tensor("s", INT64, [2], struct.pack("<2q", 3, 3))]),
    "dtypes": model([node("Add", ["x", "i"], ["y"], "add1")], X, Y, [tensor("i", INT64, [4], bytes(32))]),
    "nan_scale": model([node("QuantizeLinear", ["x", "s", "z"], ["y"], "quant1")], X, QUANTISED,
                       [floats("s", [], [NAN]), tensor("z", UINT8, [], b"\0")]),
    "zero_scale": model([node("QuantizeLinear", ["x", "s", "z"], ["y"], "quant1")], X, QUANTISED,
                        [floats("s", [], [0.0]), tensor("z", UINT8, [], b"\0")]),
    "external_fine": model([node("Add", ["x", "w"], ["y"], "add1")], X, Y, [external("w", [4], "weights.bin")]),
    "external_missing": model([node("Add", ["x", "w"], ["y"], "add1")], X, Y, [external("w", [4], "weights.bin")]),
    "external_outside": model([node("Add", ["x", "w"], ["y"], "add1")], X, Y, [external("w", [4], "../weights.bin")]),
    "external_absolute": model([node("Add", ["x", "w"], ["y"], "add1")], X, Y, [external("w", [4], "/etc/passwd")]),
    "unknown_dtype": model([node("Relu", ["x"], ["y"])], [value("x", [1, 4], 99)], Y),
    "opset_0": model([node("Relu", ["x"], ["y"])], X, Y, opset=0),
    "opset_999": model([node("Relu", ["x"], ["y"])], X, Y, opset=999),
}
