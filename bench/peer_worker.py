"""One model in one peer, in a process that stays: the counterpart of bench_rounds, with the same answers.

  peer_worker.py rounds|layers ENGINE MODEL THREADS FEED.npz [KEY=VALUE…]     ENGINE: onnxruntime, openvino; options of the peer

rounds: after the first result one line {"version", "python_ms"}: the second is the time that Python and numpy themselves took to
start. Then for each line of standard input: seconds -> a list of milliseconds; "rss" -> the peak of memory in kB;
"memory" -> that, what is held now, and what Python with numpy and the engine's library held before the model was loaded.
THREADS may be "SxT": S streams at once with T threads each; the milliseconds are then the time over the runs that all made together.
layers: a list of {"name", "op", "ms", "origins"}, medians over RUNS executions.
"""
import json
import os
import statistics
import sys
import tempfile
import threading
import time

import numpy as np

PYTHON_READY = time.time()
RUNS = 15  # of a profile


def process_start():
    """Seconds since the epoch at which this process began (to 10 ms)."""
    with open("/proc/self/stat") as stat, open("/proc/uptime") as uptime:
        ticks = int(stat.read().rsplit(")", 1)[1].split()[19])
        return time.time() - float(uptime.read().split()[0]) + ticks / os.sysconf("SC_CLK_TCK")


class OnnxRuntime:
    def __init__(self, model, threads, feed, options, profile=False, streams=1):
        import onnxruntime
        self.version = onnxruntime.__version__
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = threads
        settings.log_severity_level = 3
        for key, value in options.items():
            settings.add_session_config_entry(key, value)
        if profile:
            settings.enable_profiling = True
            settings.profile_file_prefix = tempfile.mkdtemp() + "/profile"
        self.session = onnxruntime.InferenceSession(model, settings, providers=["CPUExecutionProvider"])
        self.bindings = [self.bound(onnxruntime, feed) for _ in range(streams)]

    def bound(self, onnxruntime, feed):
        binding = self.session.io_binding()
        for name, array in feed.items():
            binding.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(array))
        for item in self.session.get_outputs():
            binding.bind_output(item.name)
        return binding

    def run(self, stream=0):
        self.session.run_with_iobinding(self.bindings[stream])

    def layers(self):
        for _ in range(RUNS):
            self.run()
        path = self.session.end_profiling()
        with open(path) as file:
            events = json.load(file)
        os.remove(path)
        os.rmdir(os.path.dirname(path))
        times = {}
        for event in events:
            if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
                name = event["name"].removesuffix("_kernel_time")
                times.setdefault((name, event["args"]["op_name"]), []).append(event["dur"] / 1e3)
        return [{"name": name, "op": op, "ms": statistics.median(ms[1:] or ms), "origins": [name]} for (name, op), ms in times.items()]


class OpenVino:
    def __init__(self, model, threads, feed, options, profile=False, streams=1):
        import openvino
        self.version = openvino.__version__.split("-")[0]
        core = openvino.Core()
        graph = core.read_model(model)
        if graph.is_dynamic():
            graph.reshape({port.any_name: list(feed[port.any_name].shape) for port in graph.inputs})
        self.compiled = core.compile_model(graph, "CPU", {"INFERENCE_NUM_THREADS": threads * streams, "NUM_STREAMS": streams,
                                                          "PERFORMANCE_HINT": "LATENCY" if streams == 1 else "THROUGHPUT",
                                                          "PERF_COUNT": profile, **options})
        self.requests = [self.compiled.create_infer_request() for _ in range(streams)]
        for request in self.requests:
            for name, array in feed.items():
                request.set_tensor(name, openvino.Tensor(array))
        self.request = self.requests[0]

    def run(self, stream=0):
        self.requests[stream].start_async()
        self.requests[stream].wait()

    def layers(self):
        times = {}
        for _ in range(RUNS):
            self.run()
            for info in self.request.profiling_info:
                times.setdefault(info.node_name, []).append(info.real_time.total_seconds() * 1e3)
        rows = []
        for op in self.compiled.get_runtime_model().get_ordered_ops():
            name, about = op.get_friendly_name(), op.get_rt_info()
            ms = statistics.median(times.get(name, [0]))
            if ms > 0:
                origins = about["originalLayersNames"].astype(str) if "originalLayersNames" in about else ""
                kind = about["primitiveType"].astype(str) if "primitiveType" in about else ""
                rows.append({"name": name, "op": f"{op.get_type_name()} {kind}".strip(), "ms": ms,
                             "origins": [origin for origin in origins.split(",") if origin] or [name]})
        return rows


ENGINES = {"onnxruntime": OnnxRuntime, "openvino": OpenVino}


def time_once(engine):
    start = time.perf_counter()
    engine.run()
    return (time.perf_counter() - start) * 1e3


def timed(engine, seconds):
    time_once(engine)  # after a pause, caches hold what others left
    times, left = [], seconds * 1e3
    while len(times) < 2 or left > 0:
        times.append(time_once(engine))
        left -= times[-1]
    return times


def together(engine, streams, seconds):
    """[milliseconds over runs] of all streams, each with a caller of its own."""
    counts, start = [0] * streams, time.perf_counter()

    def call(stream):
        while True:
            engine.run(stream)
            counts[stream] += 1
            if time.perf_counter() - start >= seconds:
                return

    callers = [threading.Thread(target=call, args=(stream,)) for stream in range(streams)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return [(time.perf_counter() - start) * 1e3 / sum(counts)]


def status_kb(field):
    """A line of /proc/self/status. Of this process alone: what getrusage says began with the size of the process that started it."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(field + ":"))


def answer(engine, streams, before):
    for line in sys.stdin:
        if line == "rss\n":
            value = status_kb("VmHWM")
        elif line == "memory\n":
            value = [status_kb("VmHWM"), status_kb("VmRSS"), before]
        else:
            value = timed(engine, float(line)) if streams == 1 else together(engine, streams, float(line))
        print(json.dumps(value), flush=True)


def main():
    task, kind, model, threads, feed, *words = sys.argv[1:]
    options = dict(word.split("=", 1) for word in words)
    *streams, threads = map(int, threads.split("x"))
    streams = streams[0] if streams else 1
    __import__(kind)
    before = status_kb("VmRSS")
    with np.load(feed) as arrays:
        engine = ENGINES[kind](model, threads, {name: arrays[name] for name in arrays.files}, options, task == "layers", streams)
    engine.run()
    if task == "layers":
        print(json.dumps(engine.layers()))
        return
    print(json.dumps({"version": engine.version, "python_ms": max(0.0, (PYTHON_READY - process_start()) * 1e3)}), flush=True)
    answer(engine, streams, before)


if __name__ == "__main__":
    main()
