#!/usr/bin/env python3
"""Run models in ONNX Runtime and in planish on the same inputs; print how far each output is apart.

  compare_models.py PLANISH MODEL…               these files
  compare_models.py PLANISH --all [--zoo DIR]    every .onnx of ../shared/data/onnx and every graph of ../shared/zoo, filled
                                                 (DIR or PLANISH_ZOO: where filled graphs lie already)
Each becomes a plan, which runs in a process of its own; the arena is printed as a multiple of the largest sum of bytes that are
alive at once (at most 1.05). Needs onnx, onnxruntime, numpy, pillow. fp32: relative L2 error |a - b| / max(|b|, 1e-6 sqrt(n)) of the worst output, at most
1e-4. Networks with Q/DQ nodes are compared with ONNX Runtime's unoptimised run, as its optimised one rounds elsewhere: the first
class and the distance in steps of 1/256 (class maps: share of other pixels, of fp32 1e-5). There one element in 65,536 that float rounding
moves across a tie is one step apart, and a step of a last logit is up to ten of 1/256 behind the softmax.
Exit status 1 when a model fails or is beyond its limit.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import model_inputs  # first: it says which packages are missing
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 1e-4
QUANTISED_LIMIT = 32     # steps of 1/256
OTHER_PIXELS_LIMIT = 0.01
TIES_LIMIT = 1e-5        # share of elements of a class map whose two best scores are a rounding apart
ARENA_LIMIT = 1.05       # of the live peak


@dataclass
class Row:
    model: str
    seconds: float = 0
    good: bool = False
    text: str = ""
    arena: float = 0  # bytes of the arena / largest sum of bytes alive at once


def file_name(tensor):
    return tensor.replace("/", "_").replace(":", "_").replace("\\", "_")


def expected_outputs(path, shared):
    session = model_inputs.peer_session(path)
    feed = model_inputs.feed_for(path, session.get_inputs(), shared)
    return feed, dict(zip((item.name for item in session.get_outputs()), session.run(None, feed)))


def run_planish(planish, path, feed, names, options):
    """Outputs by name, and the arena's share of the live peak."""
    def call(*words):
        result = subprocess.run([planish, *words, "--quiet"], capture_output=True, text=True, timeout=900)
        if result.returncode != 0:
            raise RuntimeError(result.stderr.strip()[:600] or f"exit status {result.returncode}")
        return result.stdout

    with tempfile.TemporaryDirectory() as folder:
        plan, threads = f"{folder}/plan", ["--threads", str(options.threads)]
        shapes = [word for name, array in feed.items() if array.ndim for word in ("--shape", f"{name}={'x'.join(map(str, array.shape))}")]
        call("build", str(path), "-o", plan, "--tune", options.tune, *threads, *shapes)
        words = []
        for i, (name, array) in enumerate(feed.items()):
            np.save(f"{folder}/in{i}.npy", array)
            words += ["--input", f"{name}={folder}/in{i}.npy"]
        call("run", plan, "--output-dir", folder, *threads, *words)
        about = json.loads(call("inspect", plan, "--json", "-"))
        ratio = about["arena_bytes"] / about["live_peak_bytes"] if about["live_peak_bytes"] else 1.0
        return {name: np.load(f"{folder}/{file_name(name)}.npy") for name in names}, ratio


def relative_l2(found, wanted):
    found, wanted = found.astype(np.float64), wanted.astype(np.float64)
    same = (found == wanted) | (np.isnan(found) & np.isnan(wanted))
    difference = np.linalg.norm(np.where(same, 0, found - wanted))
    if not np.isfinite(difference):
        return np.inf
    return difference / max(np.linalg.norm(wanted[np.isfinite(wanted)]), 1e-6 * np.sqrt(wanted.size), 1e-30)


def judge_quantised(found, wanted):
    if found.dtype.kind == "i":
        share = float(np.mean(found != wanted))
        return share <= OTHER_PIXELS_LIMIT, f"{100 * share:.2f} % of the elements are another class"
    steps = np.abs(found.astype(np.float64) - wanted) * 256
    same = bool(found.argmax() == wanted.argmax())
    text = f"{steps.max():.0f} steps of 1/256 at most, {int((steps > 0.5).sum())} of {steps.size} differ, first class {'the same' if same else 'ANOTHER'}"
    return same and steps.max() <= QUANTISED_LIMIT, text


def judge(path, found, expected):
    for name, wanted in expected.items():
        if found[name].shape != wanted.shape:
            return False, f"output {name}: extents {found[name].shape}, {wanted.shape} expected"
    if "qdq" in Path(path).name:
        return judge_quantised(*[next(iter(outputs.values())) for outputs in (found, expected)])
    for name, wanted in expected.items():
        if wanted.dtype.kind == "i" and wanted.size > 1 / TIES_LIMIT:
            other = int((found[name] != wanted).sum())
            return other <= TIES_LIMIT * wanted.size, f"{other} of {wanted.size} elements are another class"
    errors = {name: relative_l2(found[name], wanted) for name, wanted in expected.items()}
    worst = max(errors, key=errors.get)
    return errors[worst] <= LIMIT, f"rel L2 {errors[worst]:.2e}" + (f"  ({worst}, the worst of {len(errors)})" if len(errors) > 1 else "")


def compare(path, options, shared):
    row = Row(model_inputs.model_name(path))
    start = time.time()
    try:
        feed, expected = expected_outputs(path, shared)
        start = time.time()
        found, row.arena = run_planish(options.planish, path, feed, expected, options)
        row.seconds = time.time() - start
        row.good, row.text = judge(path, found, expected)
        row.good = row.good and row.arena <= ARENA_LIMIT
    except Exception as error:  # one model's trouble must not hide the others
        row.seconds, row.text = time.time() - start, f"{type(error).__name__}: {error}"[:600]
    return row


def models_of(shared, zoo):
    """Paths, filled graphs one at a time: the folder of each is gone when the next one is asked for."""
    yield from sorted((shared / "data/onnx").rglob("*.onnx"))
    for graph in sorted((shared / "zoo").glob("*.onnx")):
        if zoo and (Path(zoo) / graph.name).exists():
            yield Path(zoo) / graph.name
            continue
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, shared / "zoo/fill_weights.py", graph, f"{folder}/{graph.name}"], check=True)
            yield Path(folder) / graph.name


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("planish")
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--zoo", type=Path, default=os.environ.get("PLANISH_ZOO"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tune", default="off")
    options = parser.parse_args()
    if not options.models and not options.all:
        parser.error("MODEL… or --all is needed")
    shared = model_inputs.find_shared(ROOT)
    if options.all and shared is None:
        print("SKIPPED: ../shared is absent, the real models are not there to compare")
        return 0
    failed = count = 0
    for path in models_of(shared, options.zoo) if options.all else options.models:
        row = compare(path, options, shared)
        count += 1
        failed += not row.good
        print(f"{'ok  ' if row.good else 'FAIL'} {row.model:36} {row.seconds:7.1f} s  arena {row.arena:5.3f} of the live peak  {row.text}", flush=True)
    print(f"{count - failed} passed, {failed} failed")
    return 1 if failed or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
