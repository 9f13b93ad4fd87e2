#!/usr/bin/env python3
"""int8 by calibration beside fp32, on real networks: quantized.py PLANISH [detectors] [quantizers] [--limit N]

detectors: SQNR of each output, and F1 of what is found beside what fp32 finds, both above the detector's own threshold, with
automatic mixed precision. Calibrated half on those pictures of a pool in which the float network finds most, half on any others of it;
judged on scenes and on pictures outside the pool. quantizers: files that ONNX Runtime's quantiser writes, in several forms, and
other tools' shapes of them, beside ONNX Runtime's run of the file as written. Needs numpy, pillow, onnx, onnxruntime and ../shared.
"""
import argparse
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

LEAST_DECIBELS = 20
LEAST_F1 = 0.98
OTHER_RIGHT = 0.01  # share of pictures, at least one: first classes tie, and f16 between numbers flips roundings


def call(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=1200)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words))}: {done.stderr.strip()}")
    return done.stdout


# --- detectors: what the outputs of one run hold: rows (class, score, x1, y1, x2, y2)


def cells(height, width, stride):
    y, x = np.mgrid[:height // stride, :width // stride]
    return x.ravel(), y.ravel()


def yolox(outputs, extents):
    rows, boxes, at = outputs["output"][0], [], 0
    for stride in (8, 16, 32):
        x, y = cells(*extents[2:], stride)
        part = rows[at:at + len(x)]
        at += len(x)
        centre = np.stack([(part[:, 0] + x) * stride, (part[:, 1] + y) * stride], 1)
        size = np.exp(part[:, 2:4]) * stride
        scores = part[:, 4:5] * part[:, 5:]
        boxes.append(np.concatenate([scores.argmax(1)[:, None], scores.max(1)[:, None], centre - size / 2, centre + size / 2], 1))
    return suppressed(np.concatenate(boxes), 0.4, 0.45)


def nanodet(outputs, extents):
    values, boxes = list(outputs.values()), []
    for k, stride in enumerate((8, 16, 32)):
        scores, sides = values[k].reshape(-1, 80), values[k + 3].reshape(-1, 4, 8)
        x, y = cells(*extents[2:], stride)
        weights = np.exp(sides - sides.max(2, keepdims=True))
        far = (weights / weights.sum(2, keepdims=True)) @ np.arange(8) * stride
        x, y = x * stride + (stride - 1) / 2, y * stride + (stride - 1) / 2
        boxes.append(np.stack([scores.argmax(1), scores.max(1), x - far[:, 0], y - far[:, 1], x + far[:, 2], y + far[:, 3]], 1))
    return suppressed(np.concatenate(boxes), 0.4, 0.6)


def rfb(outputs, extents):
    scores, boxes = outputs["scores"][0][:, 1], outputs["boxes"][0] * np.tile([extents[3], extents[2]], 2)
    return suppressed(np.concatenate([np.zeros((len(scores), 1)), scores[:, None], boxes], 1), 0.7, 0.5)


def yunet(outputs, extents):
    values, boxes = list(outputs.values()), []
    for k, stride in enumerate((8, 16, 32)):
        cls, obj, box = (values[group * 3 + k].reshape(-1, width) for group, width in ((0, 1), (1, 1), (2, 4)))
        x, y = cells(*extents[2:], stride)
        centre = np.stack([(x + box[:, 0]) * stride, (y + box[:, 1]) * stride], 1)
        size = np.exp(box[:, 2:]) * stride
        score = np.sqrt(np.clip(cls[:, 0], 0, 1) * np.clip(obj[:, 0], 0, 1))
        boxes.append(np.concatenate([np.zeros((len(x), 1)), score[:, None], centre - size / 2, centre + size / 2], 1))
    return suppressed(np.concatenate(boxes), 0.6, 0.3)


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


def text(outputs, extents):
    """Pixels of text, as a mask."""
    return next(iter(outputs.values())) > 0.3


def overlapping_pixels(found, wanted):
    return int((found & wanted).sum()), int(found.sum()), int(wanted.sum())


# Decoding, counting, extents, accepted error of the worst output. Where scores of what is rarely there are columns of an output beside
# greater ones, the error of the output hardly holds them, and has to be the smaller.
DETECTORS = {
    "yolox_nano": (yolox, matches, [1, 3, 416, 416], "0.005"), "nanodet": (nanodet, matches, [1, 3, 320, 320], "0.02"),
    "version-RFB-320": (rfb, matches, [1, 3, 240, 320], "0.0005"),
    "face_detection_yunet_2023mar": (yunet, matches, [1, 3, 320, 320], "0.02"),
    "ch_PP-OCRv3_det_infer": (text, overlapping_pixels, [1, 3, 480, 480], "0.02"),
}
SPEECH_BOUND = "0.02"
POOL, CALIBRATED, JUDGED = 320, 24, 40  # pictures


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


def samples_of(shared, session, scene, decode, extents, pool):
    """Of the pool: half those in which the float network finds most, half any."""
    item, names = session.get_inputs()[0].name, [output.name for output in session.get_outputs()]

    def much(path):
        found = decode(dict(zip(names, session.run(None, {item: next(pictures_of(shared, scene, extents, [path]))}))), extents)
        return found.sum() if found.dtype == bool else found[:, 1].sum()

    half = CALIBRATED // 2
    most = sorted(pool, key=much, reverse=True)[:half]
    any_others = [path for path in pool if path not in most]
    return np.concatenate(list(pictures_of(shared, scene, extents, most + any_others[::len(any_others) // half][:half])))


def detect(planish, shared):
    good = True
    files = sorted((shared / "data/images/imagenet").iterdir())
    scenes = [shared / "data/images/scenes" / name for name in ("bus.jpg", "dog.jpg", "person.jpg", "uf_17.jpg", "gt_113.jpg")]
    judged = files[7::len(files) // JUDGED][:JUDGED]
    pool = [path for path in files if path not in judged][::(len(files) - JUDGED) // POOL][:POOL]
    for model, (decode, count, extents, bound) in DETECTORS.items():
        path = shared / f"data/onnx/{model}.onnx"
        session = model_inputs.peer_session(path)
        item, names = session.get_inputs()[0].name, [output.name for output in session.get_outputs()]
        scene = next(v for k, v in model_inputs.SCENES.items() if model.startswith(k))
        shape = ["--shape", f"{item}={'x'.join(map(str, extents))}"]
        with tempfile.TemporaryDirectory() as folder:
            np.save(f"{folder}/samples.npy", samples_of(shared, session, scene, decode, extents, pool))
            call(planish, "build", path, "-o", f"{folder}/fp32.plan", "--tune", "off", "--quiet", *shape)
            said = call(planish, "build", path, "-o", f"{folder}/int8.plan", "--tune", "off", *shape, "--precision", "int8",
                        "--calibrate", f"{folder}/samples.npy", "--method", "best", "--max-error", bound)
            signal, noise, total = {}, {}, np.zeros(3, int)
            for value in pictures_of(shared, scene, extents, scenes + judged):
                both = []
                for kind in ("int8", "fp32"):
                    run_plan(planish, f"{folder}/{kind}.plan", item, value, folder)
                    both.append({name: np.load(f"{folder}/{name.replace('/', '_')}.npy").astype(np.float64) for name in names})
                for name in names:
                    signal[name] = signal.get(name, 0) + np.square(both[1][name]).sum()
                    noise[name] = noise.get(name, 0) + np.square(both[0][name] - both[1][name]).sum()
                total += count(*(decode(outputs, extents) for outputs in both))
        decibels = [10 * np.log10(max(signal[name], 1e-30) / max(noise[name], 1e-30)) for name in names]
        good &= report(model, total, decibels, said)
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
    return report("silero_vad_16k_op15", total, 10 * np.log10(signal / np.maximum(noise, 1e-30)), said)


def report(model, total, decibels, said):
    f1 = 2 * total[0] / max(1, total[1] + total[2])
    kept = next((line.strip(" :") for line in said.splitlines() if "stay fp32 for it" in line), "all int8")
    layers = next((line for line in said.splitlines() if line.startswith("int8:")), "")
    print(f"{'ok  ' if f1 >= LEAST_F1 else 'FAIL'} {model:30} F1 {f1:.4f} ({total[1]} found, {total[2]} in fp32, {total[0]} in both), SQNR of "
          f"outputs {' '.join(f'{d:.1f}' for d in decibels)} dB; {layers}; {kept}", flush=True)
    return f1 >= LEAST_F1


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
            same = right = peers_right = apart = 0
            signal = noise = 0.0
            for value, label in judged:
                wanted = session.run(None, {item: value})[0].ravel()
                run_plan(planish, f"{folder}/plan", item, value, folder)
                found = np.load(f"{folder}/{output}.npy").ravel()
                same += found.argmax() == wanted.argmax()
                right += found.argmax() == label + protocol.offset
                peers_right += wanted.argmax() == label + protocol.offset
                apart += (found.argmax() == label + protocol.offset) != (wanted.argmax() == label + protocol.offset)
                signal += np.square(wanted.astype(np.float64)).sum()
                noise += np.square(found.astype(np.float64) - wanted).sum()
            islands = call(planish, "inspect", path, "--islands").splitlines()[0]
            decibels = 10 * np.log10(signal / max(noise, 1e-30))
            # Right for one of the two alone: as many for each, within the 95 % of even odds.
            odds = 1.96 * np.sqrt(apart)
            fine = abs(right - peers_right) <= max(1, OTHER_RIGHT * len(judged), odds) and decibels >= LEAST_DECIBELS
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
    if "detectors" in parts:
        good &= detect(options.planish, shared)
        good &= listen(options.planish, shared)
    if "quantizers" in parts:
        good &= compare_quantizers(options.planish, shared, options.limit)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
