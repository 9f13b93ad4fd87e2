#!/usr/bin/env python3
"""Write docs/tensorrt.md: which names of TensorRT's interface compile for which major, and which of them are refused.

Every class and method of include/tensorrt is named by a probe that the compiler sees once for each of the majors 3, 5,
7, 8 and 10, with the standard of its time. What is declared and refused at run time is read from the sources.
"""
import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INCLUDE = ROOT / "include" / "tensorrt"
MAJORS = {3: 11, 5: 11, 7: 11, 8: 14, 10: 17}
CLASS = re.compile(r"^class (\w+)[^;{]*\{", re.M)
FUNCTION = re.compile(r"^(?:extern \"C\" )?(?:TENSORRTAPI|inline)\s[^;{}()=]*?(\w+)\(", re.M)
SPACE = re.compile(r"^(?:namespace ([\w:]+) \{|\}  // namespace)", re.M)


def classes():
    """(namespace, class, methods) of every interface, in the order of the files."""
    for path in sorted(INCLUDE.glob("nv*/*.h")):
        text = re.sub(r"//[^\n]*", "", path.read_text())
        space = re.findall(r"^namespace (nvinfer1|nvonnxparser|nvcaffeparser1|nvuffparser)", text, re.M)
        inner = {"plugins.h": "plugin", "consistency.h": "consistency", "safe.h": "safe"}.get(path.name)
        if inner:
            space.append(f"nvinfer1::{inner}")
        for found in CLASS.finditer(text):
            if text[found.end()] == "}":  # a class of nothing but its name
                continue
            end = text.index("\n};", found.start()) if "\n};" in text[found.start():] else found.end()
            body = text[found.end():end]
            names = sorted(set(re.findall(r"virtual [^;{(]*?(\w+)\(", body)) - {found.group(1)})
            if names and "::" not in found.group(1):
                yield space[-1], found.group(1), names


def functions():
    """(namespace, function) of what is no class's, in the order of the files."""
    rows = {}
    for path in sorted(INCLUDE.glob("nv*/*.h")):
        text = re.sub(r"//(?!  namespace| namespace)[^\n]*", "", path.read_text())
        inside, marks = [], [*SPACE.finditer(text), *FUNCTION.finditer(text)]
        for mark in sorted(marks, key=lambda m: m.start()):
            if mark.re is FUNCTION:
                rows["::".join(inside), mark.group(1)] = path
            elif mark.group(1):
                inside.append(mark.group(1))
            elif inside:
                inside.pop()
    return [row for row in rows if "door" not in row[0] and not row[1].startswith("operator")]


def compiles(source, major):
    command = ["g++", f"-std=c++{MAJORS[major]}", f"-DNV_TENSORRT_MAJOR={major}", f"-I{INCLUDE}", "-fsyntax-only",
               "-x", "c++", "-"]
    return subprocess.run(command, input=source, text=True, capture_output=True).stderr


def probe(rows, major):
    """The rows (namespace, class, method) that do not compile; class "": a function."""
    lines = [f'#include "{p.name}"' for p in sorted(INCLUDE.glob("*.h"))]
    first = len(lines) + 1
    for number, (space, name, method) in enumerate(rows):
        if name:
            lines.append(f"struct Probe{number} : {space}::{name} {{ using {space}::{name}::{method}; }};")
        else:
            lines.append(f"namespace probe{number} {{ using {space}::{method}; }}")
    wrong = {int(n) for n in re.findall(r"<stdin>:(\d+):\d+: error", compiles("\n".join(lines) + "\n", major))}
    return {rows[n - first] for n in wrong if n >= first}


def refused():
    text = (ROOT / "src/tensorrt/build/layers_refused.cpp").read_text()
    return dict(re.findall(r'"(\w+): ([^"]*)"', text))


NOTES = """Answered, and nothing done: debug tensors (`markDebug` and `setDebugListener` give false, with a line in the log), DLA (0 cores),
weight streaming (no budget), communicators (false).

Inputs that hold extents (those that a profile has `setShapeValues` of) lie in host memory. Their values are read while the call that enqueues
is made, from `setInputShapeBinding`, which holds until an address or another profile takes its place, or from the address, and must lie within the
profile's. Dimensions that follow from them are -1 until an execution with these values has been enqueued and ended; `getMaxOutputSize` has the
profile's bound, an output allocator learns them. `setTemporaryStorageAllocator` is kept and not asked: a context has taken all its memory, from the
engine's allocator, when it was made.

Contexts may run while their engine is refitted: each execution has the weights of before or of after.

Algorithm selectors choose among the kernels that were timed, and so does a timing cache that is edited; formats and strides of their
operands are those of dense tensors, because layouts are decided for all layers together. What a layer's type says of floats
(`ILayer::setOutputType`) is how they may be stored: the type of a network's output is what `ITensor::setType` says, or `kFLOAT`.

Weights: a plan built with `kREFIT`, `kREFIT_IDENTICAL` or `kREFIT_INDIVIDUAL` carries its network, and refitting builds it again by
the same timings; plugins of the caller's included. `kSTRIP_PLAN` (which implies the second) and `serializeWithConfig` with
`kEXCLUDE_WEIGHTS` leave out what can be set, but for tensors of at most 8 elements; such a plan tells what it is, is not run before an
`IRefitter` or an `IParserRefitter` gave all that `getMissingWeights` names, and then gives bit for bit what the whole plan gives.

Timing caches are the library's text. `kEDITABLE_TIMING_CACHE` gives each layer that has a choice tactics of its own, says them in verbose lines (`Autotuning op NAME(key:
0x…)`, a line a tactic, the selected one), and `ITimingCache::update` with a tactic's hash makes it the one that is built, whatever it costs.
The inspector's `TacticName` is then the name in these lines. Products stay products (no attention is made of them), and a layer of one
kernel has the reference kernel as its other tactic.

Majors below 10 know integers of 32 bits: inputs, outputs and weights of 64 are shown as such, larger weights are clamped, with a warning.
Inputs and outputs of f64 are `kFLOAT` to every major, with a warning; what lies between them stays f64. Other types that the interface lacks
are refused when a network is parsed or built.""".split("\n")


def main():
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    listed = list(classes())
    rows = [(space, name, method) for space, name, methods in listed for method in methods]
    free = functions()
    rows += [(space, "", name) for space, name in free]
    missing = {major: probe(rows, major) for major in MAJORS}
    why = refused()
    out = ["# TensorRT's interface", "",
           "Programs written for majors 3 to 10 compile against `include/tensorrt` (`-DNV_TENSORRT_MAJOR=N`, 10 when nothing",
           "is said) and link `libnvinfer`, `libnvonnxparser`, … of one layout: 7 serves majors 3 to 7, 8 serves 8 and 9, 10",
           "serves 10. They lie in `build/release/tensorrt/<layout>` of a build tree and in `lib/planish/tensorrt/<layout>` of",
           "an installation; `bin/planish-config --major N --cflags --libs` of either says how. This table is written by",
           "`tools/tensorrt_coverage.py`, which compiles a probe for each name and major "
           + ", ".join(map(str, MAJORS)) + ".", "",
           f"{len(rows) - len(free)} methods of {len(listed)} classes, {len(free)} functions; "
           + ("all compile for every major." if not any(missing.values()) else "exceptions are marked."), "",
           "Refused when they are called, with a line in the log: "
           + "; ".join(f"`{name}` ({text})" for name, text in sorted(why.items())) + ".", "", *NOTES, "",
           "| class | methods |", "|---|---|"]
    for space, name, methods in listed:
        cells = []
        for method in methods:
            without = [str(m) for m in MAJORS if (space, name, method) in missing[m]]
            mark = f" (not {', '.join(without)})" if without else ""
            cells.append(f"{method}{' †' if method in why else ''}{mark}")
        out.append(f"| {space}::{name} | {', '.join(cells)} |")
    out += ["", "| functions of | names |", "|---|---|"]
    for space in sorted({space for space, _ in free}):
        cells = []
        for _, name in (row for row in free if row[0] == space):
            without = [str(m) for m in MAJORS if (space, "", name) in missing[m]]
            cells.append(name + (f" (not {', '.join(without)})" if without else ""))
        out.append(f"| {space or 'no namespace'} | {', '.join(sorted(cells))} |")
    out += ["", "† refused."]
    (ROOT / "docs" / "tensorrt.md").write_text("\n".join(out) + "\n")
    print(f"{len(rows)} methods, missing: {({m: len(s) for m, s in missing.items()})}")
    return 1 if any(missing.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
