#!/usr/bin/env python3
"""The command line where there is a driver (tests/cuda/fake): builds with caches, both devices, and what goes wrong."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM, DRIVER = sys.argv[1], sys.argv[2]
MODEL = Path(__file__).resolve().parents[2] / "demo" / "digits.onnx"
failures = []


def run(folder, *words, fake="", **environment):
    environment = {**os.environ, "PLANISH_CUDA_DRIVER": DRIVER, "PLANISH_CACHE": f"{folder}/cache", "PLANISH_FAKE_CUDA": fake, **environment}
    return subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, env=environment, cwd=folder, timeout=300)


def expect(done, status, *texts):
    said = done.stdout + done.stderr
    if done.returncode != status or any(text not in said for text in texts):
        failures.append((done.args[1:], done.returncode, texts, said))


def check(folder):
    build = ("build", MODEL, "--device", "cuda", "--fp16", "-o")
    first = run(folder, *build, "a.plan")
    if "no CUDA compiler" in first.stderr:
        print("nothing is built: no NVRTC")
        return
    expect(first, 0, "cuda:sm_90a", "phases: ", "images compiled", " 0 from disk")
    second = run(folder, *build, "b.plan")
    expect(second, 0, "0 candidates timed", "; 0 images compiled")
    if (folder / "a.plan").read_bytes() != (folder / "b.plan").read_bytes():
        failures.append(("two builds with one cache differ",))
    for file in (folder / "cache").glob("*.cubin"):
        file.write_bytes(file.read_bytes()[:100])  # damaged: compiled again
    expect(run(folder, *build, "b.plan"), 0, " 0 from disk")
    expect(run(folder, *build, "b.plan", PLANISH_CACHE_MB="0", PLANISH_CACHE=f"{folder}/small"), 0, "images compiled")
    if sum(1 for _ in (folder / "small").glob("*.cubin")) > 64:
        failures.append(("the cache grows beyond its bound",))
    expect(run(folder, *build, "b.plan", PLANISH_CACHE=""), 0, " 0 from disk")
    expect(run(folder, "bench", MODEL, "--compare", "cpu,cuda", "--runs", 10), 0, "cuda beside cpu: latency ")
    expect(run(folder, "bench", "a.plan", "--compare", "cpu,cuda", "--runs", 10), 1, "a plan for one device")
    bench = ("bench", "a.plan", "--runs", 3)
    expect(run(folder, *bench, "--device", "cuda:1", fake="devices=2"), 0, "cuda:sm_90a")
    expect(run(folder, *bench, "--layers"), 0, " roof ", "of the roofline of its memory and arithmetic")
    expect(run(folder, *bench, "--device", "cuda:2", fake="devices=2"), 1, "there is no GPU 2; there are 2")
    expect(run(folder, *bench, "--device", "cpu"), 1, "rebuild it with: planish build MODEL --device cpu")
    expect(run(folder, *bench, fake="arch=80"), 1, "cuda:sm_90a", "cuda:sm_80", "rebuild it with: planish build MODEL --device cuda")
    expect(run(folder, *bench, fake="memory=1000"), 1, "loading a plan", "the GPU has no memory for", "1000 of 1000 are free")
    expect(run(folder, *bench, "--device", "cuda", fake="version=11080"), 1, "the CUDA driver is for version 11.8, 12.0 or later is needed")
    expect(run(folder, *bench, PLANISH_NVRTC="/nowhere"), 0, "cuda:sm_90a")  # plans need no compiler
    expect(run(folder, *build, "c.plan", PLANISH_NVRTC="/nowhere"), 1, "no CUDA compiler", "--device cpu")
    expect(run(folder, "bench", MODEL, "--runs", 3, PLANISH_DEVICE="cpu"), 0, "GFLOP/s fp32 peak")


with tempfile.TemporaryDirectory() as folder:
    check(Path(folder))
for failure in failures:
    print("FAILED:", *failure, sep="\n  ")
sys.exit(1 if failures else 0)
