#!/usr/bin/env python3
"""vanish_test.py PLANISH: a plan that is cut short while it runs ends in one sentence and status 1; one that is removed runs on."""
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from helpers import program_from
from wire import floats, model, node, value

SIDE = 512


def start(program, folder):
    process = subprocess.Popen([program, "bench", "net.plan", "--seconds", "4", "--quiet"], cwd=folder, stderr=subprocess.PIPE, text=True)
    time.sleep(1)
    return process


def main(program):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weights = floats("w", [SIDE, SIDE], [0.001] * (SIDE * SIDE))
        (folder / "net.onnx").write_bytes(model([node("MatMul", ["x", "w"], ["y"])], [value("x", [1, SIDE])], [value("y", [1, SIDE])], [weights]))
        subprocess.run([program, "build", "net.onnx", "-o", "net.plan", "--quiet", "--tune", "off"], cwd=folder, check=True)
        process = start(program, folder)
        copy = (folder / "net.plan").read_bytes()
        os.truncate(folder / "net.plan", 0)
        _, error = process.communicate(timeout=60)
        if process.returncode != 1 or "a file was cut short" not in error:
            sys.exit(f"cut short: exit status {process.returncode}: {error}")
        (folder / "net.plan").write_bytes(copy)
        process = start(program, folder)
        (folder / "net.plan").unlink()
        _, error = process.communicate(timeout=60)
        if process.returncode != 0:
            sys.exit(f"removed: exit status {process.returncode}: {error}")


if __name__ == "__main__":
    main(program_from(__doc__))
