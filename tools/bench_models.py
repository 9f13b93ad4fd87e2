#!/usr/bin/env python3
"""Write the networks of tools/models, time each beside ONNX Runtime in the same run, print one table.

  bench_models.py PLANISH [--folder DIR] [--threads N] [--seconds S] [--tune fast|full] [--json FILE] [MODEL…]

MODEL: .onnx files to time instead. Rounds of both take turns; other load on the machine moves both. `of peak`: share of the
fp32 peak that a register-only loop reaches on these threads, measured in the same run. RSS of ONNX Runtime includes its Python.
Needs onnx, onnxruntime, numpy (PLANISH_PYTHON: the Python that runs ONNX Runtime; this one by default).
"""
import argparse
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
NETWORKS = ("resnet50", "mobilenet_v2", "yolo", "bert")


def write_networks(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name in NETWORKS:
        path = folder / f"{name}.onnx"
        if not path.exists():
            print(f"writing {path}", flush=True)
            unfinished = path.with_suffix(".unfinished")
            subprocess.run([sys.executable, "-B", HERE / "models" / f"{name}.py", unfinished], check=True)
            unfinished.rename(path)
        yield path


def measure(options, path):
    """A plan first: what runs then has the memory of a run, not of a build."""
    plan, result = options.folder / f"{path.stem}.plan", options.folder / f"{path.stem}.json"
    threads = ["--threads", str(options.threads)]
    subprocess.run([options.planish, "build", path, "-o", plan, "--quiet", "--tune", options.tune, *threads], check=True)
    subprocess.run([options.planish, "bench", plan, "--compare", f"onnxruntime={path}", "--quiet", "--seconds", str(options.seconds),
                    "--json", result, *threads], check=True, env={"PLANISH_PYTHON": sys.executable, **os.environ})
    plan.unlink()
    return json.loads(result.read_text())


def row_of(name, r):
    o = r["onnxruntime"]
    return (f"{name:28} {r['min_ms']:9.3f} {r['median_ms']:9.3f} {o['min_ms']:9.3f} {o['median_ms']:9.3f}  {o['min_ms'] / r['min_ms']:5.2f} "
            f"{100 * r['gflops'] / r['peak_gflops']:6.1f}%  {r['arena_over_live_peak']:7.3f}  {r['rss_mb']:8.1f} {o['rss_mb']:8.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("planish")
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--folder", type=Path, default=HERE.parent / "build/models")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--tune", default="fast")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    for path in (Path(options.planish), *options.models):
        if not path.is_file():
            parser.error(f"{path}: there is no such file")
    for module in ("numpy", "onnx", "onnxruntime"):
        if importlib.util.find_spec(module) is None:
            print(f"bench models: {sys.executable} has no {module}; pip install onnx onnxruntime numpy, or name a Python in PLANISH_PYTHON")
            return 1
    options.planish = Path(options.planish).resolve()
    options.folder.mkdir(parents=True, exist_ok=True)
    print(f"{options.threads} threads, milliseconds; ratio of minima: above 1 planish is faster")
    print(f"{'':28} {'planish':^19} {'onnxruntime':^19}")
    print(f"{'network':28} {'min':>9} {'median':>9} {'min':>9} {'median':>9}  {'ratio':>5} {'of peak':>7}  {'arena/':>7}  {'RSS MB':>8} {'RSS MB':>8}")
    print(f"{'':28} {'':9} {'':9} {'':9} {'':9}  {'':5} {'':7}  {'live':>7}  {'planish':>8} {'ort':>8}", flush=True)
    results = {}
    for path in options.models or write_networks(options.folder):
        results[path.stem] = measure(options, path)
        print(row_of(path.stem, results[path.stem]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
