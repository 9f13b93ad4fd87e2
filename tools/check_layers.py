#!/usr/bin/env python3
"""Hold the include graph of src/ against the layering of docs/design.md, and print the size of each folder.

Checks: a folder includes only folders of its row; no cycle of files, none of folders; a source file includes
its own header first; no file beyond 800 lines. Exit status 1 names every violation.
"""
import argparse
import re
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
LIMIT = 800

RUNTIME = ["plan", "device", "plugin", "kernels", "tensor", "base"]
BUILDER = ["passes", "tactics", "runtime", "ops", "ir"] + RUNTIME
LAYERS = {
    "base": [],
    "tensor": ["base"],
    "plan": ["tensor", "base"],
    "device": ["tensor", "base"],
    "plugin": ["device", "tensor", "base"],
    "kernels/reference": ["kernels", "tensor", "base"],
    "kernels/cpu": ["kernels/reference", "kernels", "tensor", "base"],  # attribute structs of the operators
    "kernels/cuda": [],
    "kernels": ["tensor", "base"],
    "runtime": RUNTIME,
    "ir": ["tensor", "base"],
    "ops": ["ir", "kernels/reference", "kernels", "tensor", "base"],
    "importers": ["ops", "ir", "kernels/reference", "plugin", "tensor", "base"],
    "passes": ["ops", "ir", "kernels/reference", "kernels", "tensor", "base"],
    "tactics": ["ops", "ir", "kernels", "kernels/reference", "kernels/cpu", "kernels/cuda", "plan", "device", "tensor", "base"],
    "compile": BUILDER + ["kernels/reference"],
    "api/runtime": ["runtime"] + RUNTIME,
    "api/build": ["api/runtime", "importers", "compile"] + BUILDER,
    "cudart": ["device", "base"],  # a library of its own: src/tensorrt takes its header alone
    "tensorrt/runtime": ["cudart"],  # the public interface alone, of the runtime half; how work gets on a stream
    "tensorrt/build": ["tensorrt/runtime"],
    "tensorrt/parsers": [],
    "trtexec": ["cudart"],  # TensorRT's public interface and the CUDA runtime's, as its users have them; who answers for it
    "cli": ["importers", "compile"] + BUILDER,
    "python": [],
}


def folder_of(path):
    """The row of LAYERS that `path` (relative to src/) belongs to: the longest matching prefix."""
    rows = [row for row in LAYERS if path == row or path.startswith(row + "/")]
    return max(rows, key=len) if rows else None


def includes_of(files):
    graph = {}
    for file in files:
        name = file.relative_to(SOURCE).as_posix()
        graph[name] = INCLUDE.findall(file.read_text())
    return graph


def cycles(graph):
    """Strongly connected components of more than one node (iterative Tarjan)."""
    index, low, on_stack, stack, found = {}, {}, set(), [], []
    for root in graph:
        if root in index:
            continue
        work = [(root, iter(graph[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, rest = work[-1]
            for successor in rest:
                if successor not in graph:
                    continue
                if successor not in index:
                    index[successor] = low[successor] = len(index)
                    stack.append(successor)
                    on_stack.add(successor)
                    work.append((successor, iter(graph[successor])))
                    break
                if successor in on_stack:
                    low[node] = min(low[node], index[successor])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component = []
                    while True:
                        top = stack.pop()
                        on_stack.discard(top)
                        component.append(top)
                        if top == node:
                            break
                    if len(component) > 1:
                        found.append(sorted(component))
    return found


def check(graph):
    problems = []
    folders = {}
    for name, targets in graph.items():
        own = folder_of(name)
        if own is None:
            problems.append(f"{name}: its folder is not in the table of layers")
            continue
        for target in targets:
            if target.startswith("gen/") or not (SOURCE / target).exists():
                continue
            other = folder_of(target)
            if other != own:
                folders.setdefault(own, set()).add(other)
                if other not in LAYERS[own]:
                    problems.append(f"{name} includes {target}: {own} may not include {other}")
        header = name[:-4] + ".h" if name.endswith(".cpp") else None
        if header in graph and targets and targets[0] != header:
            problems.append(f"{name}: its own header is not its first include")
    problems += [f"file cycle: {' -> '.join(c)}" for c in cycles(graph)]
    problems += [f"folder cycle: {' -> '.join(c)}" for c in cycles({k: sorted(v) for k, v in folders.items()})]
    return problems


def print_sizes(files):
    by_folder = {}
    for file in files:
        lines = file.read_text().count("\n")
        by_folder.setdefault(folder_of(file.relative_to(SOURCE).as_posix()) or "?", []).append((lines, file))
    print(f"{'folder':20} {'files':>6} {'lines':>7} {'median':>7} {'p90':>6} {'max':>6}")
    for folder, rows in by_folder.items():
        sizes = sorted(n for n, _ in rows)
        p90 = sizes[min(len(sizes) - 1, int(0.9 * len(sizes)))]
        print(f"{folder:20} {len(sizes):6} {sum(sizes):7} {int(statistics.median(sizes)):7} {p90:6} {sizes[-1]:6}")
    return [f"{f.relative_to(ROOT)}: {n} lines (at most {LIMIT})" for rows in by_folder.values() for n, f in rows
            if n > LIMIT]


def main():
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    files = sorted(p for p in SOURCE.rglob("*") if p.suffix in (".h", ".hpp", ".cpp", ".cuh"))
    graph = includes_of(files)
    problems = print_sizes(files) + check(graph)
    for problem in problems:
        print("violation:", problem)
    print(f"{len(files)} files, {len(problems)} violations")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
