#!/usr/bin/env python3
"""Inputs for the fuzzers.

  seeds.py FOLDER                   writes FOLDER/onnx, text, prototxt and caffemodel: models of the error tests, graphs of the pass
                                    tests, networks of the layer tests, the corpus
  seeds.py --keep KIND FOLDER       makes the corpus of that kind of the folder's files, those of at most 300 bytes

corpus/KIND.txt has an input a line, in base64. After a run: build/fuzz/tests/fuzz/fuzz_onnx -merge=1 -max_len=300 small FOUND SEEDS
leaves what reaches different code, and --keep onnx small keeps it.
"""
import base64
import math
import struct
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
KINDS = ("onnx", "text", "prototxt", "caffemodel")
MOST_BYTES = 300
sys.path.insert(0, str(ROOT / "errors"))
from wire import MODELS  # noqa: E402


def corpus(kind):
    return HERE / "corpus" / f"{kind}.txt"


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out + bytes([n]))


def sized(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def caffe_layer(name, *blobs):
    """A layer of a .caffemodel whose blobs have these extents."""
    parts = []
    for extents in blobs:
        shape = sized(1, b"".join(map(varint, extents)))
        parts.append(sized(7, sized(7, shape) + sized(5, struct.pack("<f", 0.5) * math.prod(extents))))
    return sized(100, sized(1, name.encode()) + b"".join(parts))


def network_weights():
    """What the network of caffemodel_fuzz.cpp takes."""
    return b"".join((caffe_layer("a", (2, 2, 1, 1), (2,)), caffe_layer("b", (2,), (2,), (1,)), caffe_layer("c", (2,)),
                     caffe_layer("d", (2, 32), (2,))))


def caffe_cases():
    """Name, text and weights of the networks of tests/caffe."""
    for part in (ROOT / "caffe/layers.cases").read_text().split("case ")[1:]:
        head, text = part.split("\ntext\n", 1)
        lines = [line.split() for line in head.splitlines()]
        declared = [f'input: "{w[1]}" input_shape {{ {" ".join("dim: " + e for e in w[3:])} }}\n' for w in lines if w[0] == "input"]
        blobs = {}
        for words in lines:
            if words[0] == "blob":
                blobs.setdefault(words[1], []).append(tuple(map(int, words[3:])))
        yield lines[0][0], "".join(declared) + text.split("\nend\n")[0], b"".join(caffe_layer(n, *b) for n, b in blobs.items())


def inputs(kind):
    """Pairs of a name and bytes."""
    for i, line in enumerate(corpus(kind).read_text().split() if corpus(kind).exists() else []):
        yield f"corpus.{i:04}", base64.b64decode(line)
    if kind == "onnx":
        for name, model in MODELS.items():
            yield name, model() if callable(model) else model
        yield "digits", (ROOT.parent / "demo" / "digits.onnx").read_bytes()
    elif kind == "prototxt":
        for name, text, _ in caffe_cases():
            yield name, text.encode()
    elif kind == "caffemodel":
        for name, _, weights in caffe_cases():
            yield name, weights
        yield "network", network_weights()
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
