#!/usr/bin/env python3
"""Inputs for the fuzzers.

  seeds.py FOLDER                   writes FOLDER/onnx and FOLDER/text: models of the error tests, graphs of the pass tests, the corpus
  seeds.py --keep KIND FOLDER       makes the corpus of that kind of the folder's files, those of at most 300 bytes

corpus/KIND.txt has an input a line, in base64. After a run: build/fuzz/tests/fuzz/fuzz_onnx -merge=1 -max_len=300 small FOUND SEEDS
leaves what reaches different code, and --keep onnx small keeps it.
"""
import base64
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
KINDS = ("onnx", "text")
MOST_BYTES = 300
sys.path.insert(0, str(ROOT / "errors"))
from wire import MODELS  # noqa: E402


def corpus(kind):
    return HERE / "corpus" / f"{kind}.txt"


def inputs(kind):
    """Pairs of a name and bytes."""
    for i, line in enumerate(corpus(kind).read_text().split()):
        yield f"corpus.{i:04}", base64.b64decode(line)
    if kind == "onnx":
        for name, model in MODELS.items():
            yield name, model() if callable(model) else model
        yield "digits", (ROOT.parent / "demo" / "digits.onnx").read_bytes()
    else:
        for path in sorted((ROOT / "passes").glob("*.ir")):
            for i, part in enumerate(path.read_text().split("\n---\n")):
                yield f"{path.stem}.{i}", part.encode()


def write(folder):
    for kind in KINDS:
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for old in (folder / kind).iterdir():
            old.unlink()
        for name, content in inputs(kind):
            (folder / kind / name).write_bytes(content)


def keep(kind, folder):
    contents = {path.read_bytes() for path in folder.iterdir()}
    lines = sorted(base64.b64encode(content).decode() for content in contents if 0 < len(content) <= MOST_BYTES)
    corpus(kind).write_text("".join(line + "\n" for line in lines))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--keep"] and len(sys.argv) == 4 and sys.argv[2] in KINDS:
        keep(sys.argv[2], Path(sys.argv[3]))
    elif len(sys.argv) == 2:
        write(Path(sys.argv[1]))
    else:
        sys.exit(__doc__)
