#!/usr/bin/env python3
"""What people see when something is wrong: run.py PLANISH CASE…

A case is a text file. Lines, in this order:
  # a comment
  given FILE: VERB ARGUMENT…     prepares a file (verbs below); digits.onnx and digit.png are always there
  $ ARGUMENTS                    the command line behind `planish`, run in a fresh folder
  exit STATUS
  the text that must stand on standard error, line for line; * stands for anything
  absent FILE / same FILE        afterwards: it must not be there (nothing half written) / must have kept its bytes
"""
import argparse
import fnmatch
import os
import re
import shlex
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from files import FILES
from wire import MODELS

ROOT = Path(__file__).resolve().parent.parent.parent


def npy(dtype, extents):
    dims = [int(d) for d in extents.split("x")] if extents != "-" else []
    count = 1
    for d in dims:
        count *= d
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({''.join(f'{d}, ' for d in dims)}), }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(count * int(dtype[2:]))


def prepare(planish, folder, target, verb, *args):
    path = folder / target
    read = lambda name: (folder / name).read_bytes()
    if verb == "plan":
        subprocess.run([planish, "build", args[0], "-o", target, "--quiet", "--tune", "off", *args[1:]], cwd=folder, check=True)
    elif verb == "truncate":
        path.write_bytes(read(args[0])[:int(args[1])])
    elif verb == "flip":
        data = bytearray(read(args[0]))
        data[int(args[1])] ^= 0xFF
        path.write_bytes(bytes(data))
    elif verb == "folder":
        path.mkdir()
    elif verb == "link":
        path.symlink_to(args[0])
    elif verb == "hardlink":
        path.hardlink_to(folder / args[0])
    elif verb == "fifo":
        os.mkfifo(path)
    else:
        content = {"model": lambda name: MODELS[name], "zeros": lambda n: bytes(int(n)), "text": lambda *words: " ".join(words).encode(),
                   "npy": npy, "file": lambda name: FILES[name]}[verb](*args)
        path.write_bytes(content)


def parse(text):
    case = {"given": [], "after": [], "expected": []}
    for line in text.splitlines():
        if line.startswith("#") and "command" not in case:
            continue
        if match := re.match(r"given (\S+): (.*)", line):
            case["given"].append((match[1], *shlex.split(match[2])))
        elif line.startswith("$ "):
            case["command"] = shlex.split(line[2:])
        elif match := re.match(r"exit (\d+)$", line):
            case["status"] = int(match[1])
        elif match := re.match(r"(absent|same) (\S+)$", line):
            case["after"].append((match[1], match[2]))
        elif line.strip():
            case["expected"].append(line)
    return case


def matches(found, expected):
    # Brackets are text here, not sets of characters.
    pattern = expected.replace("[", "[[]")
    return fnmatch.fnmatchcase(found, pattern)


def check(planish, path):
    case = parse(path.read_text())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "digits.onnx").write_bytes((ROOT / "demo/digits.onnx").read_bytes())
        (folder / "digit.png").write_bytes((ROOT / "demo/digit_00_2.png").read_bytes())
        for given in case["given"]:
            prepare(planish, folder, *given)
        kept = {file: (folder / file).read_bytes() for what, file in case["after"] if what == "same"}
        result = subprocess.run([planish, *case["command"]], cwd=folder, capture_output=True, text=True, timeout=120, env={**os.environ, "PLANISH_PYTHON": "/nowhere/python"})
        problems = []
        found = result.stderr.strip("\n").splitlines()
        if result.returncode != case["status"]:
            problems.append(f"exit status {result.returncode}, {case['status']} expected")
        if len(found) != len(case["expected"]) or not all(map(matches, found, case["expected"])):
            problems.append("standard error:\n  " + "\n  ".join(found) + "\nexpected:\n  " + "\n  ".join(case["expected"]))
        for what, file in case["after"]:
            if what == "absent" and (folder / file).exists():
                problems.append(f"{file} was left behind")
            if what == "same" and (folder / file).read_bytes() != kept[file]:
                problems.append(f"{file} was changed")
        leftovers = [entry.name for entry in folder.iterdir() if entry.name.endswith(".tmp")]
        if leftovers:
            problems.append(f"half-written files: {leftovers}")
        return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("planish", type=Path)
    parser.add_argument("case", type=Path, nargs="+")
    options = parser.parse_args()
    planish, failed = str(options.planish.resolve()), 0
    for path in options.case:
        problems = check(planish, path)
        failed += bool(problems)
        print(f"{'FAIL' if problems else 'ok  '} {path.stem}" + "".join(f"\n{p}" for p in problems))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
