#!/usr/bin/env python3
"""Inferences a second where several are wanted at once, and memory: planish beside ONNX Runtime and OpenVINO, in turns.

  throughput.py PLANISH RUNNER [MODEL…] [--streams 2] [--batch 8] [--precision fp32] [--rounds 5] [--seconds 2] [--tune fast] [--json FILE]

Three rows a model: `SxT` (a context on each of S cores with one thread, batch 1; of ONNX Runtime as many callers of one session with
one thread, of OpenVINO as many streams), `batch N` (one context with all threads, where the first axis of every input can be N), and
`memory` (one context, all threads, batch 1): MB that the process holds at its peak and now, above what it held before the model was
loaded. `ratio`: the best peer's over ours for memory, ours over the best peer's for inferences a second: above 1 planish is better.
Needs what peers.py needs.
"""
import argparse
import json
import math
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import machine as this_machine  # noqa: E402
import peers  # noqa: E402

HEAD = f"{'model':26} {'mode':9} {'planish':>10} {'onnxruntime':>12} {'openvino':>10}  {'ratio':>6}"


class BatchedModel(peers.Model):
    """The same with N samples at once; ValueError where the first axis of an input is fixed."""

    def __init__(self, path, options, folder, batch):
        import numpy as np
        self.batch = batch
        super().__init__(path, options, folder)
        if batch == 1:
            return
        items, _ = peers.model_inputs_of(path)
        if any(not item.shape or isinstance(item.shape[0], int) for item in items):
            raise ValueError("the batch is fixed")
        self.name = f"{self.name}.b{batch}"
        self.feed = {name: np.ascontiguousarray(np.repeat(array, batch, axis=0)) for name, array in self.feed.items()}
        self.write_inputs(np)

    def write_inputs(self, np):
        self.npz = self.folder / f"{self.name}.npz"
        np.savez(self.npz, **self.feed)
        self.raw = []
        for i, (name, array) in enumerate(self.feed.items()):
            file = self.folder / f"{self.name}.{i}.raw"
            file.write_bytes(array.tobytes())
            self.raw += [name, "x".join(map(str, array.shape)), file]


def started(model, column, threads, tuned_threads):
    """{label: worker}; engines that refuse the model are left out."""
    workers = {"planish": peers.Worker([model.options.runner, model.plan(tuned_threads, column), threads, *model.raw])}
    for label, (engine, settings) in column.peers.items():
        try:
            workers[label] = peers.Worker(model.peer_words("rounds", threads, engine, settings))
        except RuntimeError:
            pass
    return workers


def stop(workers):
    for worker in workers.values():
        worker.close()


def inferences(workers, options, batch):
    """Samples a second: the best round of each."""
    for _ in range(options.rounds):
        for worker in workers.values():
            worker.round(options.seconds / options.rounds)
    return {label: batch * 1e3 / min(ms for part in worker.times for ms in part) for label, worker in workers.items()}


def row(name, mode, values, ratio, texts):
    peer = [values[label] for label in ("onnxruntime", "openvino") if label in values]
    better = ratio(values["planish"], peer) if peer else None
    cells = [texts(values[label]) if label in values else "-" for label in ("planish", "onnxruntime", "openvino")]
    print(f"{name[:26]:26} {mode:9} {cells[0]:>10} {cells[1]:>12} {cells[2]:>10}  {'' if better is None else f'{better:6.2f}'}", flush=True)
    return {"model": name, "mode": mode, "values": values, "ratio": better}


def rate_row(name, mode, values):
    return row(name, mode, values, lambda own, peer: own / max(peer), lambda value: f"{value:.1f}/s")


def memory_rows(name, workers):
    held = {label: worker.ask("memory") for label, worker in workers.items()}
    rows = []
    for mode, at in (("peak MB", 0), ("held MB", 1)):
        values = {label: (kb[at] - kb[2]) * 1024e-6 for label, kb in held.items()}
        rows.append(row(name, mode, values, lambda own, peer: min(peer) / own, lambda value: f"{value:.1f}"))
    return rows


def measure(path, options, column, folder):
    rows, all_threads = [], options.threads
    model = BatchedModel(path, options, folder, 1)
    if model.quantised != column.quantised and not column.planish:
        return rows
    workers = started(model, column, all_threads, all_threads)
    inferences(workers, options, 1)
    rows += memory_rows(model.name, workers)
    stop(workers)
    streams = f"{options.streams}x1"
    workers = started(model, column, streams, 1)
    rows.append(rate_row(model.name, streams, inferences(workers, options, 1)))
    stop(workers)
    try:
        batched = BatchedModel(path, options, folder, options.batch)
        workers = started(batched, column, all_threads, all_threads)
        rows.append(rate_row(model.name, f"batch {options.batch}", inferences(workers, options, options.batch)))
        stop(workers)
    except (ValueError, RuntimeError) as error:
        print(f"{model.name[:26]:26} batch {options.batch}: {error}", flush=True)
    return rows


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("planish", type=Path)
    parser.add_argument("runner", type=Path)
    parser.add_argument("model", nargs="*", type=Path)
    parser.add_argument("--models", nargs="*", type=Path, default=[])
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--zoo")
    parser.add_argument("--streams", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2, help="of one context")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--precision", default="fp32", choices=[column.name for column in peers.COLUMNS])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="of each engine and row")
    parser.add_argument("--tune", default="fast")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--folder", type=Path, default=peers.ROOT / "build/peers")
    options = parser.parse_args()
    options.planish, options.runner = options.planish.resolve(), options.runner.resolve()
    options.zoo = Path(options.zoo) if options.zoo else None
    options.wants = lambda name: not options.only or any(name.startswith(word) for word in options.only)
    return options


def summary(rows):
    for mode in dict.fromkeys(r["mode"] for r in rows):
        ratios = [r["ratio"] for r in rows if r["mode"] == mode and r["ratio"]]
        if ratios:
            mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
            print(f"{mode}: geometric mean {mean:.2f} over {len(ratios)} models, least {min(ratios):.2f}")


def main():
    options = parse()
    options.folder.mkdir(parents=True, exist_ok=True)
    machine = this_machine.describe()
    print(f"{machine['cpu']}, {machine['cores']} cores; {this_machine.load_text(this_machine.busy_share(1))}; {options.precision}")
    print(HEAD, flush=True)
    columns = peers.offered_columns(options.planish, machine, [options.precision])
    if not columns:
        sys.exit(f"--precision {options.precision}: this build has none of it on this processor")
    column = columns[0]
    rows = []
    for path in peers.chosen_models(options):
        with tempfile.TemporaryDirectory() as folder:
            try:
                rows += measure(path, options, column, Path(folder))
            except RuntimeError as error:
                print(f"{path.stem}: {error}", flush=True)
    summary(rows)
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "rows": rows}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
