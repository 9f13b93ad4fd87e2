#!/usr/bin/env python3
"""Networks of one plugin that ships with the library, as ONNX nodes, against formulas in numpy on the same inputs.

  plugins.py PLANISH [NAME…]     all cases, or those whose name contains NAME

A node's domain is anything; fields are its attributes. Fields that do not fit must be refused in one sentence. Needs onnx
and numpy.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from programs import import_or_skip  # noqa: E402

LIMIT = 2e-5
BATCH = 2  # extent of first axes, which are symbols in a second form of each network


def extents(x, symbolic):
    return ["N", *x.shape[1:]] if symbolic and x.ndim > 1 and x.shape[0] == BATCH else x.shape


def network(plugin, inputs, outputs, fields, symbolic=False):
    from onnx import TensorProto, helper, numpy_helper
    node = helper.make_node(plugin, [f"x{i}" for i in range(len(inputs))], [f"y{i}" for i in range(outputs)], domain="somebody.plugins", name="plugin")
    for name, value in fields.items():
        if isinstance(value, np.ndarray):
            value = numpy_helper.from_array(value)
        node.attribute.append(helper.make_attribute(name, value))
    types = {np.dtype("f4"): TensorProto.FLOAT, np.dtype("i4"): TensorProto.INT32, np.dtype("i8"): TensorProto.INT64}
    graph = helper.make_graph([node], "one_plugin", [helper.make_tensor_value_info(f"x{i}", types[x.dtype], extents(x, symbolic)) for i, x in enumerate(inputs)],
                              [onnx.ValueInfoProto(name=f"y{i}") for i in range(outputs)])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("somebody.plugins", 1)], ir_version=8)


def call(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120)


def verdict(planish, folder, name, plugin, inputs, wanted, fields):
    wanted = wanted(*inputs) if callable(wanted) else wanted
    onnx.save(network(plugin, inputs, len(wanted), fields), f"{folder}/m.onnx")
    words = []
    for i, x in enumerate(inputs):
        np.save(f"{folder}/x{i}.npy", x)
        words += ["--input", f"x{i}={folder}/x{i}.npy"]
    for stale in Path(folder).glob("y*.npy"):
        stale.unlink()
    ranges = []
    for i, x in enumerate(inputs):
        if "N" in extents(x, True):
            rest = "x".join(str(extent) for extent in ("", *x.shape[1:]))
            ranges += ["--shape", f"x{i}=1{rest}:{BATCH}{rest}:4{rest}"]
    forms = [[], ["--no-optimize"]] + ([ranges] if ranges else [])
    for how in forms:
        if how and how is ranges:
            onnx.save(network(plugin, inputs, len(wanted), fields, symbolic=True), f"{folder}/m.onnx")
        for step in ([planish, "build", f"{folder}/m.onnx", "-o", f"{folder}/plan", "--tune", "off", "--no-tf32", "--quiet", *how],
                     [planish, "run", f"{folder}/plan", "--output-dir", folder, "--quiet", *words]):
            done = call(*step)
            if done.returncode != 0:
                return done.stderr.strip()
        for i, expected in enumerate(wanted):
            expected = np.asarray(expected)
            found = np.load(f"{folder}/y{i}.npy")
            if found.shape != expected.shape:
                return f"result {i} is {list(found.shape)}, {list(expected.shape)} is right"
            if (expected.dtype.kind == "i") != (found.dtype.kind == "i"):
                return f"result {i} is of {found.dtype}, {expected.dtype} is right"
            error = float(np.abs(found.astype(np.float64) - expected).max(initial=0)) / max(1.0, float(np.abs(expected).max(initial=0)))
            if not error <= LIMIT:
                return f"result {i} is apart by {error:.2e} of its largest {' '.join(how)}".strip()
    return ""


def refusal(planish, folder, plugin, inputs, said, fields):
    onnx.save(network(plugin, inputs, 1, fields), f"{folder}/m.onnx")
    done = call(planish, "build", f"{folder}/m.onnx", "-o", f"{folder}/plan", "--quiet")
    text = done.stderr.strip()
    if done.returncode != 1 or said not in text or "plugin" not in text or "\n" in text:
        return f"exit {done.returncode}, {text!r}, which lacks {said!r}"
    return ""


def main():
    plugin_cases.fill()
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        for entry in plugin_cases.CASES:
            if not sys.argv[2:] or any(word in entry[0] for word in sys.argv[2:]):
                text = verdict(sys.argv[1], folder, *entry)
                problems += [f"FAIL {entry[0]}: {text}"] if text else []
        for entry in plugin_cases.REFUSED if not sys.argv[2:] else []:
            text = refusal(sys.argv[1], folder, *entry)
            problems += [f"FAIL refusal by {entry[0]}: {text}"] if text else []
    print("\n".join(problems + [f"{len(plugin_cases.CASES)} cases, {len(plugin_cases.REFUSED)} refusals, {len(problems)} problems"]))
    return 1 if problems else 0


if __name__ == "__main__":
    import_or_skip(globals(), np="numpy", onnx="onnx")
    import plugin_cases
    sys.exit(main())
