"""Inputs for the models of ../shared: real pictures and sound where the network was trained on such, seeded values elsewhere.

A detector that sees noise answers with scores of 1e-5, where rounding of the last sigmoid is all there is to compare.
"""
import importlib.util
import sys
import wave
from pathlib import Path

try:
    import numpy as np
    import onnxruntime
    import PIL  # noqa: F401
except ImportError as missing:  # its users are tests: what is not there is said, and is no failure
    print(f"SKIPPED: {missing}; PLANISH_PYTHON names a Python with numpy, pillow, onnx and onnxruntime")
    sys.exit(0)

EXTENTS = {  # of dynamic inputs, by model and beginning of the input's name
    "ch_PP-OCRv3_det_infer": {"x": [1, 3, 480, 480]}, "face_detection_yunet_2023mar": {"input": [1, 3, 320, 320]},
    "rrdbnet_x4": {"input": [1, 3, 32, 32]}, "srvgg_x4": {"image": [1, 3, 64, 64]}, "bilstm_speech": {"features": [1, 100, 80]},
    "silero_vad": {"input": [1, 576], "state": [2, 1, 128]}, "silero_vad_16k_op15": {"input": [1, 576], "state": [2, 1, 128]},
    "bert_base": {"ids": [1, 128], "mask": [1, 128]}, "gpt2": {"ids": [1, 32], "mask": [1, 32]},
    "llama_4l_gqa": {"input_ids": [1, 6], "attention_mask": [1, 14], "position_ids": [1, 6], "past": [1, 4, 8, 64]},
}

SCENES = {  # beginning of the model's name: picture, channel order, mean and deviation of 0..255
    "yolox": ("bus.jpg", "bgr", 0, 1), "nanodet": ("bus.jpg", "bgr", (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)),
    "version-RFB": ("bus.jpg", "rgb", 127, 128), "face_detection": ("bus.jpg", "bgr", 0, 1),
    "ch_PP-OCR": ("gt_113.jpg", "bgr", (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    "deeplab": ("bird_segmentation.bmp", "rgb", 128, 128), "yolov": ("bus.jpg", "rgb", 0, 255), "unet": ("bus.jpg", "rgb", 0, 255),
    "srvgg": ("cat.bmp", "rgb", 0, 255), "super_resolution": ("cat.bmp", "luma", 0, 255),
}


def find_shared(start):
    """The folder `shared` beside the checkout, or None."""
    folder = Path(start).resolve().parent / "shared"
    return folder if (folder / "data").is_dir() else None


def protocols(shared):
    """The module that states how classifiers are fed and judged: PROTOCOLS, imagenet(), prepare(), …"""
    spec = importlib.util.spec_from_file_location("evaluate_onnxruntime", shared / "data/evaluate_onnxruntime.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def peer_session(path):
    """ONNX Runtime on the same file. Its optimised runs of Q/DQ networks round elsewhere: those run as written."""
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    if "qdq" in Path(path).name:
        settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])


def model_name(path):
    path = Path(path)
    return path.parent.name if path.name == "model.onnx" else path.stem


def extents(model, item):
    """Extents of a graph input: fixed ones as they are, dynamic ones from the table, else 1."""
    sizes = next((v for k, v in EXTENTS.get(model, {}).items() if item.name.startswith(k)), [])
    return [d if isinstance(d, int) else (sizes[i] if i < len(sizes) else 1) for i, d in enumerate(item.shape)]


def picture(shared, scene, shape):
    from PIL import Image
    name, order, mean, deviation = scene
    image = Image.open(shared / "data/images/scenes" / name).resize((shape[3], shape[2]), Image.BILINEAR)
    pixels = np.asarray(image.convert("YCbCr" if order == "luma" else "RGB"))
    pixels = pixels[:, :, :1] if order == "luma" else pixels[:, :, ::-1] if order == "bgr" else pixels
    values = (pixels.astype(np.float32) - np.float32(mean)) / np.float32(deviation)
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None])


def speech(shared, shape):
    with wave.open(str(shared / "data/audio/vad_60s.wav")) as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
    count = int(np.prod(shape))
    return (samples[16000:16000 + count].astype(np.float32) / 32768).reshape(shape)


def classified(shared, model):
    """The first picture or digit of the data set that the classifier is judged on."""
    module = protocols(shared)
    protocol = next((p for prefix, p in module.PROTOCOLS.items() if model.startswith(prefix)), None)
    if protocol is None or protocol.dataset == "bird":
        return None
    samples = {"imagenet": module.imagenet, "cifar": module.cifar, "mnist": module.mnist}[protocol.dataset]()
    return module.prepare(next(iter(samples))[1], protocol)


def real(shared, model, item, shape):
    if shared is None or item.type != "tensor(float)":
        return None
    if len(shape) == 4 and (scene := next((s for k, s in SCENES.items() if model.startswith(k)), None)):
        return picture(shared, scene, shape)
    if model.startswith(("silero", "kwt")) and item.name in ("input", "audio"):
        return speech(shared, shape)
    # Those of the zoo have random weights: noise tells them apart as well as a picture does.
    return None if model in ("mobilenet_v2", "resnet50") else classified(shared, model)


def seeded(item, shape, random):
    if "int64" in item.type:
        if "mask" in item.name:
            return np.ones(shape, np.int64)
        if "position" in item.name:
            return np.broadcast_to(np.arange(shape[-1]) + 8, shape).astype(np.int64).copy()
        return np.array(16000, np.int64) if item.name == "sr" else random.integers(0, 1000, shape, np.int64)
    return random.random(shape, np.float32) if item.name in ("image", "images", "x") else random.standard_normal(shape, np.float32)


def feed_for(path, items, shared=None):
    """Inputs by name for the graph inputs `items` (onnxruntime's), always the same."""
    model, random, feed = model_name(path), np.random.default_rng(7), {}
    for item in items:
        shape = extents(model, item)
        value = real(shared, model, item, shape)
        feed[item.name] = value if value is not None else seeded(item, shape, random)
    return feed
