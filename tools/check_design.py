#!/usr/bin/env python3
"""Hold docs/design.md against the tree: every path that it names exists, every name of code occurs, every folder of src/ is told of.

Exit status 1 lists what is not so.
"""
import argparse
import re
import subprocess
import sys
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
WORD = re.compile(r"[A-Za-z_]\w*")


def tracked():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    names = listed.stdout.split("\n") if listed.returncode == 0 else [str(p.relative_to(ROOT)) for p in ROOT.rglob("*")]  # an archive
    return [name for name in names if name and (ROOT / name).is_file()]


def exists(name, row, places):
    """`name` from the root, from src/, or from a folder that the same row names; a path without its ending, or a pattern."""
    bases = ["", "src/", *(f"src/{folder}" for folder in row if folder.endswith("/"))]
    for base in bases:
        pattern = base + name.rstrip("/")
        if pattern in places or any(PurePosixPath(place).match(pattern) or place.startswith(pattern + ".") for place in places):
            return True
    return False


def problems_of(text, files):
    places = {*files, *(str(parent) for name in files for parent in PurePosixPath(name).parents)}
    words = set()
    for name in files:
        if not name.startswith("docs/"):
            words |= set(WORD.findall((ROOT / name).read_text(errors="replace"))) | set(WORD.findall(name))
    for line in text.splitlines():
        row = re.findall(r"`([^`]+)`", line)
        for name in row:
            if "foo" in name:  # stands for any
                continue
            if re.fullmatch(r"[\w./*-]*/[\w./*-]*", name):
                if not exists(name, row, places):
                    yield f"there is no {name}"
            elif missing := [word for word in WORD.findall(name) if word not in words]:
                yield f"`{name}`: {', '.join(missing)} occurs nowhere"
    named = " ".join(name for line in text.splitlines() for name in re.findall(r"`([^`]+)`", line))
    for folder in sorted({name.split("/")[1] for name in files if name.startswith("src/")}):
        if not re.search(rf"\b{folder}/", named):
            yield f"src/{folder}/ is not told of"


def main():
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    problems = list(problems_of((ROOT / "docs/design.md").read_text(), tracked()))
    for problem in problems:
        print(f"docs/design.md: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
