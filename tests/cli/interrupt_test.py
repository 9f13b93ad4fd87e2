#!/usr/bin/env python3
"""interrupt_test.py PLANISH: Ctrl-C ends every command with status 130 and one word, and nothing stands half-written."""
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from helpers import expect, planish, program_from
from wire import floats, model, node, value

SIDE = 768


def product(folder, layers):
    """Products one behind the other; every one has weights of its own."""
    weights = [floats(f"w{i}", [SIDE, SIDE], [0.001 * (i + 1)] * (SIDE * SIDE)) for i in range(layers)]
    names = ["x", *(f"v{i}" for i in range(1, layers)), "y"]
    nodes = [node("MatMul", [names[i], f"w{i}"], [names[i + 1]], f"product{i}") for i in range(layers)]
    (folder / "net.onnx").write_bytes(model(nodes, [value("x", [1, SIDE])], [value("y", [1, SIDE])], weights))


def interrupted(program, folder, words, begun, number=signal.SIGINT, **how):
    """Runs the command, sends the signal once `begun(process)` says so, and looks at its end."""
    process = subprocess.Popen([program, *words.split()], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how)
    limit = time.monotonic() + 60
    while not begun(process) and process.poll() is None and time.monotonic() < limit:
        time.sleep(0.0005)
    process.send_signal(number)
    output, error = process.communicate(timeout=60)
    return subprocess.CompletedProcess([words], process.returncode, output, error)


BEGINNING = 0.06  # seconds of a processor that a command takes to begin, at most; less than any of these takes


def measure_beginning(program):
    """A build with sanitizers begins more slowly."""
    global BEGINNING
    before = os.times()
    subprocess.run([program, "build", "--help"], capture_output=True, check=True)
    after = os.times()
    BEGINNING += 2 * (after.children_user - before.children_user + after.children_system - before.children_system)


def at_work(process):
    with open(f"/proc/{process.pid}/stat") as stat:
        ticks = sum(map(int, stat.read().rsplit(")", 1)[1].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK") > BEGINNING


def check_commands(program, folder):
    before = sorted(folder.iterdir())
    for words in ("build net.onnx -o net.plan --tune 30 --timing-cache times", "bench net.onnx --tune off --seconds 30",
                  "verify net.onnx --tune 30", "run net.onnx --tune 30 --output-dir ."):
        result = interrupted(program, folder, words, at_work)
        expect(result.returncode == 130 and result.stderr.endswith("planish: interrupted\n"), result)
        expect(sorted(folder.iterdir()) == before, result)
    result = interrupted(program, folder, "bench net.onnx --tune off --seconds 30", at_work, signal.SIGTERM)
    expect(result.returncode == 128 + signal.SIGTERM and result.stderr.endswith("planish: ended by a signal\n"), result)


def check_writing(program, folder):
    """While the plan is written: it is there as a whole, or not at all."""
    whole = 0
    for _ in range(5):
        result = interrupted(program, folder, "build net.onnx -o net.plan --tune off --quiet", lambda _: any(folder.glob("*.tmp")))
        expect(result.returncode in (0, 130) and not list(folder.glob("*.tmp")), result)
        if (folder / "net.plan").exists():
            whole += 1
            expect(planish(program, folder, "run", "net.plan", "--quiet").returncode == 0, result)
            (folder / "net.plan").unlink()
    if whole == 0:
        sys.exit("no plan was written: the signal came before the file was begun")


def check_in_the_background(program, folder):
    """What the shell has told to ignore Ctrl-C goes on."""
    ignore = lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)
    result = interrupted(program, folder, "bench net.onnx --tune off --seconds 1 --quiet", at_work, preexec_fn=ignore)
    expect(result.returncode == 0, result)


def check_peers(program, folder):
    """The folder through which a peer gets its inputs goes, too."""
    places = folder / "places"
    places.mkdir()
    peer = folder / "peer"
    peer.write_text("#!/bin/sh\n[ $# -gt 2 ] || exit 0\necho 1.0\nread line\nsleep 20\n")
    peer.chmod(0o755)
    settings = {**os.environ, "PLANISH_PYTHON": str(peer), "TMPDIR": str(places)}
    result = interrupted(program, folder, "bench net.onnx --tune off --compare onnxruntime", lambda _: any(places.glob("planish-*/*.npy")),
                         env=settings)
    expect(result.returncode == 130 and not list(places.iterdir()), result)


def main(program):
    measure_beginning(program)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        product(folder, 12)
        check_commands(program, folder)
        check_writing(program, folder)
        check_in_the_background(program, folder)
        check_peers(program, folder)


if __name__ == "__main__":
    main(program_from(__doc__))
