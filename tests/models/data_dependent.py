#!/usr/bin/env python3
"""Networks whose extents data decides, run in ONNX Runtime and in planish on the same inputs: loops with computed trips and
state that grows, branches of different extents, scans of any length, counts, computed shapes.

  data_dependent.py PLANISH [NAME…]     all cases, or those whose name contains NAME

Needs onnx, onnxruntime, numpy.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT = 1e-4


def value(name, dtype, shape):
    return helper.make_tensor_value_info(name, dtype, shape)


def model(nodes, inputs, outputs, constants=()):
    outputs = [value(name, dtype, None) for name, dtype in outputs]
    tensors = [numpy_helper.from_array(array, name) for name, array in constants]
    graph = helper.make_graph(nodes, "network", inputs, outputs, tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def growing_loop():
    """Two states that swap, a third that grows; rows; ends by trips or by condition."""
    body = helper.make_graph(
        [node("Add", ["a", "b"], ["a2"]), node("Identity", ["a"], ["b2"]), node("Concat", ["all", "a"], ["all2"], axis=0),
         node("ReduceSum", ["a2"], ["s"], keepdims=0), node("Less", ["s", "limit"], ["go"]), node("Identity", ["a2"], ["row"])],
        "turn",
        [value("i", I, []), value("c", B, []), value("a", F, [2]), value("b", F, [2]), value("all", F, None)],
        [value("go", B, []), value("a2", F, [2]), value("b2", F, [2]), value("all2", F, None), value("row", F, [2])])
    network = model(
        [node("Loop", ["n", "", "a0", "b0", "all0"], ["fa", "fb", "fall", "rows"], body=body),
         node("ReduceMax", ["fall"], ["most"], keepdims=0)],
        [value("n", I, []), value("a0", F, [2]), value("b0", F, [2]), value("all0", F, [1]), value("limit", F, [])],
        [("fa", F), ("fb", F), ("fall", F), ("rows", F), ("most", F)])
    for n, limit in ((5, 1e9), (100, 50), (0, 1), (1, 1)):
        yield f"growing_loop_{n}", network, {"n": np.array(n), "a0": floats([1, 2]), "b0": floats([0, 1]), "all0": floats([7]),
                                             "limit": floats(limit)}


def nested_loops():
    inner = helper.make_graph(
        [node("Mul", ["v", "w"], ["v1"]), node("Add", ["v1", "step"], ["v2"]), node("Identity", ["ci"], ["ci2"])], "inner",
        [value("j", I, []), value("ci", B, []), value("v", F, [3])], [value("ci2", B, []), value("v2", F, [3])])
    outer = helper.make_graph(
        [node("Cast", ["i"], ["step"], to=F), node("Loop", ["i", "", "u"], ["u2"], body=inner), node("Identity", ["c"], ["c2"]),
         node("Unsqueeze", ["u2", "first"], ["r"])], "outer",
        [value("i", I, []), value("c", B, []), value("u", F, [3])], [value("c2", B, []), value("u2", F, [3]), value("r", F, [1, 3])])
    network = model([node("Loop", ["n", "", "u0"], ["u", "rows"], body=outer)],
                    [value("n", I, []), value("u0", F, [3]), value("w", F, [3])], [("u", F), ("rows", F)], [("first", np.array([0]))])
    for n in (4, 1, 0):
        yield f"nested_loops_{n}", network, {"n": np.array(n), "u0": floats([1, 2, 3]), "w": floats([.5, .25, 2])}


def counts_and_branches():
    """The elements above a threshold; a branch that cuts them or one that repeats them."""
    cut = helper.make_graph([node("Slice", ["picked", "first", "two"], ["t"])], "cut", [], [value("t", F, None)])
    twice = helper.make_graph([node("Concat", ["picked", "picked"], ["e"], axis=0)], "twice", [], [value("e", F, None)])
    network = model(
        [node("Greater", ["x", "threshold"], ["above"]), node("NonZero", ["above"], ["places"]),
         node("Transpose", ["places"], ["rows"]), node("GatherND", ["x", "rows"], ["picked"]), node("Size", ["picked"], ["count"]),
         node("Greater", ["count", "most"], ["many"]), node("If", ["many"], ["r"], then_branch=cut, else_branch=twice),
         node("Exp", ["r"], ["y"]), node("Shape", ["y"], ["extents"])],
        [value("x", F, [4, 5]), value("threshold", F, []), value("most", I, [])], [("y", F), ("extents", I), ("picked", F)],
        [("first", np.array([0])), ("two", np.array([2]))])
    x = random.standard_normal((4, 5)).astype(np.float32)
    for name, threshold, most in (("cut", 0, 3), ("twice", 0, 100), ("none", 100, 3)):
        yield f"branches_{name}", network, {"x": x, "threshold": floats(threshold), "most": np.array(most)}


def assuming_branches():
    """Branches that assume equal what only their own nodes count, of counts, joined counts and loops."""
    x = random.standard_normal((2, 6)).astype(np.float32)
    other = helper.make_graph([node("Neg", ["x"], ["o"])], "other", [], [value("o", F, None)])
    fours = helper.make_graph(
        [node("Compress", ["flat", "mask"], ["c"]), node("Reshape", ["c", "fours"], ["t"])], "fours", [], [value("t", F, None)])
    joined = helper.make_graph(
        [node("Compress", ["x", "left"], ["a"], axis=1), node("Compress", ["x", "right"], ["b"], axis=1),
         node("Concat", ["a", "b"], ["t"], axis=0)], "joined", [], [value("t", F, None)])
    turn = helper.make_graph(
        [node("Concat", ["all", "x"], ["all2"], axis=0), node("Identity", ["c"], ["c2"])], "turn",
        [value("i", I, []), value("c", B, []), value("all", F, None)], [value("c2", B, []), value("all2", F, None)])
    grown = helper.make_graph([node("Loop", ["count", "", "x"], ["t"], body=turn)], "grown", [], [value("t", F, None)])
    mask, left, right = (np.array(list(bits), "i1").astype(bool) for bits in ("101101110110", "101100", "010011"))
    constants = [("fours", np.array([-1, 4])), ("all", np.array([-1]))]
    for name, branch in (("fours", fours), ("joined", joined), ("grown", grown)):
        network = model([node("Reshape", ["x", "all"], ["flat"]), node("If", ["which"], ["y"], then_branch=branch, else_branch=other),
                         node("Exp", ["y"], ["z"])],
                        [value("x", F, [2, 6]), value("mask", B, [12]), value("left", B, [6]), value("right", B, [6]),
                         value("count", I, []), value("which", B, [])], [("z", F)], constants)
        for which in (True, False):
            yield f"assuming_{name}_{which}", network, {"x": x, "mask": mask, "left": left, "right": right, "count": np.array(3),
                                                        "which": np.array(which)}


def branches_for_some_shapes():
    """A row is filled up to 8 elements, or cut: the first branch fits short ones alone."""
    fill = helper.make_graph(
        [node("Sub", ["eight", "n"], ["missing"]), node("ConstantOfShape", ["missing"], ["zeros"]),
         node("Concat", ["x", "zeros"], ["t"], axis=0)], "fill", [], [value("t", F, None)])
    cut = helper.make_graph([node("Slice", ["x", "first", "eight"], ["e"])], "cut", [], [value("e", F, None)])
    network = model([node("Shape", ["x"], ["n"]), node("Less", ["n", "eight"], ["short"]),
                     node("If", ["short"], ["r"], then_branch=fill, else_branch=cut), node("Neg", ["r"], ["y"])],
                    [value("x", F, ["L"])], [("y", F)], [("eight", np.array([8])), ("first", np.array([0]))])
    for n in (5, 8, 12):
        yield f"for_some_shapes_{n}", network, {"x": random.standard_normal(n).astype(np.float32)}, f"x=1:{n}:12"


def bounds_of_either_sign():
    """x[:-n] and x[-n:], where n is an extent."""
    network = model(
        [node("Shape", ["p"], ["n"]), node("Neg", ["n"], ["back"]), node("Slice", ["x", "first", "back"], ["head"]),
         node("Slice", ["x", "back", "last"], ["tail"])],
        [value("x", F, [10]), value("p", F, ["N"])], [("head", F), ("tail", F)],
        [("first", np.array([0])), ("last", np.array([100]))])
    for n in (0, 3, 8):
        yield f"bounds_{n}", network, {"x": floats(range(10)), "p": floats([1] * n)}, "p=0:3:8"


def sizes_of_many():
    """The largest and smallest of any number of extents; a branch of another rank for one extent."""
    network = model(
        [node("Shape", ["x"], ["n"]), node("Shape", ["p"], ["m"]), node("Max", ["n", "m", "seven"], ["most"]),
         node("Min", ["seven", "m", "n"], ["least"]), node("Max", ["m"], ["own"]), node("Concat", ["most", "least", "own"], ["all"], axis=0),
         node("ConstantOfShape", ["all"], ["y"])],
        [value("x", F, ["N"]), value("p", F, ["M"])], [("y", F)], [("seven", np.array([7]))])
    for n, m in ((3, 4), (9, 2), (8, 8)):
        feeds = {"x": floats([1] * n), "p": floats([1] * m)}
        yield f"sizes_{n}_{m}_fixed", network, feeds, f"x={n}", f"p={m}"
        yield f"sizes_{n}_{m}", network, feeds, "x=1:4:12", "p=1:3:10"


def scans():
    body = helper.make_graph([node("Add", ["s", "e"], ["s2"]), node("Mul", ["s2", "e"], ["o"])], "element",
                             [value("s", F, [3]), value("e", F, [3])], [value("s2", F, [3]), value("o", F, [3])])
    network = model(
        [node("Scan", ["s0", "x"], ["s", "ys"], body=body, num_scan_inputs=1, scan_input_axes=[1], scan_input_directions=[1],
              scan_output_axes=[1], scan_output_directions=[1])],
        [value("s0", F, [3]), value("x", F, [3, "L"])], [("s", F), ("ys", F)])
    for n in (6, 100):
        x = random.standard_normal((3, n)).astype(np.float32) / 10
        for name, shape in (("fixed", f"x=3x{n}"), ("ranged", f"x=3x1:3x{n}:3x200")):
            yield f"scan_{n}_{name}", network, {"s0": floats([0, 0, 0]), "x": x}, shape


def computed_shapes():
    """Shapes, repeats, pads, bounds and K that are inputs; what follows is fused and reduced as ever."""
    x = random.standard_normal((4, 6)).astype(np.float32)
    rows = {
        "reshape": ("Reshape", F, np.array([3, -1])), "expand": ("Expand", F, np.array([2, 1, 6])), "tile": ("Tile", F, np.array([2, 3])),
        "pad": ("Pad", F, np.array([1, 0, 2, 1])), "axes": ("ReduceSum", F, np.array([1])),
    }
    for name, (op, dtype, operand) in rows.items():
        network = model([node(op, ["x", "p"], ["a"]), node("Relu", ["a"], ["b"]), node("Mul", ["b", "b"], ["c"]),
                         node("ReduceSum", ["c"], ["total"], keepdims=0)],
                        [value("x", F, [4, 6]), value("p", I, list(operand.shape))], [("c", dtype), ("total", F)])
        yield f"computed_{name}", network, {"x": x, "p": operand}
    network = model([node("Slice", ["x", "from", "to", "axes", "steps"], ["a"]), node("TopK", ["a", "k"], ["best", "where"]),
                     node("MatMul", ["best", "w"], ["y"])],
                    [value("x", F, [4, 6]), value("from", I, [2]), value("to", I, [2]), value("axes", I, [2]), value("steps", I, [2]),
                     value("k", I, [1]), value("w", F, ["K", 5])], [("y", F), ("where", I)])
    yield "computed_slice_topk", network, {
        "x": x, "from": np.array([-1, 0]), "to": np.array([-100, 5]), "axes": np.array([0, 1]), "steps": np.array([-2, 1]),
        "k": np.array([3]), "w": random.standard_normal((3, 5)).astype(np.float32)}, "w=1x5:3x5:6x5"
    centres, sides = random.random((40, 2)) * 4, random.random((40, 2)) + .2
    boxes = np.concatenate([centres - sides, centres + sides], 1)[None].astype(np.float32)
    network = model([node("NonMaxSuppression", ["boxes", "scores", "most", "iou", "least"], ["kept"]),
                     node("Gather", ["kept", "two"], ["index"], axis=1), node("Squeeze", ["boxes", "zero"], ["flat"]),
                     node("Gather", ["flat", "index"], ["chosen"])],
                    [value("boxes", F, [1, 40, 4]), value("scores", F, [1, 3, 40])], [("kept", I), ("chosen", F)],
                    [("most", np.array([5])), ("iou", floats([.4])), ("least", floats([.3])), ("two", np.array(2)), ("zero", np.array([0]))])
    yield "suppression", network, {"boxes": boxes, "scores": random.random((1, 3, 40)).astype(np.float32)}


def known_in_part():
    """A picture scaled to a computed size, padded to a multiple of 8 by computed pads, then convolved."""
    weights = random.standard_normal((4, 3, 3, 3)).astype(np.float32)
    network = model(
        [node("Cast", ["size"], ["whole"], to=I), node("Concat", ["front", "whole"], ["sizes"], axis=0),
         node("Resize", ["x", "", "", "sizes"], ["scaled"], mode="linear"), node("Mod", ["whole", "eight"], ["over"]),
         node("Sub", ["eight", "over"], ["missing"]), node("Concat", ["zeros", "zeros", "zeros", "missing"], ["pads"], axis=0),
         node("Pad", ["scaled", "pads"], ["padded"]), node("Conv", ["padded", "w"], ["y"], strides=[2, 2])],
        [value("x", F, [1, 3, "h", "w"]), value("size", F, [2])], [("y", F)],
        [("front", np.array([1, 3])), ("eight", np.array([8])), ("zeros", np.array([0, 0])), ("w", weights)])
    for size in ((9.5, 16), (21, 12)):
        yield f"known_in_part_{int(size[0])}", network, {"x": random.standard_normal((1, 3, 12, 10)).astype(np.float32),
                                                         "size": floats(size)}, "x=1x3x8x8:1x3x12x10:1x3x32x32"


def difference(wanted, found):
    if wanted.shape != found.shape:
        return f"{found.shape} where {wanted.shape} is right"
    if wanted.dtype.kind != "f":
        return None if np.array_equal(wanted, found) else "other elements"
    return None if np.allclose(wanted, found, rtol=LIMIT, atol=LIMIT) else f"off by {np.abs(wanted - found).max()}"


def check(planish, folder, name, network, feeds, *shapes):
    """What is wrong, or None."""
    path = folder / f"{name}.onnx"
    onnx.save(network, path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    wanted = session.run(None, feeds)
    command = [planish, "run", str(path), "--tune", "off", "--quiet", "--output-dir", str(folder / name)]
    for key, array in feeds.items():
        np.save(folder / f"{key}.npy", array)
        command += ["--input", f"{key}={folder}/{key}.npy"]
    for shape in shapes:
        command += ["--shape", shape]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        return done.stderr.strip()
    for output, array in zip(session.get_outputs(), wanted):
        if wrong := difference(array, np.load(folder / name / f"{output.name}.npy")):
            return f"{output.name}: {wrong}"
    return None


def main(arguments):
    planish, names = arguments[0], arguments[1:]
    wrong, run = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for family in (growing_loop, nested_loops, counts_and_branches, assuming_branches, branches_for_some_shapes,
                       bounds_of_either_sign, sizes_of_many, scans, computed_shapes, known_in_part):
            for name, *rest in family():
                if names and not any(part in name for part in names):
                    continue
                run += 1
                if problem := check(planish, Path(folder), name, *rest):
                    wrong += 1
                    print(f"{name}: {problem}")
    print(f"{run - wrong} of {run} agree with ONNX Runtime")
    return 1 if wrong or run == 0 else 0


try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
except ImportError as error:
    print(f"SKIPPED: {error}")
    sys.exit(0)

F, I, B = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
random = np.random.default_rng(5)
node = helper.make_node


def floats(values):
    return np.array(values, np.float32)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
