#!/usr/bin/env python3
"""Caffe networks of ../shared end to end: accuracy of the classifiers, boxes of the face-mask detector, plans of networks without weights.

  caffe.py PLANISH STREAM [--limit N]
  caffe.py --door CAFFE_STREAM [--limit N]

STREAM is the program of stream.cpp; CAFFE_STREAM that of tests/tensorrt/caffe_stream.cpp, which reads the networks through TensorRT's
interface: LeNet, SqueezeNet and the detector. Figures are those of ../shared/data/README.md; the boxes are what OpenCV's reader of the same files
gives (its outputs equal those of the detector's TensorFlow file to 3e-5). Needs numpy, pillow.
"""
import argparse
import re
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

FACES = {  # scene: score, class (0: with a mask) and box of each face, in shares of the picture
    "bus.jpg": [
        (0.97661, 1, 0.14573, 0.38677, 0.19321, 0.43430),
    ],
    "uf_17.jpg": [
        (0.99695, 1, 0.69196, 0.66464, 0.76242, 0.78723),
        (0.99429, 1, 0.63188, 0.66385, 0.68433, 0.77038),
        (0.99146, 1, 0.27643, 0.78862, 0.31288, 0.86749),
        (0.98059, 1, 0.02363, 0.75267, 0.07022, 0.83489),
        (0.97838, 1, 0.90248, 0.81891, 0.94545, 0.89929),
        (0.96588, 1, 0.54806, 0.73066, 0.62052, 0.88696),
        (0.95668, 1, 0.42160, 0.69695, 0.47153, 0.78374),
        (0.94777, 1, 0.18222, 0.77729, 0.21459, 0.83865),
        (0.92161, 1, 0.84388, 0.68160, 0.87119, 0.73046),
        (0.90935, 1, 0.81049, 0.77687, 0.84260, 0.83676),
        (0.74218, 1, 0.03737, 0.62791, 0.06375, 0.67121),
        (0.67181, 1, 0.14583, 0.68781, 0.17075, 0.73600),
        (0.64995, 1, 0.22980, 0.82712, 0.26270, 0.88469),
        (0.61875, 1, 0.64812, 0.65944, 0.72604, 0.78166),
        (0.59244, 1, 0.27456, 0.68713, 0.29460, 0.72849),
        (0.56916, 1, 0.41652, 0.60352, 0.43878, 0.64958),
        (0.54358, 1, 0.18253, 0.91139, 0.22720, 0.99942),
    ],
}
LIMIT = 1e-3


DOOR_OUTPUTS = {"face_mask_detection": ("loc_branch_concat", "cls_branch_concat")}


def door_command(options, folder, name, weights, flags):
    """An implicit batch takes its size from the call; other extents of the input from the text."""
    text, batch = (options.caffe / f"{name}.prototxt").read_text(), 1
    if flags:
        batch, _, height, width = (int(extent) for extent in flags[1].split("=")[1].split("x"))
        text = re.sub(r"(dim:\s*\d+\s+dim:\s*\d+\s+dim:\s*)\d+(\s+dim:\s*)\d+", rf"\g<1>{height}\g<2>{width}", text, count=1)
    path = f"{folder}/{name}.prototxt"
    Path(path).write_text(text)
    return [options.door, path, str(options.caffe / weights), str(batch), "data", *DOOR_OUTPUTS.get(name, ("prob",))]


class Network(Answers):
    """One network as a plan in a process of its own: the outputs' floats in the order in which layers give them."""

    def __init__(self, options, folder, name, weights, *flags):
        if options.door:
            super().__init__(door_command(options, folder, name, weights, flags))
            return
        self.plan = f"{folder}/{name}.plan"
        subprocess.run([options.planish, "build", str(options.caffe / f"{name}.prototxt"), "--weights", str(options.caffe / weights),
                        "-o", self.plan, "--quiet", "--tune", "off", *flags], check=True)
        super().__init__([options.stream, self.plan, "2"])


def report(name, right, count, stated, limit, start, limited):
    found = 100 * right / count
    good = limited or abs(found - stated) <= limit + 1e-9
    print(f"{'ok  ' if good else 'FAIL'} {name:24} {count:6} pictures  top-1 {found:6.2f} %  ({stated:.2f} stated)  {time.time() - start:6.1f} s", flush=True)
    return good


def lenet(options, module, folder):
    start, batch = time.time(), 100
    samples = module.spread(module.mnist(), options.limit and max(options.limit // batch, 1) * batch)
    network = Network(options, folder, "lenet", "lenet_iter_10000.caffemodel", "--shape", f"data={batch}x1x28x28")
    right = 0
    for at in range(0, len(samples), batch):
        part = samples[at:at + batch]
        scores = network(np.stack([image[:, :, 0] for _, image, _ in part]) / np.float32(256), 10 * batch)
        right += int((scores.reshape(batch, 10).argmax(1) == [label for _, _, label in part]).sum())
    network.close()
    return report("lenet", right, len(samples), 99.14, 0.005, start, options.limit)


def classify(options, module, folder, name, weights, protocol, classes, stated, flags):
    start = time.time()
    samples = module.spread({"imagenet": module.imagenet, "cifar": module.cifar}[protocol.dataset](), options.limit)
    network = Network(options, folder, name, weights, *flags)
    right = sum(int(network(module.prepare(image, protocol), classes).argmax() == label) for _, image, label in samples)
    network.close()
    return report(name, right, len(samples), stated, 0.2, start, options.limit)


def anchors():
    """Centres and sizes of the detector's boxes, by ../shared/data/README.md, D5."""
    boxes = []
    for grid, sides in zip((33, 17, 9, 5, 3), ((.04, .056), (.08, .11), (.16, .22), (.32, .45), (.64, .72))):
        shapes = [(s, s) for s in sides] + [(sides[0] * r ** .5, sides[0] / r ** .5) for r in (.62, .42)]
        boxes += [((x + .5) / grid, (y + .5) / grid, *shape) for y in range(grid) for x in range(grid) for shape in shapes]
    return np.array(boxes)


def overlap(a, b):
    w, h = (min(a[i + 2], b[i + 2]) - max(a[i], b[i]) for i in (0, 1))
    area = lambda v: (v[2] - v[0]) * (v[3] - v[1])
    return w * h / (area(a) + area(b) - w * h) if w > 0 and h > 0 else 0


def faces(classes, places):
    """Of the detector's outputs [5972, 2] and [5972, 4]: score, class and box of each face that is kept."""
    prior = anchors()
    centre = places[:, :2] * .1 * prior[:, 2:] + prior[:, :2]
    half = np.exp(places[:, 2:] * .2) * prior[:, 2:] / 2
    boxes, scores = np.hstack([centre - half, centre + half]), classes.max(1)
    kept = []
    for i in np.argsort(-scores, kind="stable"):
        if scores[i] > 0.5 and all(overlap(boxes[i], boxes[k]) <= 0.4 for k in kept):
            kept.append(i)
    return [(float(scores[i]), int(classes[i].argmax()), *boxes[i].round(5).tolist()) for i in kept]


def scene(shared, name):
    from PIL import Image
    image = Image.open(shared / "data/images/scenes" / name).convert("RGB").resize((260, 260), Image.BILINEAR)
    return np.asarray(image, np.float32).transpose(2, 0, 1)[None] / np.float32(255)


def face_masks(options, shared, folder):
    network = Network(options, folder, "face_mask_detection", "face_mask_detection.caffemodel")
    good = True
    for name, wanted in FACES.items():
        outputs = network(scene(shared, name), 5972 * 6)
        found = faces(outputs[5972 * 4:].reshape(-1, 2), outputs[:5972 * 4].reshape(-1, 4))
        same = len(found) == len(wanted) and all(a[1] == b[1] for a, b in zip(found, wanted))
        far = max((abs(x - y) for a, b in zip(found, wanted) for x, y in zip(a, b)), default=0) if same else float("inf")
        good = good and far <= LIMIT
        print(f"{'ok  ' if far <= LIMIT else 'FAIL'} face_mask_detection {name}: {len(found)} faces, {len(wanted)} stated, at most {far:.1e} away", flush=True)
    network.close()
    return good


def without_weights(options, folder):
    """They build with random weights, for a range of batches, and are refused without."""
    good = True
    for name, side in (("bvlc_alexnet", 227), ("bvlc_googlenet", 224), ("mobilenet_v2_deploy", 224)):
        model, plan = str(options.caffe / f"prototxt_only/{name}.prototxt"), f"{folder}/{name}.plan"
        refused = subprocess.run([options.planish, "build", model, "-o", plan], capture_output=True, text=True)
        shape = ":".join(f"{n}x3x{side}x{side}" for n in (1, 2, 3))
        subprocess.run([options.planish, "build", model, "--random-weights", "-o", plan, "--quiet", "--tune", "off", "--shape", f"data={shape}"], check=True)
        ran = [subprocess.run([options.planish, "run", plan, "--quiet", "--shape", f"data={n}x3x{side}x{side}"]).returncode == 0 for n in (1, 3)]
        fine = refused.returncode == 1 and "no weights are given" in refused.stderr and all(ran)
        good = good and fine
        print(f"{'ok  ' if fine else 'FAIL'} {name}: random weights, batches 1 and 3 of one plan; refused without", flush=True)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("planish", nargs="?")
    parser.add_argument("stream", nargs="?")
    parser.add_argument("--door", help="the program of tests/tensorrt/caffe_stream.cpp")
    parser.add_argument("--limit", type=int, default=0, help="that many pictures of each set; accuracies are then not judged")
    options = parser.parse_args()
    shared = model_inputs.find_shared(ROOT)
    if shared is None:
        print("SKIPPED: ../shared is absent, the Caffe networks are not there")
        return 0
    options.caffe = shared / "data/caffe"
    module = model_inputs.protocols(shared)
    with tempfile.TemporaryDirectory() as folder:
        cifar = module.Protocol("cifar", 256, 8, (125.3, 123.0, 113.9))
        results = [
            lenet(options, module, folder),
            options.door or classify(options, module, folder, "cifar10_quick", "cifar10_quick_iter_5000.caffemodel", cifar, 10, 44.29, ()),
            classify(options, module, folder, "squeezenet_v1.1", "squeezenet_v1.1.caffemodel", module.PROTOCOLS["squeezenet1.1"], 1000, 60.6,
                     ("--shape", "data=1x3x224x224")),
            face_masks(options, shared, folder), options.door or without_weights(options, folder)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
