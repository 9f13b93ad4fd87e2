#!/usr/bin/env python3
"""run_test.py TRTEXEC: the ways to run an engine, the lines of the summary and the files, and that their numbers agree."""
import json
import re
import tempfile
from pathlib import Path

from helpers import DIGITS, QUICK, Run, program_from

METRICS = ("Latency", "Enqueue Time", "H2D Latency", "GPU Compute Time", "D2H Latency")
NUMBER = r"([-+0-9.e]+)"


def summary(run):
    """The performance summary as scripts read it."""
    lines = run.of("I")
    run.expect("=== Performance summary ===" in lines, "no summary")
    lines = lines[lines.index("=== Performance summary ==="):]
    found = {}
    for line in lines:
        if m := re.fullmatch(rf"Throughput: {NUMBER} qps", line):
            found["qps"] = float(m[1])
        elif m := re.fullmatch(rf"Total (Host Walltime|GPU Compute Time): {NUMBER} s", line):
            found["total " + m[1]] = float(m[2])
        elif m := re.fullmatch(rf"({'|'.join(METRICS)}): (min = .*)", line):
            found[m[1]] = [float(part.split("=")[1].split()[0]) for part in m[2].split(",")]
    return found


def check_summary(program, folder):
    run = Run(program, folder, f"--onnx={DIGITS}", "--exportTimes=t.json", "--duration=0.2", "--warmUp=50", "--avgRuns=5",
              "--percentile=50,90,99").passed()
    found, times = summary(run), json.loads((folder / "t.json").read_text())
    queries = int(re.search(r"Timing trace has (\d+) queries over", run.out)[1])
    run.expect(queries == len(times) >= 10, "queries")
    for metric in METRICS:
        low, high, mean, median, p50, p90, p99 = found[metric]
        run.expect(low <= mean <= high and low <= median <= high and p50 <= p90 <= p99 <= high, metric)
    run.expect(abs(found["qps"] - queries / found["total Host Walltime"]) < 0.001 * found["qps"], "throughput")
    run.expect(abs(found["total GPU Compute Time"] - queries * found["GPU Compute Time"][2] / 1e3) < 1e-3, "total compute")
    run.expect(found["total Host Walltime"] >= 0.15, "the time to measure for")
    keys = [f"{end}{part}Ms" for part in ("Enq", "H2d", "Compute", "D2h") for end in ("start", "end")]
    for t in times:
        run.expect(list(t) == keys + ["h2dMs", "computeMs", "d2hMs", "latencyMs"], "keys")
        run.expect(t["startH2dMs"] <= t["endH2dMs"] <= t["startComputeMs"] <= t["endComputeMs"] <= t["startD2hMs"] <= t["endD2hMs"], t)
        run.expect(abs(t["latencyMs"] - t["h2dMs"] - t["computeMs"] - t["d2hMs"]) < 1e-4, t)
        run.expect(t["startComputeMs"] >= 50, "a warm-up")
    run.expect(abs(found["Latency"][2] - sum(t["latencyMs"] for t in times) / queries) < 1e-3, "mean")
    run.has("=== Trace details ===", "Trace averages of 5 runs:", "Average on 5 runs - GPU latency: ", " ms - Host latency: ")


def check_ways(program, folder):
    Run(program, folder, f"--onnx={DIGITS}", "--shapes=image:2x1x8x8", "--saveEngine=e.plan", "--skipInference").passed()
    load = ("--loadEngine=e.plan", "--shapes=image:2x1x8x8", "--exportOutput=o.json", *QUICK)
    Run(program, folder, *load).passed()
    wanted = json.loads((folder / "o.json").read_text())
    for words in (["--noDataTransfers"], ["--useCudaGraph"], ["--exposeDMA"], ["--useSpinWait"], ["--useManagedMemory"],
                  ["--infStreams=2"], ["--streams=2", "--threads"], ["--allocationStrategy=runtime"], ["--allocationStrategy=profile"],
                  ["--sleepTime=5", "--idleTime=1"], ["--device=-1"], ["--noDataTransfers", "--useCudaGraph", "--useSpinWait",
                                                                      "--separateProfileRun", "--dumpProfile"]):
        (folder / "o.json").unlink()
        run = Run(program, folder, *load, *words).passed()
        run.expect(json.loads((folder / "o.json").read_text()) == wanted, f"other outputs: {words}")
        run.expect(summary(run)["qps"] > 0, words)
        if "--useCudaGraph" in words:
            run.has("Successfully captured CUDA graph")
        if "--device=-1" in words:
            run.has("Running on the CPU: --device=-1 asks for it", "Selected Device ID: -1")


def check_shown(program, folder):
    run = Run(program, folder, f"--onnx={DIGITS}", "--dumpOutput", "--dumpProfile", "--dumpRawBindingsToFile", "--verbose", *QUICK).passed()
    run.has("Output Tensors:", "scores: (1x10)", "The e2e network timing is not reported", "   Time(ms)     Avg.(ms)   Median(ms)   Time(%)   Layer",
            "=== Profile (12 iterations ) ===", "Running on the CPU: ", "=== Device Information ===")
    run.expect("=== Performance summary ===" not in run.out, "a summary beside the profiler")
    run.expect((folder / "image.input.1.1.8.8.fp32.raw").stat().st_size == 256, "raw input")
    run.expect((folder / "scores.output.1.10.fp32.raw").stat().st_size == 40, "raw output")
    Run(program, folder, f"--onnx={DIGITS}", "--saveEngine=e.plan", "--buildOnly").passed()
    Run(program, folder, "--loadEngine=e.plan", "--timeDeserialize").passed().has("average time = ")
    Run(program, folder, f"--onnx={DIGITS}", "--verbose", *QUICK).passed().has("[V] === Explanations of the performance metrics ===")


def main():
    program = program_from(__doc__)
    for check in (check_summary, check_ways, check_shown):
        with tempfile.TemporaryDirectory() as folder:
            check(program, Path(folder))


if __name__ == "__main__":
    main()
