#!/usr/bin/env python3
"""One step of decoding with weights of few bits, beside the rate at which memory of that footprint is read.

  decode.py PLANISH BENCH_READ MODEL --shape NAME=EXTENTS … [--threads 2] [--rounds 5] [--weights fp32,int8,int4] [--onnxruntime]

In turns: one step of each plan, then bench_read with as many bytes as the weights of its products. Minima; `share` is what the
step reads a second of these, by the best read rate. --onnxruntime: its own times of the files that `planish quantize` writes.
"""
import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))}: {done.stderr}")
    return done


def flags_of(weights):
    return [] if weights == "fp32" else ["--dynamic"] if weights == "dynamic" else ["--weights", weights]


class Peer:
    """ONNX Runtime on the file that quantize wrote, zeros for inputs but for random ids."""

    def __init__(self, path, shapes, threads):
        import numpy as np
        import onnxruntime as ort
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        types = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(int32)": np.int32}
        self.feeds = {i.name: np.zeros([d if isinstance(d, int) else 1 for d in shapes.get(i.name, i.shape)], types[i.type]) for i in self.session.get_inputs()}

    def best(self, seconds):
        end, best = time.perf_counter() + seconds, 1e9
        while time.perf_counter() < end:
            start = time.perf_counter()
            self.session.run(None, self.feeds)
            best = min(best, time.perf_counter() - start)
        return best * 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("planish")
    parser.add_argument("bench_read")
    parser.add_argument("model")
    parser.add_argument("--shape", action="append", default=[])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--weights", default="fp32,int8,int4")
    parser.add_argument("--onnxruntime", action="store_true")
    args = parser.parse_args()
    shapes = {name: [int(e) for e in extents.split("x")] for name, extents in (s.split("=") for s in args.shape)}
    with tempfile.TemporaryDirectory() as folder:
        rows, shape_flags = {}, [word for s in args.shape for word in ("--shape", s)]
        for weights in args.weights.split(","):
            plan = Path(folder) / f"{weights}.plan"
            said = run(args.planish, "build", args.model, "-o", plan, "--tune", "off", "--threads", args.threads, *flags_of(weights), *shape_flags).stderr
            if found := re.search(r"weights ([\d.]+) MB in place of ([\d.]+)", said):
                floats = float(found[2])
            rows[weights] = {"plan": plan, "mb": found and float(found[1]), "ms": 1e9, "read": 0, "peer": 1e9}
            if args.onnxruntime:
                file = Path(args.model)
                if weights != "fp32":
                    file = Path(folder) / f"{weights}.onnx"
                    run(args.planish, "quantize", args.model, "-o", file, *flags_of(weights))
                rows[weights]["session"] = Peer(file, shapes, args.threads)
        for row in rows.values():
            row["mb"] = row["mb"] or floats
        for _ in range(args.rounds):
            for row in rows.values():
                measured = json.loads(run(args.planish, "bench", row["plan"], "--threads", args.threads, "--seconds", args.seconds, "--json", "-", *shape_flags).stdout)
                row["ms"] = min(row["ms"], measured["min_ms"])
                row["read"] = max(row["read"], float(re.search(r"best ([\d.]+)", run(args.bench_read, row["mb"], args.threads, args.seconds).stdout)[1]))
                if "session" in row:
                    row["peer"] = min(row["peer"], row["session"].best(args.seconds))
        print(f"{'weights':8} {'MB':>7} {'ms':>8} {'GB/s':>7} {'read GB/s':>10} {'share':>6}" + ("  onnxruntime ms" if args.onnxruntime else ""))
        for weights, row in rows.items():
            rate = row["mb"] / row["ms"]
            peer = f"  {row['peer']:14.2f}" if "session" in row else ""
            print(f"{weights:8} {row['mb']:7.1f} {row['ms']:8.2f} {rate:7.2f} {row['read']:10.2f} {rate / row['read']:6.2f}{peer}")


if __name__ == "__main__":
    main()
