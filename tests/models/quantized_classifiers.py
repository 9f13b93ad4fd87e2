#!/usr/bin/env python3
"""What int8 by calibration keeps of four classifiers: the table of docs/quantization.md.

  quantized_classifiers.py PLANISH [--limit N] [--only NAME] [--timed-by COMMAND] [--write docs/quantization.md]

Each network is calibrated on 100 of the 1,000 labelled pictures by every method, and by one and the same recommended command, and
scored on the other 900 beside fp32. Times are of plans run in turns; --timed-by stands before those runs. Needs ../shared.
"""
import argparse
import json
import shlex
import sys
import tempfile
from pathlib import Path

from quantized import LEAST_DECIBELS, ROOT, call, model_inputs

RECOMMENDED = ["--method", "best", "--max-drop", "2.5", "--max-error", "0.1"]
IMAGENET = "mean=123.675:116.28:103.53,std=58.395:57.12:57.375"
METHODS = ["entropy", "minmax", "percentile", "mse", "best"]
NETWORKS = {  # recipe, index of class 0
    "mobilenet_v2_1.0_224_fp32": ("input:crop=224,mean=128,std=128", 1),
    "mobilenet_v1_0.25_128_fp32": ("input:crop=256,block=2,mean=128,std=128", 1),
    "squeezenet1.1": (f"data:crop=224,{IMAGENET}", 0),
    "tf2_mobilenet_v2_1.0_224_ptq_fp32": ("input:crop=224,mean=128,std=128", 1),
}
MOST_DROP, LEAST_SAME = 0.005, 0.97
ROUNDS = 5  # of plans timed in turns
BEGIN, END = "<!-- by tests/models/quantized_classifiers.py -->\n", "<!-- end -->\n"


class Network:
    def __init__(self, options, shared, name, folder):
        self.options, self.name, self.folder = options, name, Path(folder)
        self.recipe, self.offset = NETWORKS[name]
        self.model, self.pictures = shared / f"data/onnx/{name}.onnx", shared / "data/images/imagenet"
        self.labels = shared / "data/images/imagenet_labels.tsv"
        self.samples = ["--samples", "100", "--image", self.recipe]

    def plan(self, name, *words, before=()):
        return call(*before, self.options.planish, "build", self.model, "-o", self.folder / f"{name}.plan", *words)

    def calibrated(self, name, *words):
        table = self.folder / f"{name}.table"
        call(self.options.planish, "calibrate", self.model, "--data", self.pictures, *self.samples, "-o", table, "--quiet", *words)
        return ["--precision", "int8", "--calibration", table]

    def score(self, name):
        judged = ["--samples", self.options.limit] if self.options.limit else []
        found = json.loads(call(self.options.planish, "evaluate", self.folder / f"{name}.plan", "--against", self.folder / "fp32.plan",
                                "--images", self.pictures, "--labels", self.labels, "--image", self.recipe, "--except", "100",
                                "--class-offset", self.offset, "--json", "-", *judged))["against"]
        return {key: float(value) for key, value in found.items()}  # "inf" dB of equal outputs

    def times(self, names):
        """Least and median milliseconds of each, run in turns."""
        least, medians = dict.fromkeys(names, 1e9), {name: [] for name in names}
        script = "; ".join(f"{shlex.quote(str(self.options.planish))} bench {shlex.quote(str(self.folder / name))}.plan --quiet --json - "
                           "--seconds 0.5" for _ in range(ROUNDS) for name in names)
        text, at = call(*shlex.split(self.options.timed_by), "sh", "-c", script), 0
        for k in range(ROUNDS * len(names)):
            found, end = json.JSONDecoder().raw_decode(text[at:].lstrip())
            at += len(text[at:]) - len(text[at:].lstrip()) + end
            name = names[k % len(names)]
            least[name] = min(least[name], found["min_ms"])
            medians[name].append(found["median_ms"])
        return {name: (least[name], sorted(medians[name])[ROUNDS // 2]) for name in names}


def is_fine(found):
    return found["difference"] >= -MOST_DROP and found["same_class"] >= LEAST_SAME and found["sqnr_db"] >= LEAST_DECIBELS


def row(network, way, found, time=""):
    half, mean = 100 * found["half_interval"], 100 * found["difference"]
    missed = [what for what, short in (("drop", found["difference"] < -MOST_DROP), ("same class", found["same_class"] < LEAST_SAME),
                                       ("SQNR", found["sqnr_db"] < LEAST_DECIBELS)) if short]
    text = (f"| {network} | {way} | {mean:+.2f} ({mean - half:+.2f} to {mean + half:+.2f}) | {100 * found['same_class']:.2f} | "
            f"{found['sqnr_db']:.1f} | {time} | {', '.join(missed) or 'none'} |")
    print(text, flush=True)
    return text


def taken(said):
    """What the build that takes the fastest says that it took."""
    lines = said.splitlines()
    race = next(line for line in lines if line.endswith(" is taken"))
    bound = next((int(line.split()[0]) for line in lines if "stay fp32 for it" in line), 0)
    faster = int(race.split(" layers in fp32")[0].split()[-1]) if "layers in fp32" in race else 0
    what = race.split(": ")[-1].removesuffix(" is taken")
    return {"fp32": f"fp32 is fastest once {bound} layers keep the bound" if bound else "fp32 is fastest",
            "int8": f"int8, {bound} layers in fp32", "mixed": f"int8, {bound + faster} layers in fp32"}[what]


def measure(options, shared, name):
    """Rows of one network, and whether the recommended command keeps its promise."""
    with tempfile.TemporaryDirectory() as folder:
        network, rows, before = Network(options, shared, name, folder), [], shlex.split(options.timed_by)
        network.plan("fp32", "--quiet", before=before)
        for method in METHODS:
            table = network.calibrated(method, "--method", method)
            network.plan(method, *table, "--quiet", before=before if method == "best" else ())
            if method != "best":
                rows.append(row(name, f"`{method}`", network.score(method)))
        said = network.plan("recommended", "--precision", "fp32,int8", "--calibrate", network.pictures, *network.samples, *RECOMMENDED)
        times = network.times(["fp32", "best", "recommended"])
        at = {key: f"{least:.3f}, {median:.3f}" for key, (least, median) in times.items()}
        rows.append(row(name, "`best`, all int8", network.score("best"), at["best"]))
        found = network.score("recommended")
        rows.append(row(name, f"recommended: {taken(said)}", found, at["recommended"]))
        rows.append(f"| {name} | fp32 | | | | {at['fp32']} | |")
        print(rows[-1], flush=True)
        return rows, is_fine(found)


def write(path, rows):
    """Rows of networks that were not measured now stay."""
    head, rest = path.read_text().split(BEGIN)
    old, tail = rest.split(END)
    measured = {line.split(" | ")[0] for line in rows}
    kept = [line for line in old.splitlines()[2:] if line.split(" | ")[0] not in measured]
    order = list(NETWORKS)
    lines = sorted(kept + rows, key=lambda line: order.index(line.split(" | ")[0].removeprefix("| ")))
    table = ["| network | by | points (95 % interval, paired) | same class, % | SQNR, dB | ms: least, median | missed |", "|---|---|---|---|---|---|---|"]
    path.write_text(head + BEGIN + "\n".join(table + lines) + "\n" + END + tail)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("planish")
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--timed-by", default="")
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    shared = model_inputs.find_shared(ROOT)
    if shared is None:
        print("SKIPPED: ../shared is absent, the networks and pictures are not there")
        return 0
    good = True
    for name in NETWORKS:
        if options.only in name:
            found, fine = measure(options, shared, name)
            good &= fine
            if options.write:
                write(options.write, found)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
