#!/usr/bin/env python3
"""Examples on the real networks of ../shared: the face-mask detector through Caffe, YOLOX through ONNX.

  examples.py FOLDER

FOLDER has the programs ssd_face_mask and yolo; one that is not built (its layout is not configured) is left out. Needs pillow.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import model_inputs  # noqa: E402  first: it says which packages are missing
from caffe import FACES, LIMIT  # noqa: E402
from PIL import Image  # noqa: E402

# ../shared/data/README.md: class, score and box in pixels of the picture; person and bus of COCO's classes.
THINGS = {"bus.jpg": [(5, .911, 8, 230, 806, 734), (0, .850, 56, 388, 211, 900), (0, .816, 218, 404, 350, 855), (0, .678, 682, 447, 810, 876)]}


def lines(program, *arguments):
    result = subprocess.run([str(program), *map(str, arguments)], check=True, capture_output=True, text=True)
    return [[float(word) for word in line.split()] for line in result.stdout.splitlines()[1:]]


def faces(program, shared, folder):
    good, caffe = True, shared / "data/caffe"
    for name, wanted in FACES.items():
        path = f"{folder}/face.ppm"
        Image.open(shared / "data/images/scenes" / name).convert("RGB").resize((260, 260), Image.BILINEAR).save(path)
        found = lines(program, caffe / "face_mask_detection.prototxt", caffe / "face_mask_detection.caffemodel", path)
        same = len(found) == len(wanted) and all(a[1] == b[1] for a, b in zip(found, wanted))
        far = max(abs(x - y) for a, b in zip(found, wanted) for x, y in zip(a, b)) if same else float("inf")
        good = good and far <= LIMIT
        print(f"{'ok  ' if far <= LIMIT else 'FAIL'} ssd_face_mask {name}: {len(found)} faces, {len(wanted)} stated, at most {far:.1e} away", flush=True)
    return good


def things(program, shared, folder):
    good = True
    for name, wanted in THINGS.items():
        picture = Image.open(shared / "data/images/scenes" / name).convert("RGB")
        scale = min(416 / picture.width, 416 / picture.height)
        canvas = Image.new("RGB", (416, 416), (114, 114, 114))
        canvas.paste(picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.BILINEAR))
        path = f"{folder}/thing.ppm"
        canvas.save(path)
        found = lines(program, "detect", shared / "data/onnx/yolox_nano.onnx", path)
        fine = True
        for kind, score, *box in wanted:
            fine = fine and any(line[0] == kind and abs(line[1] - score) < .03 and all(abs(a / scale - b) < 8 for a, b in zip(line[2:], box)) for line in found)
        good = good and fine
        print(f"{'ok  ' if fine else 'FAIL'} yolo {name}: {len(found)} boxes, the {len(wanted)} stated {'are' if fine else 'are not'} among them", flush=True)
        if not fine:
            print(found)
    return good


def main():
    programs, shared = Path(sys.argv[1]), model_inputs.find_shared(ROOT)
    if shared is None:
        print("SKIPPED: ../shared is absent, the networks are not there")
        return 0
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for name, check in (("ssd_face_mask", faces), ("yolo", things)):
            if (programs / name).exists():
                results.append(check(programs / name, shared, folder))
            else:
                print(f"{name} is not built: its layout is not configured")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
