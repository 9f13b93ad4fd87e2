"""Input files that nobody should accept, and a few odd ones that everybody should: arrays, archives, pictures. Standard library only."""
import base64
import io
import struct
import zipfile
import zlib

ZEROS = bytes(256)  # f32[1,1,8,8]


def npy(header="", dtype="<f4", fortran="False", shape="(1, 1, 8, 8)", data=ZEROS, version=(1, 0), length=None):
    text = (header or f"{{'descr': '{dtype}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n").encode()
    size = struct.pack("<H" if version[0] == 1 else "<I", len(text) if length is None else length)
    return b"\x93NUMPY" + bytes(version) + size + text + data


def npz(*members, method=zipfile.ZIP_STORED, change=None):
    """`change` (offset in the directory entry of the last member, format, value): a lie of the directory."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    data = bytearray(out.getvalue())
    if change:
        struct.pack_into(change[1], data, data.rfind(b"PK\1\2") + change[0], change[2])
    return bytes(data)


def png(width, height, depth, kind, rows, *chunks, interlace=0):
    chunk = lambda name, data: struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlace)
    parts = [(b"IHDR", head), *chunks, (b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def flipped(data, offset):
    return data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1:]


JPEG_GREY = base64.b64decode(  # 16x16
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/"
    "wAALCAAQABABAREA/8QAFQABAQAAAAAAAAAAAAAAAAAABQD/xAAYEAACAwAAAAAAAAAAAAAAAAAAAwQhMf/aAAgBAQAAPwAqOjKE46Moo6MoTjoyj//Z")
JPEG_CMYK = base64.b64decode(  # 8x8 of one colour: RGB 216, 137, 49
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwADAgIDAgIDAwMDBAMDBAUIBQUEBAUKBwcGCAwKDAwLCgsLDQ4SEA0OEQ4LCxAWEBETFBUVFQwPFxgWFBgSFBUU/8AA"
    "FAgACAAIBEMRAE0RAFkRAEsRAP/EABYAAQEBAAAAAAAAAAAAAAAAAAkHCP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAOBEMATQBZAEsAAD8AThSGPCBv/9k=")
JPEG_SIZE = JPEG_GREY.find(b"\xff\xc0") + 5  # height, width
PNG_GREY = png(8, 8, 8, 0, [bytes(range(8))] * 8)
IMAGE = ("image.npy", npy())

FILES = {
    "npy_version": npy(version=(9, 0)),
    "npy_version_3": npy(version=(3, 0)),
    "npy_negative": npy(shape="(-1, 1, 8, 8)"),
    "npy_fraction": npy(shape="(2.3,)"),
    "npy_overflow": npy(shape=f"({1 << 40}, {1 << 40})"),
    "npy_beyond_64_bits": npy(shape=f"({1 << 70},)"),
    "npy_rank": npy(shape="(" + "1, " * 12 + ")"),
    "npy_trailing": npy(data=ZEROS + b"x"),
    "npy_long_header": npy(header="{'descr': '<f4', " + " " * 60000 + "'fortran_order': False, 'shape': (1, 1, 8, 8)}"),
    "npy_long_shape": npy(shape="(" + "1, " * 1000000 + ")", version=(2, 0)),
    "npy_header_beyond": npy(version=(2, 0), length=1 << 31),
    "npy_header_cut": npy(version=(2, 0))[:10],
    "npy_key_twice": npy(header="{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (1,)}"),
    "npy_key_missing": npy(header="{'descr': '<f4', 'shape': (1,)}"),
    "npy_order": npy(fortran="Maybe"),
    "npy_records": npy(header="{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (64,)}"),
    "npy_complex": npy(dtype="<c8"),
    "npy_objects": npy(dtype="|O"),
    "npy_bytes": npy(dtype="|u1", shape="(256,)"),
    "npz_claim": npz(IMAGE, method=zipfile.ZIP_DEFLATED, change=(24, "<I", 0xFFFFFFF0)),
    "npz_crc": npz(IMAGE, change=(16, "<I", 1)),
    "npz_crc_deflated": npz(IMAGE, method=zipfile.ZIP_DEFLATED, change=(16, "<I", 1)),
    "npz_encrypted": npz(IMAGE, change=(8, "<H", 1)),
    "npz_method": npz(IMAGE, method=zipfile.ZIP_BZIP2),
    "npz_offset": npz(IMAGE, change=(42, "<I", 7)),
    "npz_empty": npz(),
    "npz_text": npz(IMAGE, ("readme.txt", b"hello")),
    "npz_twice": npz(("x.npy", npy()), ("y.npy", npy())).replace(b"y.npy", b"x.npy"),
    "npz_scores": npz(("scores.npy", npy(shape="(10,)", data=bytes(40)))),
    "npz_deflated": npz(IMAGE, method=zipfile.ZIP_DEFLATED),
    "jpeg_half": JPEG_GREY[:-12],
    "jpeg_bits": JPEG_GREY[:-20] + b"\xff\x00" * 9 + JPEG_GREY[-2:],
    "jpeg_sides": JPEG_GREY[:JPEG_SIZE] + struct.pack(">HH", 65500, 65500) + JPEG_GREY[JPEG_SIZE + 4:],
    "jpeg_empty_claim": JPEG_GREY[:JPEG_SIZE] + struct.pack(">HH", 16000, 16000) + JPEG_GREY[JPEG_SIZE + 4:],
    "png_sides": png(65500, 65500, 8, 2, [b""]),
    "png_empty_claim": png(16000, 16000, 8, 2, [b""]),
    "png_flipped": flipped(PNG_GREY, PNG_GREY.find(b"IDAT") + 12),
    "png_no_end": PNG_GREY[:-12],
}
