#!/usr/bin/env python3
"""planish, ONNX Runtime and OpenVINO in turns on the same models and inputs: one table, a JSON file, a plot.

  peers.py PLANISH RUNNER [MODEL…] [--models DIR…] [--threads 1,2] [--rounds 5] [--seconds 2] [--tune fast] [--only WORD…] [--columns fp32,bf16] [--json FILE]
  peers.py PLANISH RUNNER MODEL --layers      where the time goes: layers of planish beside those of each peer, the largest loss first
  peers.py --report FILE                      the table and the plot of a JSON file again

Every engine has a process of its own that loads the model once; rounds of all take turns, so that load moves all of them. Inputs
are pictures, sound or seeded random values, the same for all; dynamic extents are fixed for all. planish runs a plan (it was built
and tuned before), its time from the start of the process to the first result is `cold`, as that of the peers is, less what Python
took. `ratio`: the best peer's time of the same class over ours, above 1 planish is faster. `of peak`: share of the fp32 peak that a
register-only loop reaches on these threads in the same run.
Without models: those of ../shared (graphs of the zoo are filled into build/peers/zoo), else the network of the demo.
Needs onnx, onnxruntime, openvino, numpy, pillow (`./dev bench peers` finds or installs them). A JSON file that exists is added to.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "bench")]
import machine as this_machine  # noqa: E402
import peer_report  # noqa: E402

PAUSE = 0.02  # seconds: for spinning threads of the engine before to sleep


@dataclass(frozen=True)
class Column:
    """One class of precision. Peers run at the same one; without options of its own a peer is left out."""
    name: str
    planish: tuple = ()             # words for `planish build`
    peers: dict = field(default_factory=dict)  # label -> (engine, options)
    quantised: bool = False         # for models with Q/DQ nodes, which run as they are written


FP32 = {"onnxruntime": ("onnxruntime", {}), "openvino": ("openvino", {"INFERENCE_PRECISION_HINT": "f32"})}
DEFAULT = {"openvino default": ("openvino", {})}
COLUMNS = (
    Column("fp32", (), FP32),
    Column("int8", (), FP32, quantised=True),
    Column("tf32", ("--precision", "fp32,tf32"), FP32),
    Column("bf16", ("--precision", "fp32,bf16"), {"openvino": ("openvino", {"INFERENCE_PRECISION_HINT": "bf16"}), **DEFAULT}),
    Column("fp16", ("--precision", "fp32,fp16"), {"openvino": ("openvino", {"INFERENCE_PRECISION_HINT": "f16"}), **DEFAULT}),
)


def offered_columns(planish, machine, wanted):
    """Columns whose flags this build takes; where the processor has 16-bit floats, OpenVINO's default stands beside fp32. wanted: names, none for all."""
    text = subprocess.run([planish, "build", "--help"], capture_output=True, text=True, check=True).stdout
    accepted = text.split("--precision", 1)[-1].split(":", 1)[-1].split("(", 1)[0]
    columns = []
    for column in COLUMNS:
        if column.planish and not set(column.planish[1].split(",")) <= {word.strip() for word in accepted.split(",")}:
            continue
        if wanted and column.name not in wanted:
            continue
        beside = DEFAULT if column.name == "fp32" and this_machine.native_half(machine) else {}
        columns.append(Column(column.name, column.planish, {**column.peers, **beside}, column.quantised))
    return columns


class Worker:
    """A process that holds one model; `cold` milliseconds from its start to its first result."""

    def __init__(self, words):
        self.errors = tempfile.TemporaryFile("w+")
        start = time.perf_counter()
        self.process = subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                                        text=True, bufsize=1)
        about = self.read()
        self.version = about["version"]
        self.cold = (time.perf_counter() - start) * 1e3 - about.get("python_ms", 0)
        self.times = []

    def read(self):
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        self.process.wait()
        self.errors.seek(0)
        lines = [line for line in self.errors.read().splitlines() if line.strip()]
        raise RuntimeError(lines[-1][:300] if lines else f"exit status {self.process.returncode}")

    def ask(self, line):
        self.process.stdin.write(f"{line}\n")
        return self.read()

    def round(self, seconds):
        time.sleep(PAUSE)
        self.times.append(self.ask(seconds))

    def result(self):
        times = sorted(ms for part in self.times for ms in part)
        return {"min_ms": times[0], "p10_ms": times[len(times) // 10], "median_ms": times[len(times) // 2], "runs": len(times),
                "round_min_ms": [min(part) for part in self.times], "cold_ms": self.cold, "rss_mb": self.ask("rss") * 1024e-6,
                "version": self.version}

    def close(self):
        self.process.stdin.close()
        self.process.stdout.read()
        self.process.wait()
        self.errors.close()


@dataclass
class Input:
    """A graph input as model_inputs.feed_for asks for it."""
    name: str
    type: str
    shape: list


def model_inputs_of(path):
    """Inputs of the file, initializers left out, and whether it has Q/DQ nodes."""
    import onnx
    model = onnx.load(str(path), load_external_data=False)
    given = {tensor.name for tensor in model.graph.initializer}
    kinds = {onnx.TensorProto.FLOAT: "tensor(float)", onnx.TensorProto.INT64: "tensor(int64)", onnx.TensorProto.INT32: "tensor(int32)"}
    items = []
    for item in model.graph.input:
        if item.name not in given:
            about = item.type.tensor_type
            dims = [d.dim_value if d.HasField("dim_value") else d.dim_param for d in about.shape.dim]
            items.append(Input(item.name, kinds.get(about.elem_type, f"tensor({about.elem_type})"), dims))
    return items, any(node.op_type == "DequantizeLinear" for node in model.graph.node)


class Model:
    """A model with its inputs in files, as each engine wants them."""

    def __init__(self, path, options, folder):
        import model_inputs
        import numpy as np
        self.path, self.name, self.folder, self.options = path, model_inputs.model_name(path), folder, options
        items, self.quantised = model_inputs_of(path)
        self.feed = model_inputs.feed_for(path, items, model_inputs.find_shared(ROOT))
        self.npz = folder / f"{self.name}.npz"
        np.savez(self.npz, **self.feed)
        self.raw = []
        for i, (name, array) in enumerate(self.feed.items()):
            file = folder / f"{self.name}.{i}.raw"
            file.write_bytes(np.ascontiguousarray(array).tobytes())
            self.raw += [name, "x".join(map(str, array.shape)), file]

    def plan(self, threads, column):
        """The plan of a column, kept in build/peers/plans until the program or the model changes."""
        place = self.options.folder / "plans" / f"{self.name}.{column.name}.{threads}.{self.options.tune}.plan"
        place.parent.mkdir(parents=True, exist_ok=True)
        newest = max(os.path.getmtime(self.options.planish), os.path.getmtime(self.path))
        if not place.exists() or os.path.getmtime(place) < newest:
            shapes = [word for name, array in self.feed.items() if array.ndim for word in ("--shape", f"{name}={'x'.join(map(str, array.shape))}")]
            call([self.options.planish, "build", self.path, "-o", place, "--quiet", "--device", "cpu", "--tune", self.options.tune, "--threads", threads,
                  *column.planish, *shapes])
        return place

    def planish(self, threads, column):
        return Worker([self.options.runner, self.plan(threads, column), threads, *self.raw])

    def peer_words(self, task, threads, engine, settings):
        return [sys.executable, "-B", ROOT / "bench/peer_worker.py", task, engine, self.path, threads, self.npz,
                *(f"{key}={value}" for key, value in settings.items())]


def call(words):
    result = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(result.stderr.strip().splitlines()[-1][:300] if result.stderr.strip() else f"exit status {result.returncode}")
    return result.stdout


def measure(model, threads, column, options):
    """{label: times}; flops and the peak come from a short run of `planish bench` in between."""
    workers, refused = {"planish": model.planish(threads, column)}, {}
    for label, (engine, settings) in column.peers.items():
        try:
            workers[label] = Worker(model.peer_words("rounds", threads, engine, settings))
        except RuntimeError as error:
            refused[label] = str(error)
    busy = this_machine.busy_share()
    for _ in range(options.rounds):
        for worker in workers.values():
            worker.round(options.seconds / options.rounds)
    results = {label: worker.result() for label, worker in workers.items()}
    for worker in workers.values():
        worker.close()
    own = json.loads(call([options.planish, "bench", model.plan(threads, column), "--device", "cpu", "--threads", threads, "--runs", "5", "--json", "-"]))
    return {"model": model.name, "threads": threads, "precision": column.name, "engines": results, "refused": refused, "others_busy": busy,
            "flops": own["gflops"] * own["min_ms"] * 1e6, "peak_gflops": own["peak_gflops"]}


def filled_zoo(shared, options):
    """Graphs of the zoo with weights, filled once."""
    for graph in sorted((shared / "zoo").glob("*.onnx")):
        place = (options.zoo or options.folder / "zoo") / graph.name
        if not place.exists() and options.wants(graph.stem):
            place.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run([sys.executable, shared / "zoo/fill_weights.py", graph, place], check=True)
        yield place


def demo_network(options):
    print("../shared is not there: the network of the demo instead; name models, or a folder of them with --models")
    path = options.folder / "mobilenet_v2.onnx"
    if not path.exists():
        subprocess.run([sys.executable, "-B", ROOT / "tools/models/mobilenet_v2.py", path], check=True)
    return [path]


def chosen_models(options):
    import model_inputs
    paths = list(options.model)
    for folder in options.models:
        paths += sorted(folder.rglob("*.onnx"))
    shared = model_inputs.find_shared(ROOT)
    if not paths and shared is None:
        paths = demo_network(options)
    elif not paths:
        paths = [*sorted((shared / "data/onnx").rglob("*.onnx")), *filled_zoo(shared, options)]
    return [path for path in paths if options.wants(model_inputs.model_name(path))]


def run_all(options, machine, report):
    columns = offered_columns(options.planish, machine, options.columns)
    for path in chosen_models(options):
        with tempfile.TemporaryDirectory() as folder:
            try:
                model = Model(path, options, Path(folder))
                for column in columns:
                    if column.quantised == model.quantised or column.planish:
                        for threads in options.threads:
                            row = measure(model, threads, column, options)
                            report.add(row)
                            print(peer_report.row_text(row), flush=True)
            except (RuntimeError, OSError, ValueError) as error:  # one model's trouble must not hide the others
                print(f"{path.name}: {error}", flush=True)


def show_layers(options):
    import peer_layers
    with tempfile.TemporaryDirectory() as folder:
        for path in chosen_models(options):
            model = Model(path, options, Path(folder))
            column = next(c for c in COLUMNS if c.quantised == model.quantised and (not options.columns or c.name in options.columns))
            for threads in options.threads[-1:]:
                own = json.loads(call([options.planish, "bench", model.plan(threads, column), "--device", "cpu", "--threads", threads, "--seconds", "1", "--layers",
                                       "--json", "-"]))["layers"]["steps"]
                for label, (engine, settings) in column.peers.items():
                    theirs = json.loads(call(model.peer_words("layers", threads, engine, settings)))
                    peer_layers.show(f"{model.name}, {threads} threads", own, label, theirs, peer_layers.producers_of(path), options.slowest)


def existing(parser, path):
    if not path.exists():
        parser.error(f"{path}: there is no such file")
    return path.resolve()


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog="\n".join(__doc__.splitlines()[1:]),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("planish", nargs="?", type=Path)
    parser.add_argument("runner", nargs="?", type=Path)
    parser.add_argument("model", nargs="*", type=Path)
    parser.add_argument("--models", nargs="+", type=Path, default=[], help="folders of .onnx files")
    parser.add_argument("--zoo", type=Path, default=os.environ.get("PLANISH_ZOO"), help="where filled graphs of the zoo lie already")
    parser.add_argument("--only", nargs="+", default=[], help="models whose names begin so")
    parser.add_argument("--columns", default=[], type=lambda text: text.split(","), help="classes of precision, of " + ", ".join(c.name for c in COLUMNS))
    parser.add_argument("--threads", default="1,2", type=lambda text: [int(word) for word in text.split(",")])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="for each engine of each row")
    parser.add_argument("--tune", default="fast")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--report", type=Path)
    parser.add_argument("--layers", action="store_true")
    parser.add_argument("--slowest", type=int, default=25, help="rows of --layers")
    parser.add_argument("--folder", type=Path, default=ROOT / "build/peers")
    options = parser.parse_args()
    if options.report is None:
        if options.runner is None:
            parser.error("PLANISH and RUNNER are needed (./dev bench peers names them)")
        options.planish, options.runner = existing(parser, options.planish), existing(parser, options.runner)
        options.model = [existing(parser, path) for path in options.model]
    if not {*options.columns} <= {c.name for c in COLUMNS}:
        parser.error(f"--columns: {','.join(options.columns)} is not of {', '.join(c.name for c in COLUMNS)}")
    if options.rounds < 5 or min(options.threads) < 1 or not options.seconds > 0:
        parser.error("--rounds of 5 or more, --threads of 1 or more and --seconds above 0 are accepted")
    options.zoo = Path(options.zoo) if options.zoo else None
    options.wants = lambda name: not options.only or any(name.startswith(word) for word in options.only)
    return options


def main():
    options = parse()
    if options.report:
        peer_report.Report(options.report).finish()
        return 0
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.layers:
        show_layers(options)
        return 0
    machine = this_machine.describe()
    place = options.json or ROOT / f"bench/results/{this_machine.slug(machine)}-{time.strftime('%Y-%m-%d')}.json"
    report = peer_report.Report(place, machine)
    print(f"{machine['cpu']}, {machine['cores']} cores, {' '.join(machine['features'])}; tuning {options.tune}")
    busy = this_machine.busy_share(1)
    print(this_machine.load_text(busy))
    if busy > this_machine.LOADED:
        print("LOADED: others are busy on this machine. Minima may still be near the truth, medians are not; rows measured so are marked with *")
    print(peer_report.HEAD, flush=True)
    run_all(options, machine, report)
    report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
