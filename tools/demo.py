#!/usr/bin/env python3
"""A real network from file to result: the text detector that the PyPI wheel rapidocr-onnxruntime carries.

demo.py PLANISH FOLDER     renders a page, builds the plan, finds the text, draws the boxes (FOLDER/text.png), and times planish
and ONNX Runtime in the same run. Needs numpy, pillow, onnxruntime, and the wheel's files.
"""
import argparse
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageDraw, ImageFont

HEIGHT, WIDTH = 480, 640  # multiples of 32
LINES = ((48, 40, 44, "Planish reads models"), (64, 128, 28, "and writes plans: one file,"), (64, 176, 28, "mapped, checked, then run."),
         (330, 262, 60, "480 x 640"), (48, 360, 22, "The boxes were found by a network,"), (48, 396, 22, "not by whoever placed these words."))
THRESHOLD, BOX_THRESHOLD, UNCLIP = 0.3, 0.6, 1.6  # PaddleOCR's: pixel, region, how far a region grows


def find_detector():
    package = importlib.util.find_spec("rapidocr_onnxruntime")
    found = sorted(Path(package.submodule_search_locations[0]).glob("models/*det*.onnx")) if package else []
    if not found:
        sys.exit("demo: the wheel rapidocr-onnxruntime is not installed, or carries no detector")
    return found[0]


def render():
    random = np.random.RandomState(4)
    shade = np.linspace(235, 190, HEIGHT)[:, None, None] + random.normal(0, 4, (HEIGHT, WIDTH, 1))
    page = Image.fromarray(np.clip(shade * np.array([1.0, 0.98, 0.92]), 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(page)
    draw.rectangle((310, 250, 612, 340), fill=(40, 70, 120))
    for x, y, size, text in LINES:
        draw.text((x, y), text, fill=(250, 250, 245) if y == 262 else (30, 30, 40), font=ImageFont.load_default(size))
    return page


def tensor_of(page):
    """BGR, normalised with ImageNet's figures: [1, 3, 480, 640]."""
    pixels = np.asarray(page)[:, :, ::-1].astype(np.float32) / 255
    values = (pixels - np.float32([0.485, 0.456, 0.406])) / np.float32([0.229, 0.224, 0.225])
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None].astype(np.float32))


def regions(mask):
    """Boxes (top, left, bottom, right) of the 4-connected components of a boolean [H, W]."""
    label, found = np.zeros(mask.shape, bool), []
    for start in zip(*np.nonzero(mask)):
        if label[start]:
            continue
        stack, rows, columns = [start], [], []
        label[start] = True
        while stack:
            y, x = stack.pop()
            rows.append(y)
            columns.append(x)
            for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if 0 <= v < mask.shape[0] and 0 <= u < mask.shape[1] and mask[v, u] and not label[v, u]:
                    label[v, u] = True
                    stack.append((v, u))
        found.append((min(rows), min(columns), max(rows) + 1, max(columns) + 1))
    return found


def boxes_of(scores):
    """Text boxes of a score map [H, W]: (score, top, left, bottom, right)."""
    boxes = []
    for top, left, bottom, right in regions(scores > THRESHOLD):
        height, width = bottom - top, right - left
        score = float(scores[top:bottom, left:right].mean())
        if min(height, width) >= 3 and score > BOX_THRESHOLD:
            grow = int(round(height * width * UNCLIP / (2 * (height + width))))
            boxes.append((score, max(top - grow, 0), max(left - grow, 0), min(bottom + grow, HEIGHT), min(right + grow, WIDTH)))
    return sorted(boxes, key=lambda box: box[1:])


def draw_boxes(page, boxes, path):
    draw = ImageDraw.Draw(page)
    for score, top, left, bottom, right in boxes:
        draw.rectangle((left, top, right - 1, bottom - 1), outline=(220, 30, 30), width=2)
        draw.text((left, max(top - 12, 0)), f"{score:.2f}", fill=(220, 30, 30))
    page.save(path)


def outputs_beside(planish, model, plan, tensor, folder):
    """The score maps of planish and of ONNX Runtime for the same input."""
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(model), settings, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    theirs = session.run(None, {name: tensor})[0][0, 0]
    np.save(folder / "input.npy", tensor)
    subprocess.run([planish, "run", plan, "--quiet", "--input", f"{name}={folder}/input.npy", "--output-dir", folder / "outputs"], check=True)
    ours = np.load(next((folder / "outputs").glob("*.npy")))[0, 0]
    return name, ours, theirs


def main(planish, folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    model, plan = find_detector(), folder / "detector.plan"
    print(f"network: {model.name} of the PyPI wheel rapidocr-onnxruntime, {model.stat().st_size / 1e6:.1f} MB", flush=True)
    shape = f"x=1x3x{HEIGHT}x{WIDTH}"
    subprocess.run([planish, "build", model, "-o", plan, "--shape", shape], check=True)
    page = render()
    name, ours, theirs = outputs_beside(planish, model, plan, tensor_of(page), folder)
    boxes = boxes_of(ours)
    draw_boxes(page, boxes, folder / "text.png")
    for score, top, left, bottom, right in boxes:
        print(f"text at ({left:3}, {top:3}) to ({right:3}, {bottom:3}), score {score:.2f}")
    error = np.linalg.norm(ours.astype(np.float64) - theirs) / np.linalg.norm(theirs.astype(np.float64))
    same = [box[1:] for box in boxes] == [box[1:] for box in boxes_of(theirs)]
    print(f"{len(boxes)} boxes drawn in {folder}/text.png; scores beside ONNX Runtime's: relative L2 {error:.1e}, boxes {'the same' if same else 'DIFFERENT'}\n", flush=True)
    environment = {"PLANISH_PYTHON": sys.executable, **os.environ}
    subprocess.run([planish, "bench", plan, "--compare", f"onnxruntime={model}", "--input", f"{name}={folder}/input.npy", "--layers", "--slowest", "15",
                    "--seconds", "3"],
                   check=True, env=environment)
    return 0 if len(boxes) == len(LINES) and same and error <= 1e-4 else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("planish", help="the program")
    parser.add_argument("folder", help="for what is written")
    sys.exit(main(**vars(parser.parse_args())))
