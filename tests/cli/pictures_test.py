#!/usr/bin/env python3
"""pictures_test.py PLANISH: PNG of every colour type and depth, grey and CMYK JPEG: the values that reach the network."""
import struct
import tempfile
from pathlib import Path

from helpers import expect, planish, program_from  # first: it knows where the others stand
from files import JPEG_CMYK, JPEG_GREY, npy, npz, png
from wire import model, node, value

SIDE = 8
RAMP = [16 * x + 3 for x in range(SIDE)]  # of each row
PALETTE = (b"PLTE", bytes(b for x in range(16) for b in (10 * x, 255 - x, x * x)))
CLEAR = (b"tRNS", bytes([0, 128]))


def rows(pixels):
    return [b"".join(pixels)] * SIDE


def adam7(pixel):
    """The rows of the seven passes; pixel(x, y) as bytes."""
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    return [b"".join(pixel(x, y) for x in range(left, SIDE, across)) for left, top, across, down in passes for y in range(top, SIDE, down)]


def grey(values):
    return [values] * 3


PICTURES = {  # file, the three channels of each row
    "grey8.png": (png(SIDE, SIDE, 8, 0, rows(bytes([v]) for v in RAMP)), grey(RAMP)),
    "grey16.png": (png(SIDE, SIDE, 16, 0, rows(bytes([v, 200]) for v in RAMP)), grey(RAMP)),
    "grey1.png": (png(SIDE, SIDE, 1, 0, [b"\x55"] * SIDE), grey([0, 255] * 4)),
    "grey4.png": (png(SIDE, SIDE, 4, 0, [b"\x01\x23\x45\x67"] * SIDE), grey([17 * x for x in range(8)])),
    "grey_alpha.png": (png(SIDE, SIDE, 8, 4, rows(bytes([v, 9 * x]) for x, v in enumerate(RAMP))), grey(RAMP)),
    "rgb8.png": (png(SIDE, SIDE, 8, 2, rows(bytes([v, 7, 255 - v]) for v in RAMP)), [RAMP, [7] * SIDE, [255 - v for v in RAMP]]),
    "rgb16.png": (png(SIDE, SIDE, 16, 2, rows(bytes([v, 255, 7, 0, 255 - v, 129]) for v in RAMP)), [RAMP, [7] * SIDE, [255 - v for v in RAMP]]),
    "rgba8.png": (png(SIDE, SIDE, 8, 6, rows(bytes([v, 7, 255 - v, 3]) for v in RAMP)), [RAMP, [7] * SIDE, [255 - v for v in RAMP]]),
    "gamma.png": (png(SIDE, SIDE, 8, 0, rows(bytes([v]) for v in RAMP), (b"gAMA", struct.pack(">I", 100000))), grey(RAMP)),
    "palette.png": (png(SIDE, SIDE, 8, 3, [bytes(range(SIDE))] * SIDE, PALETTE, CLEAR),
                    [[10 * x for x in range(8)], [255 - x for x in range(8)], [x * x for x in range(8)]]),
    "palette4.png": (png(SIDE, SIDE, 4, 3, [b"\x01\x23\x45\x67"] * SIDE, PALETTE),
                     [[10 * x for x in range(8)], [255 - x for x in range(8)], [x * x for x in range(8)]]),
    "interlaced.png": (png(SIDE, SIDE, 8, 0, adam7(lambda x, y: bytes([RAMP[x]])), interlace=1), grey(RAMP)),
    "cmyk.jpg": (JPEG_CMYK, [[216] * SIDE, [137] * SIDE, [49] * SIDE]),
}


def floats_of(path):
    data = path.read_bytes()
    start = 10 + struct.unpack("<H", data[8:10])[0]
    return struct.unpack(f"<{(len(data) - start) // 4}f", data[start:])


def run(program, folder, *words):
    result = planish(program, folder, "run", "net.onnx", "--tune", "off", "--quiet", "--output-dir", ".", *words)
    expect(result.returncode == 0, result)
    return result, floats_of(folder / "y.npy")


def check_pictures(program, folder):
    for name, (content, channels) in PICTURES.items():
        (folder / name).write_bytes(content)
        result, found = run(program, folder, "--input", f"x={name}")
        wanted = [v for channel in channels for _ in range(SIDE) for v in channel]
        expect(list(found) == wanted, result)
    (folder / "grey.jpg").write_bytes(JPEG_GREY)
    result, found = run(program, folder, "--input", "x=grey.jpg", "--image", "x:crop=8")
    expect(found[:64] == found[64:128] == found[128:], result)


def check_blocks(program, folder):
    """Each block of 2x2 pixels becomes (sum + 2) div 4."""
    pixel = lambda x, y: (37 * x + 11 * y) % 256
    (folder / "wide.png").write_bytes(png(16, 16, 8, 0, [bytes(pixel(x, y) for x in range(16)) for y in range(16)]))
    result, found = run(program, folder, "--input", "x=wide.png", "--image", "x:block=2")
    wanted = [(sum(pixel(2 * x + i, 2 * y + k) for i in (0, 1) for k in (0, 1)) + 2) // 4 for y in range(SIDE) for x in range(SIDE)]
    expect(list(found) == wanted * 3, result)
    result = planish(program, folder, "run", "net.onnx", "--input", "x=wide.png", "--image", "x:block=3")
    expect(result.returncode == 1 and "block=3 of a picture of 16x16; a divisor of both is accepted" in result.stderr, result)


def check_fortran(program, folder):
    """Elements of a Fortran-ordered file in both kinds of file, at whatever address."""
    count = 3 * SIDE * SIDE
    index = lambda c, y, x: c + 3 * (y + SIDE * x)
    data = npy(fortran="True", shape="(1, 3, 8, 8)", data=struct.pack(f"<{count}f", *range(count)))
    (folder / "f.npy").write_bytes(data)
    (folder / "f.npz").write_bytes(npz(("x.npy", data)))
    wanted = [index(c, y, x) for c in range(3) for y in range(SIDE) for x in range(SIDE)]
    for file in ("f.npy", "f.npz"):
        result, found = run(program, folder, "--input", f"x={file}")
        expect(list(found) == wanted, result)


def main(program):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shape = [1, 3, SIDE, SIDE]
        (folder / "net.onnx").write_bytes(model([node("Relu", ["x"], ["y"])], [value("x", shape)], [value("y", shape)]))
        check_pictures(program, folder)
        check_fortran(program, folder)
        check_blocks(program, folder)


if __name__ == "__main__":
    main(program_from(__doc__))
