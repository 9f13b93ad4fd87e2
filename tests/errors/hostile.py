#!/usr/bin/env python3
"""Files of people who mean harm, one or more for each class of known faults in model loaders: hostile.py PLANISH [NAME…]

Each is refused with a sentence that says why: exit status 1, nothing written, within a second and 100 MB (a sanitizer's build,
which is slower and larger, is told by PLANISH_SLOW). No package is needed.
"""
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from wire import FLOAT, INT64, block, external, floats, ints, model, node, number, tensor, value, varint

SECONDS, MEGABYTES = 1.0, 100
X, Y = [value("x", [1, 4])], [value("y", [1, 4])]
BIG = 1 << 62


def i64(name, values):
    return tensor(name, INT64, [len(values)], struct.pack(f"<{len(values)}q", *values))


def one(op, operands=("x",), attributes=(), weights=(), domain="", outputs=("y",), inputs=X):
    return model([node(op, operands, outputs, attributes=attributes, domain=domain)], inputs, Y, weights)


def integer(name, number_):
    return block(1, name) + number(3, number_) + number(20, 2)


def text(name, content):
    return block(1, name) + block(4, content) + number(20, 3)


def real(name, content):
    return block(1, name) + varint(2 << 3 | 5) + struct.pack("<f", content) + number(20, 1)


def constant(name, content):
    return block(1, name) + block(5, content) + number(20, 4)


def subgraph(name, nodes, outputs, weights=()):
    graph = b"".join(block(1, n) for n in nodes) + block(2, "body") + b"".join(block(5, w) for w in weights)
    return block(1, name) + block(6, graph + b"".join(block(12, value(o, [1, 4])) for o in outputs)) + number(20, 5)


def function(name, nodes, domain="f"):
    body = block(1, name) + block(4, "a") + block(5, "b") + b"".join(block(7, n) for n in nodes)
    return block(25, body + block(9, number(2, 17)) + block(9, block(1, domain) + number(2, 1)) + block(10, domain))


def calls(functions):
    """x goes through f::f0; `functions` are the bodies, by name."""
    whole = model([node("f0", ["x"], ["y"], domain="f")], X, Y) + block(8, block(1, "f") + number(2, 1))
    return whole + b"".join(function(name, nodes) for name, nodes in functions.items())


def nested_ifs(depth):
    inner = [node("Relu", ["x"], ["r0"])]
    for i in range(1, depth):
        inner = [node("If", ["c"], [f"r{i}"], attributes=[subgraph("then_branch", inner, [f"r{i - 1}"]),
                                                          subgraph("else_branch", inner[:0] + [node("Relu", ["x"], ["e"])], ["e"])])]
    return model(inner[:-1] + [node("If", ["c"], ["y"], attributes=[
        subgraph("then_branch", inner, [f"r{depth - 1}"]), subgraph("else_branch", [node("Relu", ["x"], ["e"])], ["e"])])],
        [X[0], value("c", [1], 9)], Y)


def nested_messages(depth):
    graph = b""
    for _ in range(depth):
        graph = block(1, block(5, block(1, "g") + block(6, graph) + number(20, 5)))  # graph.node.attribute.g
    return number(1, 8) + block(7, graph)


def narrow_numbers(dtype):
    """x is reshaped to elements 8 and 9 of two joined lists of that type."""
    return model([node("Concat", ["a", "a"], ["ten"], attributes=[integer("axis", 0)]), node("Slice", ["ten", "b", "e"], ["two"]),
                  node("Cast", ["two"], ["shape"], attributes=[integer("to", 7)]), node("Reshape", ["x", "shape"], ["r"]),
                  node("Relu", ["r", "r"], ["y"])], [X[0], value("a", [5], dtype)], Y, [i64("b", [8]), i64("e", [10])])


def located(location, extra=b"", dims=(1, 4)):
    entries = block(13, block(1, "location") + block(2, location)) + extra
    weight = b"".join(number(1, d) for d in dims) + number(2, FLOAT) + block(8, "w") + entries + number(14, 1)
    return one("Add", ("x", "w"), weights=[weight])


def entry(key, content):
    return block(13, block(1, key) + block(2, str(content)))


def loop(trips):
    body = block(1, node("Add", ["s", "s"], ["s2"])) + block(1, node("Identity", ["c"], ["c2"])) + block(2, "body")
    body += b"".join(block(11, v) for v in (value("i", [], INT64), value("c", [], 9), value("s", [1, 4])))
    body += b"".join(block(12, v) for v in (value("c2", [], 9), value("s2", [1, 4])))
    turns = number(2, INT64) + block(8, "n") + block(9, struct.pack("<q", trips))
    yes = number(2, 9) + block(8, "go") + block(9, b"\1")
    return model([node("Loop", ["n", "go", "x"], ["y"], attributes=[block(1, "body") + block(6, body) + number(20, 5)])], X, Y, [turns, yes])


def doubled(levels):
    """f0 calls f1 twice, f1 calls f2 twice, …"""
    bodies = {f"f{i}": [node(f"f{i + 1}", ["a"], ["t"], domain="f"), node(f"f{i + 1}", ["t"], ["b"], domain="f")] for i in range(levels)}
    return calls(bodies | {f"f{levels}": [node("Relu", ["a"], ["b"])]})


ROWS = {
    # sizes whose product, or whose bytes, do not fit
    "weights_2_62": (one("Add", ("x", "w"), weights=[tensor("w", FLOAT, [BIG, 4], b"")]), "'w'"),
    "weights_2_63": (one("Add", ("x", "w"), weights=[tensor("w", FLOAT, [1 << 63], b"")]), "'w'"),
    "weights_wrap_to_0": (one("Add", ("x", "w"), weights=[tensor("w", FLOAT, [1 << 32, 1 << 32], b"")]), "'w'"),
    "weights_wrap_to_8": (one("Add", ("x", "w"), weights=[tensor("w", FLOAT, [(1 << 61) + 1, 8], bytes(32))]), "'w'"),
    "input_product": (one("Relu", inputs=[value("x", [1 << 40, 1 << 40])]), "'x'"),
    "input_negative": (one("Relu", inputs=[value("x", [-7, 4])]), "'x'"),
    "reshape_huge": (one("Reshape", ("x", "s"), weights=[i64("s", [BIG, BIG])]), "'reshape'"),
    "reshape_negative": (one("Reshape", ("x", "s"), weights=[i64("s", [-4, -1])]), "'reshape'"),
    "expand_huge": (one("Expand", ("x", "s"), weights=[i64("s", [1 << 45, 1 << 20, 1, 4])]), "'expand'"),
    "tile_huge": (one("Tile", ("x", "s"), weights=[i64("s", [1 << 50, 1 << 10])]), "'tile'"),
    "fill_huge": (one("ConstantOfShape", ("s",), weights=[i64("s", [1 << 40, 1 << 30])]), "'constantofshape'"),
    "range_huge": (one("Range", ("a", "b", "c"), weights=[number(2, INT64) + block(8, n) + block(9, struct.pack("<q", v)) for n, v in (("a", 0), ("b", BIG), ("c", 1))]), "'range'"),
    "pad_huge": (one("Pad", ("x", "p"), weights=[i64("p", [0, BIG, 0, BIG])]), "'pad'"),
    "resize_huge": (one("Resize", ("x", "", "s"), weights=[floats("s", [2], [1e30, 1e30])]), "'resize'"),
    # data that is shorter or longer than it claims
    "raw_short": (one("Add", ("x", "w"), weights=[tensor("w", FLOAT, [1, 4], bytes(12))]), "'w'"),
    "raw_long": (one("Add", ("x", "w"), weights=[tensor("w", FLOAT, [1, 4], bytes(20))]), "'w'"),
    "offset_beyond": (located("data.bin", entry("offset", 1 << 20)), "data.bin"),
    "offset_wraps": (located("data.bin", entry("offset", (1 << 64) - 8) + entry("length", 16)), "'w'"),
    "offset_negative": (located("data.bin", entry("offset", -16)), "'w'"),
    "length_other": (located("data.bin", entry("length", 12)), "'w'"),
    "length_no_number": (located("data.bin", entry("length", "sixteen")), "'w'"),
    "field_beyond": (number(1, 8) + varint(7 << 3 | 2) + varint(1 << 40) + b"abc", "no well-formed protobuf"),
    "field_2_63": (number(1, 8) + varint(7 << 3 | 2) + b"\xff" * 9 + b"\x01", "no well-formed protobuf"),
    "varint_endless": (b"\x08" + b"\xff" * 20, "no well-formed protobuf"),
    "cut": (one("Relu")[:-7], "model.onnx"),
    # counts
    "rank_1000": (one("Relu", inputs=[value("x", [1] * 1000)]), "rank 1000"),
    "weights_rank_1000": (one("Add", ("x", "w"), weights=[tensor("w", FLOAT, [1] * 1000, bytes(4))]), "rank"),
    "topk_negative": (one("TopK", ("x", "k"), weights=[i64("k", [-1])]), "'topk'"),
    "outputs_many": (one("Relu", outputs=("y", "z", "q")), "'relu'"),
    # files outside the model's folder
    "path_parent": (located("../data.bin"), "'../data.bin'"),
    "path_hidden_parent": (located("sub/../../data.bin"), "'sub/../../data.bin'"),
    "path_absolute": (located("/etc/passwd"), "'/etc/passwd'"),
    "path_symlink": (located("symlink.bin"), "'symlink.bin'"),
    "path_hard_link": (located("hard.bin"), "'hard.bin'"),
    "path_folder": (located("folder"), "'folder'"),
    "path_pipe": (located("pipe"), "'pipe'"),
    "path_empty": (located(""), "'w'"),
    "path_nul": (located("data.bin\0/../x"), "'w'"),
    "path_address": (located("*/_ORT_MEM_ADDR_/*", entry("offset", 4096) + entry("length", 16)), "_ORT_MEM_ADDR_"),
    "path_in_attribute": (model([node("Constant", [], ["w"], attributes=[constant("value", external("w", [1, 4], "../data.bin"))]),
                                 node("Add", ["x", "w"], ["y"])], X, Y), "'../data.bin'"),
    "path_in_branch": (model([node("If", ["c"], ["y"], attributes=[
        subgraph("then_branch", [node("Add", ["x", "w"], ["t"])], ["t"], [external("w", [1, 4], "../data.bin")]),
        subgraph("else_branch", [node("Relu", ["x"], ["e"])], ["e"])])], [X[0], value("c", [1], 9)], Y), "'../data.bin'"),
    "path_in_function": (calls({"f0": [node("Constant", [], ["w"], attributes=[constant("value", external("w", [1, 4], "../data.bin"))]),
                                       node("Add", ["a", "w"], ["b"])]}), "'../data.bin'"),
    # depth
    "ifs_500_deep": (nested_ifs(500), "deep"),
    "messages_5000_deep": (nested_messages(5000), "deep"),
    "function_calls_itself": (calls({"f0": [node("f0", ["a"], ["b"], domain="f")]}), "deep"),
    "functions_call_each_other": (calls({"f0": [node("f1", ["a"], ["b"], domain="f")], "f1": [node("f0", ["a"], ["b"], domain="f")]}), "deep"),
    "functions_3000_deep": (calls({f"f{i}": [node(f"f{i + 1}", ["a"], ["b"], domain="f")] for i in range(3000)} | {"f3000": [node("Relu", ["a"], ["b"])]}), "deep"),
    # little that becomes much
    "functions_doubled_60_times": (doubled(60), "more than"),
    "fill_folded": (model([node("ConstantOfShape", ["s"], ["big"]), node("ReduceSum", ["big"], ["t"], attributes=[integer("keepdims", 0)]),
                           node("Add", ["x", "t"], ["y"])], X, Y, [i64("s", [1 << 46])]), "narrower"),
    # division by nothing
    "stride_0": (one("MaxPool", attributes=[ints("kernel_shape", [1, 1]), ints("strides", [0, 1])], inputs=[value("x", [1, 1, 4, 4])]), "'maxpool'"),
    "group_0": (one("Conv", ("x", "w"), attributes=[integer("group", 0)], weights=[floats("w", [1, 1, 1, 1], [1])], inputs=[value("x", [1, 1, 4, 4])]), "'conv'"),
    "kernel_0": (one("MaxPool", attributes=[ints("kernel_shape", [0, 0])], inputs=[value("x", [1, 1, 4, 4])]), "'maxpool'"),
    "block_0": (one("DepthToSpace", attributes=[integer("blocksize", 0)], inputs=[value("x", [1, 4, 4, 4])]), "'depthtospace'"),
    "delta_0": (one("Range", ("a", "b", "c"), weights=[number(2, INT64) + block(8, n) + block(9, struct.pack("<q", v)) for n, v in (("a", 0), ("b", 4), ("c", 0))]), "'range'"),
    "slice_step_0": (one("Slice", ("x", "a", "b", "c", "d"), weights=[i64(n, [v]) for n, v in (("a", 0), ("b", 4), ("c", 1), ("d", 0))]), "'slice'"),
    # operands and ranks that are not there
    "conv_without_operands": (one("Conv", ()), "'conv'"),
    "upsample_without_operands": (one("Upsample", ()), "'upsample'"),
    "gemm_rank_3": (one("Gemm", ("x", "w"), weights=[floats("w", [1, 1, 4], [1] * 4)]), "'gemm'"),
    "axis_7": (one("Softmax", attributes=[integer("axis", 7)]), "'softmax'"),
    "perm_beyond": (one("Transpose", attributes=[ints("perm", [0, 9])]), "'transpose'"),
    # attributes of another kind
    "strides_a_float": (one("MaxPool", attributes=[ints("kernel_shape", [1, 1]), real("strides", 1.0)], inputs=[value("x", [1, 1, 4, 4])]), "strides"),
    "axis_a_text": (one("Softmax", attributes=[text("axis", "last")]), "axis"),
    "perm_a_tensor": (one("Transpose", attributes=[constant("perm", i64("p", [1, 0]))]), "perm"),
    "attribute_twice": (one("Softmax", attributes=[integer("axis", 0), integer("axis", 1)]), "axis"),
    "attribute_of_no_type": (one("Softmax", attributes=[block(1, "axis") + number(20, 99)]), "axis"),
    # one name for two things, and none
    "weights_twice": (one("Add", ("x", "w"), weights=[floats("w", [1, 4], [1] * 4), floats("w", [1, 4], [2] * 4)]), "'w'"),
    "result_twice": (model([node("Relu", ["x"], ["y"], "a"), node("Neg", ["x"], ["y"], "b")], X, Y), "'y'"),
    "input_twice": (model([node("Relu", ["x"], ["y"])], X + X, Y), "'x'"),
    "cycle": (model([node("Relu", ["b"], ["a"], "one"), node("Relu", ["a"], ["b"], "two"), node("Add", ["x", "b"], ["y"])], X, Y), "'one'"),
    "own_operand": (model([node("Add", ["x", "y"], ["y"])], X, Y), "'add'"),
    # types
    "type_99": (one("Relu", inputs=[value("x", [1, 4], 99)]), "'x'"),
    "weights_type_99": (one("Add", ("x", "w"), weights=[tensor("w", 99, [1, 4], bytes(16))]), "'w'"),
    "cast_to_99": (one("Cast", attributes=[integer("to", 99)]), "99"),
    # numbers of elements that a narrow type cannot hold; behind the shape they make stands what is refused
    **{f"numbers_of_type_{dtype}": (narrow_numbers(dtype), "'relu'") for dtype in (21, 22)},
    # what a kernel would read beyond its operands
    "gather_beyond": (one("Gather", ("x", "i"), weights=[i64("i", [9])]), "'gather'"),
    "gather_below": (one("Gather", ("x", "i"), attributes=[integer("axis", 1)], weights=[i64("i", [-5])]), "'gather'"),
    "packed_weights_short": (one("MatMulNBits", ("x", "w", "s"), domain="com.microsoft", attributes=[integer("K", 4096), integer("N", 4096), integer("bits", 4), integer("block_size", 32)],
                                 weights=[tensor("w", 2, [1, 1, 16], bytes(16)), floats("s", [1], [1])]), "'matmulnbits'"),
}


def prepare(folder):
    (folder / "data.bin").write_bytes(bytes(range(16)))
    (folder.parent / "data.bin").write_bytes(bytes(16))
    (folder / "symlink.bin").symlink_to(folder.parent / "data.bin")
    os.link(folder / "data.bin", folder / "hard.bin")
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")


def check(planish, folder, name, content, expected):
    """What is wrong, or None."""
    (folder / "model.onnx").write_bytes(content)
    (folder / "x.plan").unlink(missing_ok=True)
    begin = time.monotonic()
    process = subprocess.Popen([planish, "build", "model.onnx", "-o", "x.plan", "--tune", "off", "--quiet"], cwd=folder,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        errors = process.communicate(timeout=60)[1].strip()
    except subprocess.TimeoutExpired:
        process.kill()
        return f"{name}: no answer after 60 s"
    seconds = time.monotonic() - begin
    if process.returncode != 1 or expected not in errors or "model.onnx" not in errors:
        return f"{name}: exit status {process.returncode}\n  {errors[:600]}\nexpected: a sentence with model.onnx and {expected}"
    if (folder / "x.plan").exists():
        return f"{name}: a plan was written"
    if seconds > SECONDS and not os.environ.get("PLANISH_SLOW"):
        return f"{name}: refused after {seconds:.2f} s"
    return None


def main():
    planish, names = str(Path(sys.argv[1]).resolve()), sys.argv[2:]
    with tempfile.TemporaryDirectory() as outer:
        folder = Path(outer) / "models"
        folder.mkdir()
        prepare(folder)
        rows = {name: row for name, row in ROWS.items() if not names or name in names}
        problems = [problem for name, row in rows.items() if (problem := check(planish, folder, name, *row))]
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    if most > MEGABYTES and not os.environ.get("PLANISH_SLOW"):
        problems.append(f"one of them took {most:.0f} MB")
    print("\n".join(problems) or f"{len(rows)} files refused, {most:.0f} MB at most")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
