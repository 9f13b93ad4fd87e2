#!/usr/bin/env python3
"""int8 by calibration beside fp32, on real networks:

  quantized.py PLANISH [detectors] [quantizers] [classifiers] [--limit N]

detectors: SQNR of each output, and F1 of what is found beside what fp32 finds, also where scores beside the threshold do not
count, with automatic mixed precision, calibrated on pictures of ../shared that are not among those judged. quantizers: files
that ONNX Runtime's quantiser writes, in several forms, and other tools' shapes of them: outputs and accuracy of ONNX Runtime's
run of the file as written. classifiers: calibrated on 100 of the 1,000 labelled pictures by one and the same command, scored on
the other 900 (some minutes; not without being named).
Needs numpy, pillow, onnx, onnxruntime.
"""
import argparse
import json
import logging
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import model_inputs  # noqa: E402  first: it says which packages are missing
import numpy as np  # noqa: E402

RECOMMENDED = ["--method", "best", "--max-drop", "2.5"]
IMAGENET = "mean=123.675:116.28:103.53,std=58.395:57.12:57.375"
CLASSIFIERS = {  # recipe, index of class 0
    "mobilenet_v1_0.25_128_fp32": ("input:crop=256,block=2,mean=128,std=128", 1),
    "squeezenet1.1": (f"data:crop=224,{IMAGENET}", 0),
    "mobilenet_v2_1.0_224_fp32": ("input:crop=224,mean=128,std=128", 1),
    "tf2_mobilenet_v2_1.0_224_ptq_fp32": ("input:crop=224,mean=128,std=128", 1),
}
MOST_DROP, LEAST_SAME, LEAST_DECIBELS = 0.005, 0.97, 20
LEAST_F1 = 0.98
OTHER_RIGHT = 0.02  # share of pictures; scores are multiples of 1/256 and tie


def call(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=1200)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words))}: {done.stderr.strip()}")
    return done.stdout


def classify(planish, shared, limit):
    pictures, good = shared / "data/images/imagenet", True
    for name, (recipe, offset) in CLASSIFIERS.items():
        model = shared / f"data/onnx/{name}.onnx"
        with tempfile.TemporaryDirectory() as folder:
            call(planish, "build", model, "-o", f"{folder}/fp32.plan", "--tune", "off", "--quiet")
            said = call(planish, "build", model, "-o", f"{folder}/int8.plan", "--tune", "off", "--precision", "int8", "--calibrate",
                        pictures, "--samples", "100", "--image", recipe, *RECOMMENDED)
            judged = ["--samples", limit] if limit else []
            found = json.loads(call(planish, "evaluate", f"{folder}/int8.plan", "--against", f"{folder}/fp32.plan", "--images", pictures,
                                    "--labels", shared / "data/images/imagenet_labels.tsv", "--image", recipe, "--except", "100",
                                    "--class-offset", offset, "--json", "-", *judged))["against"]
        fine = found["difference"] >= -MOST_DROP and found["same_class"] >= LEAST_SAME and found["sqnr_db"] >= LEAST_DECIBELS
        good = good and (fine or bool(limit))
        kept = next((line.strip() for line in said.splitlines() if "stay fp32 for it" in line), "all int8")
        half, mean = 100 * found["half_interval"], 100 * found["difference"]
        print(f"{'ok  ' if fine else 'FAIL'} {name:36} {mean:+.2f} points ({mean - half:+.2f} to {mean + half:+.2f}), same class "
              f"{100 * found['same_class']:.2f} %, SQNR {found['sqnr_db']:.2f} dB; {kept}", flush=True)
    return good


# --- detectors: what the outputs of one run hold: rows (class, score, x1, y1, x2, y2)


def cells(height, width, stride):
    y, x = np.mgrid[:height // stride, :width // stride]
    return x.ravel(), y.ravel()


def yolox(outputs, extents, slack=0.0):
    rows, boxes, at = outputs["output"][0], [], 0
    for stride in (8, 16, 32):
        x, y = cells(*extents[2:], stride)
        part = rows[at:at + len(x)]
        at += len(x)
        centre = np.stack([(part[:, 0] + x) * stride, (part[:, 1] + y) * stride], 1)
        size = np.exp(part[:, 2:4]) * stride
        scores = part[:, 4:5] * part[:, 5:]
        boxes.append(np.concatenate([scores.argmax(1)[:, None], scores.max(1)[:, None], centre - size / 2, centre + size / 2], 1))
    return suppressed(np.concatenate(boxes), 0.4 - slack, 0.45)


def nanodet(outputs, extents, slack=0.0):
    values, boxes = list(outputs.values()), []
    for k, stride in enumerate((8, 16, 32)):
        scores, sides = values[k].reshape(-1, 80), values[k + 3].reshape(-1, 4, 8)
        x, y = cells(*extents[2:], stride)
        weights = np.exp(sides - sides.max(2, keepdims=True))
        far = (weights / weights.sum(2, keepdims=True)) @ np.arange(8) * stride
        x, y = x * stride + (stride - 1) / 2, y * stride + (stride - 1) / 2
        boxes.append(np.stack([scores.argmax(1), scores.max(1), x - far[:, 0], y - far[:, 1], x + far[:, 2], y + far[:, 3]], 1))
    return suppressed(np.concatenate(boxes), 0.4 - slack, 0.6)


def rfb(outputs, extents, slack=0.0):
    scores, boxes = outputs["scores"][0][:, 1], outputs["boxes"][0] * np.tile([extents[3], extents[2]], 2)
    return suppressed(np.concatenate([np.zeros((len(scores), 1)), scores[:, None], boxes], 1), 0.7 - slack, 0.5)


def yunet(outputs, extents, slack=0.0):
    values, boxes = list(outputs.values()), []
    for k, stride in enumerate((8, 16, 32)):
        cls, obj, box = (values[group * 3 + k].reshape(-1, width) for group, width in ((0, 1), (1, 1), (2, 4)))
        x, y = cells(*extents[2:], stride)
        centre = np.stack([(x + box[:, 0]) * stride, (y + box[:, 1]) * stride], 1)
        size = np.exp(box[:, 2:]) * stride
        score = np.sqrt(np.clip(cls[:, 0], 0, 1) * np.clip(obj[:, 0], 0, 1))
        boxes.append(np.concatenate([np.zeros((len(x), 1)), score[:, None], centre - size / 2, centre + size / 2], 1))
    return suppressed(np.concatenate(boxes), 0.6 - slack, 0.3)


def overlap(box, boxes):
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    shared = np.prod(np.maximum(high - low, 0), 1)
    area = lambda b: np.prod(b[..., 2:] - b[..., :2], -1)
    return shared / np.maximum(area(box) + area(boxes) - shared, 1e-9)


def suppressed(rows, threshold, limit):
    rows = rows[rows[:, 1] >= threshold]
    rows, kept = rows[np.argsort(-rows[:, 1], kind="stable")], []
    while len(rows):
        kept.append(rows[0])
        rows = rows[1:][(rows[1:, 0] != rows[0, 0]) | (overlap(rows[0, 2:], rows[1:, 2:]) <= limit)]
    return np.array(kept).reshape(-1, 6)


def matches(found, wanted):
    """Hits, found, wanted: a box is hit by one of its class with an overlap of one half."""
    free, hits = list(range(len(wanted))), 0
    for row in found:
        near = [i for i in free if wanted[i, 0] == row[0] and overlap(row[2:], wanted[i:i + 1, 2:])[0] >= 0.5]
        if near:
            free.remove(max(near, key=lambda i: overlap(row[2:], wanted[i:i + 1, 2:])[0]))
            hits += 1
    return hits, len(found), len(wanted)


def text(outputs, extents, slack=0.0):
    """Pixels of text, as a mask."""
    return next(iter(outputs.values())) > 0.3 - slack


def overlapping_pixels(found, wanted):
    return int((found & wanted).sum()), int(found.sum()), int(wanted.sum())


DETECTORS = {  # decoding, counting, extents, accepted error of the worst output: thresholds cut sharper than outputs differ
    "yolox_nano": (yolox, matches, [1, 3, 416, 416], "0.02"), "nanodet": (nanodet, matches, [1, 3, 320, 320], "0.02"),
    "version-RFB-320": (rfb, matches, [1, 3, 240, 320], "0.002"),
    "face_detection_yunet_2023mar": (yunet, matches, [1, 3, 320, 320], "0.02"),
    "ch_PP-OCRv3_det_infer": (text, overlapping_pixels, [1, 3, 480, 480], "0.02"),
}
SPEECH_BOUND = "0.02"
SLACK = 0.05  # of scores: what one network finds just above the threshold and the other just below is no other finding
CALIBRATED, JUDGED = 48, 40  # pictures


def pictures_of(shared, scene, extents, paths):
    from PIL import Image
    _, order, mean, deviation = scene
    for path in paths:
        pixels = np.asarray(Image.open(path).convert("RGB").resize((extents[3], extents[2]), Image.BILINEAR))
        pixels = pixels[:, :, ::-1] if order == "bgr" else pixels
        values = (pixels.astype(np.float32) - np.float32(mean)) / np.float32(deviation)
        yield np.ascontiguousarray(values.transpose(2, 0, 1)[None])


def run_plan(planish, plan, name, value, folder):
    np.save(f"{folder}/x.npy", value)
    call(planish, "run", plan, "--input", f"{name}={folder}/x.npy", "--output-dir", folder, "--quiet")
    return folder


def detect(planish, shared):
    good = True
    files = sorted((shared / "data/images/imagenet").iterdir())
    scenes = [shared / "data/images/scenes" / name for name in ("bus.jpg", "dog.jpg", "person.jpg", "uf_17.jpg", "gt_113.jpg")]
    for model, (decode, count, extents, bound) in DETECTORS.items():
        path = shared / f"data/onnx/{model}.onnx"
        session = model_inputs.peer_session(path)
        item, names = session.get_inputs()[0].name, [output.name for output in session.get_outputs()]
        scene = next(v for k, v in model_inputs.SCENES.items() if model.startswith(k))
        shape = ["--shape", f"{item}={'x'.join(map(str, extents))}"]
        with tempfile.TemporaryDirectory() as folder:
            samples = list(pictures_of(shared, scene, extents, files[::len(files) // CALIBRATED][:CALIBRATED]))
            np.save(f"{folder}/samples.npy", np.concatenate(samples))
            call(planish, "build", path, "-o", f"{folder}/fp32.plan", "--tune", "off", "--quiet", *shape)
            said = call(planish, "build", path, "-o", f"{folder}/int8.plan", "--tune", "off", *shape, "--precision", "int8",
                        "--calibrate", f"{folder}/samples.npy", "--method", "best", "--max-error", bound)
            judged = scenes + files[7::len(files) // JUDGED][:JUDGED]
            signal, noise, total, near = {}, {}, np.zeros(3, int), np.zeros(2, int)
            for value in pictures_of(shared, scene, extents, judged):
                both = []
                for kind in ("int8", "fp32"):
                    run_plan(planish, f"{folder}/{kind}.plan", item, value, folder)
                    both.append({name: np.load(f"{folder}/{name.replace('/', '_')}.npy").astype(np.float64) for name in names})
                for name in names:
                    signal[name] = signal.get(name, 0) + np.square(both[1][name]).sum()
                    noise[name] = noise.get(name, 0) + np.square(both[0][name] - both[1][name]).sum()
                found, wanted = (decode(outputs, extents) for outputs in both)
                total += count(found, wanted)
                near += [count(found, decode(both[1], extents, SLACK))[0], count(wanted, decode(both[0], extents, SLACK))[0]]
        f1 = 2 * total[0] / max(1, total[1] + total[2])
        apart = (near[0] + near[1]) / max(1, total[1] + total[2])
        decibels = [10 * np.log10(max(signal[name], 1e-30) / max(noise[name], 1e-30)) for name in names]
        good = good and max(f1, apart) >= LEAST_F1
        report(model, f1, apart, total[2], decibels, said)
    return good


def frames_of(shared, session):
    """Inputs of every frame of the recording, each with the state that the float network had before it."""
    with wave.open(str(shared / "data/audio/vad_60s.wav")) as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(np.float32) / 32768
    state, last = np.zeros((2, 1, 128), np.float32), np.zeros(64, np.float32)
    for at in range(0, len(samples) - 511, 512):
        feed = {"input": np.concatenate([last, samples[at:at + 512]])[None], "state": state, "sr": np.array(16000, np.int64)}
        yield feed
        state, last = session.run(["stateN"], feed)[0], samples[at + 448:at + 512]


def listen(planish, shared):
    path = shared / "data/onnx/silero_vad_16k_op15.onnx"
    session = model_inputs.peer_session(path)
    frames = list(frames_of(shared, session))
    names, signal, noise, total = ["output", "stateN"], np.zeros(2), np.zeros(2), np.zeros(3, int)
    shape = ["--shape", "input=1x576", "--shape", "state=2x1x128"]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "samples").mkdir()
        for k, feed in enumerate(frames[:900:20]):
            np.savez(f"{folder}/samples/{k:03}.npz", **feed)
        said = call(planish, "build", path, "-o", f"{folder}/plan", "--tune", "off", *shape, "--precision", "int8", "--calibrate",
                    f"{folder}/samples", "--method", "best", "--max-error", SPEECH_BOUND)
        for feed in frames[900::5]:
            np.savez(f"{folder}/frame.npz", **feed)
            call(planish, "run", f"{folder}/plan", "--input", f"{folder}/frame.npz", "--output-dir", folder, "--quiet")
            wanted = session.run(names, feed)
            found = [np.load(f"{folder}/{name}.npy") for name in names]
            signal += [np.square(value.astype(np.float64)).sum() for value in wanted]
            noise += [np.square(a.astype(np.float64) - b).sum() for a, b in zip(found, wanted)]
            total += overlapping_pixels(found[0] > 0.5, wanted[0] > 0.5)
    f1 = 2 * total[0] / max(1, total[1] + total[2])
    report("silero_vad_16k_op15", f1, f1, total[2], 10 * np.log10(signal / np.maximum(noise, 1e-30)), said)
    return f1 >= LEAST_F1


def report(model, f1, apart, count, decibels, said):
    kept = next((line.strip(" :") for line in said.splitlines() if "stay fp32 for it" in line), "all int8")
    layers = next((line for line in said.splitlines() if line.startswith("int8:")), "")
    print(f"{'ok  ' if max(f1, apart) >= LEAST_F1 else 'FAIL'} {model:30} F1 {f1:.4f}, {apart:.4f} without what is within {SLACK} of the "
          f"threshold ({count} in fp32), SQNR of outputs "
          f"{' '.join(f'{d:.1f}' for d in decibels)} dB; {layers}; {kept}", flush=True)


# --- files of other quantisers


def quantized_files(folder, shared):
    """(name, path, float file, recipe) of files that onnxruntime's quantiser writes of one classifier."""
    logging.disable(logging.WARNING)
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    module = model_inputs.protocols(shared)
    name = "mobilenet_v2_1.0_224_fp32"
    source, protocol = shared / f"data/onnx/{name}.onnx", module.PROTOCOLS["mobilenet_v2_1.0_224"]
    prepared = [module.prepare(image, protocol) for _, image, _ in module.spread(module.imagenet(), 16)]

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.rest = iter([{"input": value} for value in prepared])

        def get_next(self):
            return next(self.rest, None)

    forms = {"qdq u8/s8": (QuantFormat.QDQ, QuantType.QUInt8, QuantType.QInt8, False),
             "qdq s8/s8 per channel": (QuantFormat.QDQ, QuantType.QInt8, QuantType.QInt8, True),
             "qdq u8/u8": (QuantFormat.QDQ, QuantType.QUInt8, QuantType.QUInt8, False),
             "operators u8/s8 per channel": (QuantFormat.QOperator, QuantType.QUInt8, QuantType.QInt8, True),
             "operators s8/s8": (QuantFormat.QOperator, QuantType.QInt8, QuantType.QInt8, False)}
    for form, (kind, activations, weights, channels) in forms.items():
        path = Path(folder) / f"{form.replace(' ', '_').replace('/', '_')}_qdq.onnx"
        quantize_static(str(source), str(path), Reader(), quant_format=kind, activation_type=activations, weight_type=weights,
                        per_channel=channels)
        yield form, path
    yield "fp16 scales", half_scales(folder, Path(folder) / "qdq_s8_s8_per_channel_qdq.onnx")


def half_scales(folder, source):
    """As ModelOpt writes networks of fp16: quantisation of f16 values by f16 scales, casts at the ends."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    model = onnx.load(source)
    graph, path = model.graph, Path(folder) / "fp16_qdq.onnx"
    if model.opset_import[0].version < 19:
        model.opset_import[0].version = 19
    for tensor in graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), tensor.name))
    del graph.value_info[:]
    inputs, outputs = {v.name for v in graph.input}, {v.name for v in graph.output}
    for node in graph.node:
        for k, name in enumerate(node.input):
            node.input[k] = f"{name}.half" if name in inputs else name
        for k, name in enumerate(node.output):
            node.output[k] = f"{name}.half" if name in outputs else name
    before = [helper.make_node("Cast", [name], [f"{name}.half"], to=TensorProto.FLOAT16) for name in inputs]
    after = [helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT) for name in outputs]
    nodes = before + list(graph.node) + after
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, path)
    return path


def compare_quantizers(planish, shared, limit):
    module, good = model_inputs.protocols(shared), True
    protocol = module.PROTOCOLS["mobilenet_v2_1.0_224"]
    judged = [(module.prepare(image, protocol), label) for _, image, label in module.spread(module.imagenet(), limit or 60)]
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/x.npy", np.concatenate([value for value, _ in judged]))
        for form, path in quantized_files(folder, shared):
            session = model_inputs.peer_session(path)
            item, output = session.get_inputs()[0].name, session.get_outputs()[0].name
            call(planish, "build", path, "-o", f"{folder}/plan", "--tune", "off", "--quiet")
            same = right = peers_right = 0
            signal = noise = 0.0
            for value, label in judged:
                wanted = session.run(None, {item: value})[0].ravel()
                run_plan(planish, f"{folder}/plan", item, value, folder)
                found = np.load(f"{folder}/{output}.npy").ravel()
                same += found.argmax() == wanted.argmax()
                right += found.argmax() == label + protocol.offset
                peers_right += wanted.argmax() == label + protocol.offset
                signal += np.square(wanted.astype(np.float64)).sum()
                noise += np.square(found.astype(np.float64) - wanted).sum()
            islands = call(planish, "inspect", path, "--islands").splitlines()[0]
            decibels = 10 * np.log10(signal / max(noise, 1e-30))
            fine = abs(right - peers_right) <= max(1, OTHER_RIGHT * len(judged)) and decibels >= LEAST_DECIBELS
            good = good and fine
            print(f"{'ok  ' if fine else 'FAIL'} {form:30} top-1 {right} of {len(judged)} (ONNX Runtime {peers_right}), {same} of the same "
                  f"class, SQNR {decibels:.1f} dB; {islands}", flush=True)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("planish")
    parser.add_argument("parts", nargs="*", default=[])
    parser.add_argument("--limit", type=int, default=0)
    options = parser.parse_args()
    shared = model_inputs.find_shared(ROOT)
    if shared is None:
        print("SKIPPED: ../shared is absent, the networks and pictures are not there")
        return 0
    parts, good = options.parts or ["detectors", "quantizers"], True
    if "classifiers" in parts:
        good &= classify(options.planish, shared, options.limit)
    if "detectors" in parts:
        good &= detect(options.planish, shared)
        good &= listen(options.planish, shared)
    if "quantizers" in parts:
        good &= compare_quantizers(options.planish, shared, options.limit)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
