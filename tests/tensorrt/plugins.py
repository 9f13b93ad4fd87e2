#!/usr/bin/env python3
"""Plugins of a user's library, reached from ONNX nodes: by the command line and by a program of TensorRT's interface.

  plugins.py PLANISH PROGRAM LIBRARY      PROGRAM: plugins_program; LIBRARY: of plugin_library.cpp
"""
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from programs import import_or_skip  # noqa: E402


def network(op, domain, **attributes):
    from onnx import TensorProto, helper
    node = helper.make_node(op, ["t"], ["u"], domain=domain)
    node.name = "plugin"
    node.attribute.extend(helper.make_attribute(key, content) for key, content in attributes.items())
    value = helper.make_tensor_value_info
    # An operator before and behind: the plugin stands among others.
    nodes = [helper.make_node("Identity", ["x"], ["t"]), node, helper.make_node("Reshape", ["u", "shape"], ["y"])]
    shape = helper.make_tensor("shape", TensorProto.INT64, [3], [2, 3, 4])
    graph = helper.make_graph(nodes, "plugin", [value("x", TensorProto.FLOAT, [2, 3, 4])], [value("y", TensorProto.FLOAT, [2, 3, 4])], [shape])
    domains = [helper.make_opsetid("", 17)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    return helper.make_model(graph, opset_imports=domains, ir_version=8)


def call(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120)


def main():
    planish, program, library = sys.argv[1:4]
    swish = lambda x: x * np.clip(x + 3, 0, 6) / 6
    fields = dict(scale=2.5, offsets=[3, 4], mode="sum", weights=onnx.numpy_helper.from_array(np.array([0.5, 0.25], np.float32)))
    models = {
        "swish": (network("HSwish", "", plugin_version="1", plugin_namespace=""), swish),
        "swish_domain": (network("HSwish", "my.ops"), swish),
        "swish_named": (network("Plugin", "TRT", name="HSwish", info="{}"), swish),
        "offset": (network("OffsetScale", "my.ops", **fields), lambda x: 2.5 * x + 7.75),
    }
    bad = {
        "mode": (network("OffsetScale", "", scale=1.0, mode="mean"), "does not take these attributes"),
        "version": (network("HSwish", "my.ops", plugin_version="7"), "my.ops::HSwish"),
        "space": (network("HSwish", "my.ops", plugin_namespace="elsewhere"), "my.ops::HSwish"),
    }
    problems = []

    def expect(right, what):
        if not right:
            problems.append(what)

    with tempfile.TemporaryDirectory() as folder:
        x = (np.arange(24, dtype=np.float32) * 0.5 - 6).reshape(2, 3, 4)
        np.save(f"{folder}/x.npy", x)
        for name, (model, formula) in models.items():
            onnx.save(model, f"{folder}/{name}.onnx")
            plan = f"{folder}/{name}.plan"
            run = (planish, "run", plan, "--input", f"x={folder}/x.npy", "--output-dir", folder, "--quiet")
            without = call(planish, "build", f"{folder}/{name}.onnx", "-o", plan, "--quiet")
            expect(without.returncode == 1 and "needs operators that are missing" in without.stderr, f"{name} without its library: {without.stderr}")
            built = call(planish, "build", f"{folder}/{name}.onnx", "-o", plan, "--plugins", library, "--quiet")
            expect(built.returncode == 0, f"{name} is not built: {built.stderr}")
            refused = call(*run)
            expect(refused.returncode == 1 and "plugin" in refused.stderr, f"{name}: the plan without its library: {refused.stderr}")
            done = call(*run, "--plugins", library)
            expect(done.returncode == 0, f"{name} does not run: {done.stderr}")
            if done.returncode == 0:
                error = np.abs(np.load(f"{folder}/y.npy") - formula(x)).max()
                expect(error < 1e-5, f"{name} is apart by {error}")
        for name, (model, said) in bad.items():
            onnx.save(model, f"{folder}/{name}.onnx")
            built = call(planish, "build", f"{folder}/{name}.onnx", "-o", f"{folder}/plan", "--plugins", library, "--quiet")
            expect(built.returncode == 1 and said in built.stderr, f"{name}: exit {built.returncode}, {built.stderr}")
        for path, said in ((f"{folder}/none.so", "cannot be loaded"), ("libm.so.6", "registers no plugins")):
            done = call(planish, "inspect", f"{folder}/swish.onnx", "--plugins", path)
            expect(done.returncode == 1 and said in done.stderr, f"{path}: exit {done.returncode}, {done.stderr}")
        done = call(program, library, *(f"{folder}/{name}.onnx" for name in models))
        expect(done.returncode == 0, f"the program: exit {done.returncode}\n{done.stdout}{done.stderr}")
    print("\n".join(problems) or f"{len(models)} models with plugins, {len(bad)} refusals")
    return 1 if problems else 0


if __name__ == "__main__":
    import_or_skip(globals(), np="numpy", onnx="onnx")
    sys.exit(main())
