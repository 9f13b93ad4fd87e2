#!/usr/bin/env python3
"""Seeds for the fuzzers: seeds.py FOLDER writes FOLDER/onnx (models of the error tests) and FOLDER/text (graphs of the pass tests)."""
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "errors"))
from wire import MODELS  # noqa: E402


def main(folder):
    for kind in ("onnx", "text"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for name, model in MODELS.items():
        content = model() if callable(model) else model
        (folder / "onnx" / name).write_bytes(content)
    (folder / "onnx" / "digits").write_bytes((ROOT.parent / "demo" / "digits.onnx").read_bytes())
    for path in (ROOT / "passes").glob("*.ir"):
        for i, part in enumerate(path.read_text().split("\n---\n")):
            (folder / "text" / f"{path.stem}.{i}").write_text(part)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
