#!/usr/bin/env python3
"""Top-1 accuracy of the classifiers of ../shared on its labelled pictures, by the protocol of ../shared/data/README.md.

  accuracy.py PLANISH STREAM [MODEL…] [--full] [--limit N] [--onnxruntime]

STREAM is the program of stream.cpp. A network must come within 0.2 points of the figure that README.md states (0.5 with Q/DQ
nodes, where 0.2 is noise); one picture of 1,000 is 0.1. Q/DQ networks are held against ONNX Runtime, unoptimised, on the same
pictures: top-1 within 0.3 points with --full; without it on 100, evenly spread, of which at most 3 % may have another first class.
--limit N takes N pictures for each network, for a quick look; the figures are then of no meaning.
Needs numpy, pillow, onnx, onnxruntime.
"""
import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests/support")]
import model_inputs  # noqa: E402  first: it says which packages are missing
import numpy as np  # noqa: E402
from programs import Answers  # noqa: E402

LIMIT, QUANTISED_LIMIT, PEER_LIMIT = 0.2, 0.5, 0.3  # points
SAMPLE, OTHER_LIMIT = 100, 0.03    # pictures, share of other first classes
FIGURES = {  # top-1 in percent, README.md; Q/DQ networks: the figure of the unfused run
    "squeezenet1.1.onnx": 60.6, "mobilenet_v1_0.25_128_fp32.onnx": 45.8, "mobilenet_v2_1.0_224_fp32.onnx": 87.4,
    "tf2_mobilenet_v2_1.0_224_ptq_fp32.onnx": 87.3, "resnet20.onnx": 62.10, "cifar_resnet8_fp32.onnx": 45.21,
    "mnist_8/model.onnx": 98.91, "mobilenet_v1_0.25_128_qdq.onnx": 46.1, "mobilenet_v2_1.0_224_qdq.onnx": 87.0,
    "cifar_resnet8_qdq.onnx": 44.75,
}


class Network(Answers):
    """One network as a plan in a process of its own."""

    def __init__(self, options, path, folder, sample):
        extents = "x".join(map(str, sample.shape))
        plan = f"{folder}/plan"
        name = model_inputs.peer_session(path).get_inputs()[0].name
        subprocess.run([options.planish, "build", str(path), "-o", plan, "--quiet", "--tune", "off", "--threads", str(options.threads),
                        "--shape", f"{name}={extents}"], check=True)
        super().__init__([options.stream, plan, str(options.threads)])


def samples_of(module, protocol, limit):
    return module.spread({"imagenet": module.imagenet, "cifar": module.cifar, "mnist": module.mnist}[protocol.dataset](), limit)


class Tally:
    """What came out for the pictures of one network."""

    def __init__(self):
        self.count = self.right = self.other = self.peers_right = 0
        self.steps = []

    def add(self, scores, wanted, label, offset):
        best = int(np.argmax(scores[offset:]))
        self.count += 1
        self.right += best == label
        if wanted is not None:
            self.peers_right += int(np.argmax(wanted[offset:])) == label
            self.other += int(np.argmax(wanted[offset:])) != best
            self.steps.append(np.abs(scores - wanted).max() * 256)

    def accuracy(self):
        return 100 * self.right / self.count

    def peers_accuracy(self):
        return 100 * self.peers_right / self.count


def peer_of(path):
    session = model_inputs.peer_session(path)
    return lambda tensor: session.run(None, {session.get_inputs()[0].name: tensor})[0].ravel()


def run_network(options, module, path, name, limit, with_peer):
    protocol = next(p for prefix, p in module.PROTOCOLS.items() if name.startswith(prefix))
    samples = samples_of(module, protocol, limit)
    classes = {"imagenet": 1000, "cifar": 10, "mnist": 10}[protocol.dataset] + protocol.offset
    peer = peer_of(path) if with_peer else None
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        network = Network(options, path, folder, module.prepare(samples[0][1], protocol))
        for _, image, label in samples:
            tensor = module.prepare(image, protocol)
            tally.add(network(tensor, classes), peer(tensor) if peer else None, label, protocol.offset)
        network.close()
    return tally


def evaluate(options, module, name, shared):
    quantised = "qdq" in name
    sampled = quantised and not options.full and not options.limit
    limit = options.limit or (SAMPLE if sampled else 0)
    with_peer = options.onnxruntime or sampled or (quantised and options.full)
    start = time.time()
    tally = run_network(options, module, shared / "data/onnx" / name, name, limit, with_peer)
    far = abs(tally.accuracy() - FIGURES[name])
    good = tally.other <= OTHER_LIMIT * tally.count if sampled else bool(limit) or far <= (QUANTISED_LIMIT if quantised else LIMIT) + 1e-9
    if with_peer and quantised and not limit:
        good = good and abs(tally.accuracy() - tally.peers_accuracy()) <= PEER_LIMIT + 1e-9
    line = f"{'ok  ' if good else 'FAIL'} {name:40} {tally.count:6} pictures{' (a sample)' if limit else '':11}  top-1 {tally.accuracy():6.2f} %"
    line += f"  ({FIGURES[name]:.2f} stated)  {time.time() - start:6.1f} s"
    if with_peer:
        line += f"  {tally.other} with another first class than ONNX Runtime, whose top-1 is {tally.peers_accuracy():.2f} %"
        if quantised:
            s = tally.steps
            line += f", steps of 1/256 off: median {np.median(s):.0f}, p99 {np.quantile(s, .99):.0f}, most {max(s):.0f}"
    print(line, flush=True)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("planish")
    parser.add_argument("stream")
    parser.add_argument("models", nargs="*", help="paths below ../shared/data/onnx; all classifiers without")
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--onnxruntime", action="store_true")
    options = parser.parse_args()
    shared = model_inputs.find_shared(ROOT)
    if shared is None:
        print("SKIPPED: ../shared is absent, the labelled pictures are not there")
        return 0
    module = model_inputs.protocols(shared)
    return 0 if all([evaluate(options, module, name, shared) for name in options.models or FIGURES]) else 1


if __name__ == "__main__":
    sys.exit(main())
