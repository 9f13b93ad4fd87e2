#!/usr/bin/env python3
"""streams_test.py PLANISH: standard output that is closed, full or a plan's place; links, limits and names that are no text."""
import json
import os
import resource
import subprocess
import tempfile
from pathlib import Path

from helpers import expect, planish, program_from
from wire import MODELS, X, block, model, node, value


def shell(program, folder, line):
    return subprocess.run(["bash", "-c", "set -o pipefail; " + line], cwd=folder, capture_output=True, text=True, timeout=120,
                          env={**os.environ, "P": program})


def check_readers(program, folder):
    """A reader that has had enough is no failure; the work is done all the same."""
    result = shell(program, folder, "$P inspect net.onnx --graph --layers --memory --tune off --quiet | head -n 1")
    expect(result.returncode == 0 and result.stderr == "", result)
    result = shell(program, folder, "$P run net.onnx --tune off --json - --output-dir out | true")
    expect(result.returncode == 0 and (folder / "out/y.npy").exists(), result)


def check_full(program, folder):
    for words in ("run net.onnx --tune off --quiet --json -", "inspect net.onnx --graph", "run --help"):
        result = shell(program, folder, f"$P {words} > /dev/full")
        expect(result.returncode == 1 and result.stderr == "planish: standard output: cannot write: No space left on device\n", result)


def check_closed(program, folder):
    """Files that are opened do not become the streams that are missing."""
    result = shell(program, folder, "$P build net.onnx -o closed.plan --tune off <&- >&- 2>&- && $P inspect closed.plan")
    expect(result.returncode == 0 and "input  x f32[1,4]" in result.stdout, result)


def check_plan_as_stream(program, folder):
    result = shell(program, folder, "$P build net.onnx -o /dev/stdout --tune off --quiet > stream.plan && $P run stream.plan --quiet")
    expect(result.returncode == 0 and Path("/dev/stdout").is_symlink(), result)
    result = shell(program, folder, "$P build net.onnx -o /dev/stdout --tune off --quiet | cat > piped.plan && $P run piped.plan --quiet")
    expect(result.returncode == 0, result)


def check_links(program, folder):
    """What a link points to is written; the link stays."""
    (folder / "real").mkdir()
    (folder / "link.plan").symlink_to("real/new.plan")
    for _ in range(2):
        result = planish(program, folder, "build", "net.onnx", "-o", "link.plan", "--tune", "off", "--quiet")
        expect(result.returncode == 0 and (folder / "link.plan").is_symlink() and (folder / "real/new.plan").is_file(), result)


def check_limit(program, folder):
    """A file beyond the limit of the shell: a sentence, no signal, nothing left."""
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))
    result = planish(program, folder, "build", "net.onnx", "-o", "limited.plan", "--tune", "off", "--quiet", preexec_fn=limit)
    expect(result.returncode == 1 and result.stderr == "planish: limited.plan: cannot write: File too large\n", result)
    expect(not list(folder.glob("limited*")), result)


def check_names(program, folder):
    """Outputs that would have one file name each get their own; names that are not UTF-8 still make JSON."""
    result = planish(program, folder, "run", "slashes.onnx", "--tune", "off", "--quiet", "--output-dir", "three")
    expect(result.returncode == 0 and len(list((folder / "three").iterdir())) == 3, result)
    result = planish(program, folder, "run", os.fsdecode(b"\xe9.onnx"), "--tune", "off", "--quiet", "--json", "names.json")
    expect(result.returncode == 0 and len(json.loads((folder / "names.json").read_text())["outputs"]) == 1, result)


def check_not_finite(program, folder):
    result = planish(program, folder, "run", "logarithms.onnx", "--tune", "off", "--top", "4", "--json", "logarithms.json")
    expect(result.returncode == 0 and "4 of 4 not finite" in result.stdout, result)
    expect(json.loads((folder / "logarithms.json").read_text())["outputs"]["y"]["not_finite"] == 4, result)


def main(program):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "net.onnx").write_bytes(MODELS["fine"])
        outputs = ["a/b", "a_b", "a:b"]
        (folder / "slashes.onnx").write_bytes(model([node("Relu", ["x"], [o]) for o in outputs], X, [value(o, [1, 4]) for o in outputs]))
        latin = MODELS["fine"].replace(block(2, "y"), block(2, b"\xe9")).replace(block(1, "y"), block(1, b"\xe9"))
        (folder / os.fsdecode(b"\xe9.onnx")).write_bytes(latin)
        # x is from [0, 1): no logarithm of -x is a number
        nodes = [node("Neg", ["x"], ["n"]), node("Log", ["n"], ["y"])]
        (folder / "logarithms.onnx").write_bytes(model(nodes, X, [value("y", [1, 4])]))
        for check in (check_readers, check_full, check_closed, check_plan_as_stream, check_links, check_limit, check_names, check_not_finite):
            check(program, folder)


if __name__ == "__main__":
    main(program_from(__doc__))
