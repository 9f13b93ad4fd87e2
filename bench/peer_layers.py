"""Layers of planish beside those of a peer: which nodes of the model each stands for decides what is compared.

Both fuse, but not the same nodes: steps of both that share a node are one group; times of a group are sums.
"""
import re

# What ONNX Runtime adds to the name of a node when it rewrites it.
SUFFIX = re.compile(r"(_nchwc|_nhwc|_fused|/[A-Z]\w*Fusion/?|_token_\d+|_DQ_\d+|_quant)+$")


def producers_of(path):
    """The node that makes each value: ONNX Runtime names blocked layers after their results."""
    import onnx
    return {value: node.name for node in onnx.load(str(path), load_external_data=False).graph.node for value in node.output}


def plain(name, producers):
    name = SUFFIX.sub("", name)
    return producers.get(name, name)


class Groups:
    """Sets of things that share something, merged as they come (union-find)."""

    def __init__(self):
        self.parent = {}

    def find(self, key):
        self.parent.setdefault(key, key)
        while self.parent[key] != key:
            self.parent[key] = key = self.parent[self.parent[key]]
        return key

    def join(self, a, b):
        self.parent[self.find(a)] = self.find(b)


def grouped(own, theirs, producers):
    """Lists of (own steps, their steps), those without a counterpart last."""
    groups, steps = Groups(), {}
    for side, rows in enumerate((own, theirs)):
        for at, row in enumerate(rows):
            steps[(side, at)] = row
            for origin in row["origins"] or [row["name"]]:
                groups.join((side, at), ("node", plain(origin, producers)))
    sides = {}
    for (side, at), row in steps.items():
        sides.setdefault(groups.find((side, at)), ([], []))[side].append(row)
    return list(sides.values())


def total(rows):
    return sum(row["ms"] for row in rows)


def words(rows, key):
    names = sorted({row[key].split("[")[0] for row in rows})
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def by_kind(rows, key):
    sums = {}
    for row in rows:
        sums[row[key]] = sums.get(row[key], 0) + row["ms"]
    return sorted(sums.items(), key=lambda item: -item[1])


def show(title, own, label, theirs, producers, count):
    rows = sorted(grouped(own, theirs, producers), key=lambda pair: total(pair[1]) - total(pair[0]))
    print(f"\n{title}: planish {total(own):.3f} ms in {len(own)} steps, {label} {total(theirs):.3f} ms in {len(theirs)}; the largest loss first")
    print(f"{'planish':>9} {'peer':>9} {'loss':>9}  {'our kernels':28} {'theirs':40} layer")
    for ours, peer in rows[:count]:
        name = (ours or peer)[0]["name"]
        print(f"{total(ours):9.4f} {total(peer):9.4f} {total(ours) - total(peer):9.4f}  {words(ours, 'kernel')[:28]:28} {words(peer, 'op')[:40]:40} {name[:80]}")
    print("by kernel: " + ", ".join(f"{name} {ms:.3f}" for name, ms in by_kind(own, "kernel")[:12]))
    print(f"{label}: " + ", ".join(f"{name} {ms:.3f}" for name, ms in by_kind(theirs, "op")[:12]))
