#!/usr/bin/env python3
"""Detectors with their decoding and suppression in the plan, against the network alone and numpy:

  detectors.py PLANISH [FOLDER]    FOLDER (else PLANISH_ZOO) holds yolov8n.onnx, yolov8n_pose.onnx and yolov5n.onnx, as their
                                   exporters write them

Of YOLO 8 twice: behind the exporter's decoding, and behind the three heads, whose decoding the plan has instead.
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from programs import import_or_skip  # noqa: E402

LIMIT = {"score_threshold": 0.25, "iou_threshold": 0.6}
KEEP = 100


def corners(rows):
    return np.concatenate([rows[:, :2] - rows[:, 2:4] / 2, rows[:, :2] + rows[:, 2:4] / 2], 1)


def kept(boxes, scores):
    """Rows (score, class, box) of boxes [P, 4] and scores [P, C], class by class, then the best."""
    found = []
    for label in range(scores.shape[1]):
        order = [p for p in np.argsort(-scores[:, label], kind="stable") if scores[p, label] >= LIMIT["score_threshold"]]
        while order:
            best, rest = order[0], np.array(order[1:], int)
            found.append((-scores[best, label], label, best))
            low, high = np.maximum(boxes[best, :2], boxes[rest, :2]), np.minimum(boxes[best, 2:], boxes[rest, 2:])
            shared = np.prod(np.maximum(high - low, 0), 1)
            area = lambda b: np.prod(b[..., 2:] - b[..., :2], -1)
            order = list(rest[shared / (area(boxes[best]) + area(boxes[rest]) - shared) <= LIMIT["iou_threshold"]])
    return sorted(found)[:KEEP]


def call(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=900)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())


def run(planish, model, image, names):
    with tempfile.TemporaryDirectory() as folder:
        onnx.save(model, f"{folder}/m.onnx")
        np.save(f"{folder}/x.npy", image)
        call(planish, "build", f"{folder}/m.onnx", "-o", f"{folder}/plan", "--tune", "off", "--no-tf32", "--quiet")
        call(planish, "run", f"{folder}/plan", "--input", f"images={folder}/x.npy", "--output-dir", folder, "--quiet")
        return [np.load(f"{folder}/{name}.npy") for name in names]


def extended(model, nodes, outputs):
    """The model with these nodes behind it and these results instead of its own."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    copy.graph.node.extend(nodes)
    del copy.graph.output[:]
    copy.graph.output.extend(onnx.ValueInfoProto(name=name) for name in outputs)
    copy.opset_import.append(onnx.helper.make_opsetid("plugins", 1))
    needed, nodes = set(outputs), []
    for node in reversed(copy.graph.node):
        if needed & set(node.output):
            nodes.insert(0, node)
            needed |= set(node.input)
    del copy.graph.node[:]
    copy.graph.node.extend(nodes)
    return copy


def head_names(model):
    """What the exporter's decoding of YOLO 8 reshapes: the maps of the three strides."""
    reshapes = [node for node in model.graph.node if node.op_type == "Reshape" and node.output[0].startswith("/model.22/Reshape")]
    return [node.input[0] for node in reshapes[:3]]


def number_bins(model):
    """Weights that are made up give the bins of edges any numbers; as trained, they are 0, 1, …"""
    convolution, = [node for node in model.graph.node if node.name == "/model.22/dfl/conv/Conv"]
    weights, = [tensor for tensor in model.graph.initializer if tensor.name == convolution.input[1]]
    weights.CopyFrom(onnx.numpy_helper.from_array(np.arange(16, dtype=np.float32).reshape(1, 16, 1, 1), weights.name))


def compare(name, found, rows, boxes, extra=None):
    count, kept_boxes, best, label = found[:4]
    problems = []
    if count[0, 0] != len(rows):
        return [f"{name}: {count[0, 0]} boxes, {len(rows)} are right"]
    for k, (score, c, p) in enumerate(rows):
        right = abs(best[0, k] + score) < 1e-4 and label[0, k] == c and np.abs(kept_boxes[0, k] - boxes[p]).max() < 2e-2
        if extra is not None:
            right = right and np.abs(found[4][0, k].ravel() - extra[p]).max() < 2e-2
        if not right:
            problems.append(f"{name}: row {k}: {kept_boxes[0, k]} {best[0, k]} {label[0, k]}; {boxes[p]} {-score} {c} is right")
    if best[0, len(rows):].any() or kept_boxes[0, len(rows):].any():
        problems.append(f"{name}: rows behind the last are not 0")
    print(f"{name}: {len(rows)} boxes of {len(boxes)}")
    return problems[:3]


def main():
    planish, folder = sys.argv[1], Path(sys.argv[2] if len(sys.argv) > 2 else os.environ.get("PLANISH_ZOO", "."))
    make = onnx.helper.make_node
    image = np.random.default_rng(1).uniform(0, 1, (1, 3, 640, 640)).astype(np.float32)
    results = ["count", "kept", "best", "classes"]
    suppress = make("EfficientNMS_TRT", ["boxes", "scores"], results, domain="plugins", max_output_boxes=KEEP, **LIMIT)
    problems = []
    if not (folder / "yolov8n.onnx").exists():
        print(f"SKIPPED: {folder} has no yolov8n.onnx")
        return 0
    for name, version in (("yolov8n", 8), ("yolov5n", 5)):
        model = onnx.load(folder / f"{name}.onnx")
        if version == 8:
            number_bins(model)
        decode = make("YoloDecode", ["output0"], ["boxes", "scores"], domain="plugins", model=version)
        boxes, scores = run(planish, extended(model, [decode], ["boxes", "scores"]), image, ["boxes", "scores"])
        raw, = run(planish, model, image, ["output0"])
        rows = raw[0].T if version == 8 else raw[0]
        wanted = rows[:, 4:] if version == 8 else rows[:, 5:] * rows[:, 4:5]
        # A threshold that a few boxes pass, in the middle between two scores.
        ranked = np.sort(wanted.ravel())[::-1]
        LIMIT["score_threshold"] = float((ranked[300] + ranked[301]) / 2)
        for attribute in suppress.attribute:
            if attribute.name == "score_threshold":
                attribute.f = LIMIT["score_threshold"]
        if np.abs(boxes[0] - corners(rows)).max() > 2e-2 or np.abs(scores[0] - wanted).max() > 1e-4:
            problems.append(f"{name}: decoding is apart")
        right = kept(corners(rows), wanted)
        problems += compare(f"{name} behind its export", run(planish, extended(model, [decode, suppress], results), image, results), right, corners(rows))
        if version == 8:
            heads = make("YoloDecode", head_names(model), ["boxes", "scores"], domain="plugins", model=8, strides=[8.0, 16.0, 32.0], bins=16)
            problems += compare(f"{name} behind its heads", run(planish, extended(model, [heads, suppress], results), image, results), right, corners(rows))
    model = onnx.load(folder / "yolov8n_pose.onnx")
    raw, = run(planish, model, image, ["output0"])
    rows = raw[0].T
    ranked = np.sort(rows[:, 4])[::-1]
    LIMIT["score_threshold"] = float((ranked[100] + ranked[101]) / 2)
    pose = make("YoloPoseDecode", ["output0"], [*results, "points"], domain="plugins", max_output_boxes=KEEP, points=17, values=3, **LIMIT)
    found = run(planish, extended(model, [pose], [*results, "points"]), image, [*results, "points"])
    problems += compare("yolov8n_pose", found, kept(corners(rows), rows[:, 4:5]), corners(rows), rows[:, 5:])
    print("\n".join(problems) or "all boxes agree")
    return 1 if problems else 0


if __name__ == "__main__":
    import_or_skip(globals(), np="numpy", onnx="onnx")
    sys.exit(main())
