#!/usr/bin/env python3
"""Run models in ONNX Runtime and in planish on the same seeded inputs; print the relative L2 error of each output.

compare_models.py PLANISH MODEL… [--threads N] [--tune off|fast]      needs: onnx, onnxruntime, numpy
Exit status 1 when a model fails or an output differs by more than 1e-4.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnxruntime

SIZES = {"ch_PP-OCRv3_det_infer": [1, 3, 320, 320], "face_detection_yunet_2023mar": [1, 3, 320, 320],
         "rrdbnet_x4": [1, 3, 32, 32], "srvgg_x4": [1, 3, 64, 64], "bilstm_speech": [1, 100, 80],
         "silero_vad": {"input": [1, 512], "state": [2, 1, 128]}, "silero_vad_16k_op15": {"input": [1, 512], "state": [2, 1, 128]},
         "bert_base": [1, 128], "gpt2": [1, 32],
         "llama_4l_gqa": {"input_ids": [1, 6], "attention_mask": [1, 14], "position_ids": [1, 6], "past": [1, 4, 8, 64]}}


def extents(model, item):
    """Extents of a graph input: fixed ones as they are, dynamic ones from the table, else 1."""
    sizes = SIZES.get(model, {})
    if isinstance(sizes, dict):
        sizes = sizes.get(item.name) or next((v for k, v in sizes.items() if item.name.startswith(k)), [])
    if all(isinstance(d, int) for d in item.shape):
        return item.shape
    return [d if isinstance(d, int) else (sizes[i] if i < len(sizes) else 1) for i, d in enumerate(item.shape)]


def values(item, shape, random):
    if "int64" in item.type:
        if "mask" in item.name:
            return np.ones(shape, np.int64)
        if "position" in item.name:
            return np.broadcast_to(np.arange(shape[-1]) + 8, shape).astype(np.int64).copy()
        return np.array(16000, np.int64) if item.name == "sr" else random.integers(0, 1000, shape, np.int64)
    if item.name in ("image", "images", "x"):
        return random.random(shape, np.float32)
    return random.standard_normal(shape, np.float32)


def compare(planish, path, options):
    model = os.path.splitext(os.path.basename(path))[0]
    if model == "model":
        model = os.path.basename(os.path.dirname(path))
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(7)
    feed = {item.name: values(item, extents(model, item), random) for item in session.get_inputs()}
    expected = session.run(None, feed)
    with tempfile.TemporaryDirectory() as folder:
        command = [planish, "run", path, "--quiet", "--tune", options.tune, "--threads", str(options.threads), "--output-dir", folder]
        for i, (name, array) in enumerate(feed.items()):
            np.save(f"{folder}/in{i}.npy", array)
            command += ["--input", f"{name}={folder}/in{i}.npy"]
        start = time.time()
        result = subprocess.run(command, capture_output=True, text=True, timeout=900)
        seconds = time.time() - start
        if result.returncode != 0:
            return model, seconds, None, result.stderr.strip()[:600]
        worst = 0.0
        for item, wanted in zip(session.get_outputs(), expected):
            found = np.load(f"{folder}/{item.name.replace('/', '_').replace(':', '_')}.npy")
            if found.shape != wanted.shape:
                return model, seconds, None, f"output {item.name}: extents {found.shape}, {wanted.shape} expected"
            difference = np.linalg.norm(found.astype(np.float64) - wanted.astype(np.float64))
            worst = max(worst, difference / max(np.linalg.norm(wanted.astype(np.float64)), 1e-30))
        return model, seconds, worst, ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("planish")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tune", default="off")
    options = parser.parse_args()
    failed = 0
    for path in options.models:
        try:
            model, seconds, worst, problem = compare(options.planish, path, options)
        except Exception as error:  # one model's trouble must not hide the others
            model, seconds, worst, problem = path, 0, None, f"{type(error).__name__}: {error}"[:300]
        good = worst is not None and worst <= 1e-4
        failed += not good
        text = f"rel L2 {worst:.2e}" if worst is not None else problem
        print(f"{'ok  ' if good else 'FAIL'} {model:36} {seconds:7.1f} s  {text}", flush=True)
    print(f"{len(options.models) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
