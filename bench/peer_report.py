"""Rows of peers.py as a table, a JSON file and a plot."""
import json
import math
import os
from pathlib import Path
from xml.sax.saxutils import escape

import machine as this_machine

HEAD = f"{'':34} {'planish':^28} {'best peer':^45}\n" \
       f"{'model':26} {'class':5} {'T':>1} {'min':>9} {'p10':>9} {'median':>9} {'min':>9} {'p10':>9} {'median':>9}  {'':16} {'ratio':>5} " \
       f"{'median':>6} {'GFLOP/s':>8} {'of peak':>7} {'cold ms':>13} {'RSS MB':>11}"


def same_class(row):
    """Peers that compute as ours does: what a peer does when it is free to choose stands beside, and decides no ratio."""
    alone = {k: v for k, v in row["engines"].items() if k != "planish"}
    return {k: v for k, v in alone.items() if not (row["precision"] == "fp32" and k.endswith("default"))}


def best_peer(row):
    peers = same_class(row)
    return min(peers, key=lambda label: peers[label]["min_ms"]) if peers else None


def ratio(row, key="min_ms"):
    """The best peer's time over ours, or None where no peer runs the model."""
    peers = same_class(row)
    return min(p[key] for p in peers.values()) / row["engines"]["planish"][key] if peers else None


def times_text(result):
    return " ".join(f"{result[key]:9.3f}" for key in ("min_ms", "p10_ms", "median_ms"))


def row_text(row):
    own, label = row["engines"]["planish"], best_peer(row)
    peer = row["engines"].get(label)
    gflops = row["flops"] / own["min_ms"] * 1e-6
    mark = "*" if row["others_busy"] > this_machine.LOADED else " "
    text = f"{row['model'][:25]:25}{mark} {row['precision']:5} {row['threads']} {times_text(own)} "
    if peer is None:
        return text + f"no peer: {'; '.join(f'{k}: {v}' for k, v in row['refused'].items())[:120]}"
    text += f"{times_text(peer)}  {label:16} {ratio(row):5.2f} {ratio(row, 'median_ms'):6.2f} {gflops:8.1f} {100 * gflops / row['peak_gflops']:6.1f}% "
    text += f"{own['cold_ms']:6.0f}/{peer['cold_ms']:6.0f} {own['rss_mb']:5.0f}/{peer['rss_mb']:5.0f}"
    others = [f"{k} {v['min_ms']:.3f}" for k, v in row["engines"].items() if k not in ("planish", label)]
    others += [f"{k} refused" for k in row["refused"]]
    return text + ("  " + ", ".join(others) if others else "")


def geometric_mean(values):
    return math.exp(sum(math.log(v) for v in values) / len(values))


def key_of(row):
    return row["model"], row["precision"], row["threads"]


class Report:
    """Rows in a JSON file, which is written after each; rows of one model, class and number of threads replace one another."""

    def __init__(self, path, machine=None):
        self.path = Path(path)
        self.data = json.loads(self.path.read_text()) if self.path.exists() else {"machine": machine, "rows": []}

    def add(self, row):
        row["load_average"] = os.getloadavg()[0]
        self.data["rows"] = [r for r in self.data["rows"] if key_of(r) != key_of(row)] + [row]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(self.data, indent=1) + "\n")
        unfinished.rename(self.path)

    def groups(self):
        """Rows by class and threads, the worst ratio first."""
        groups = {}
        for row in self.data["rows"]:
            groups.setdefault((row["precision"], row["threads"]), []).append(row)
        return {key: sorted(rows, key=lambda r: ratio(r) or 0) for key, rows in sorted(groups.items())}

    def finish(self):
        if not self.data["rows"]:
            print("no rows")
            return
        print(f"\nall rows of {self.path}, the largest loss first\n{HEAD}")
        for rows in self.groups().values():
            print("\n".join(map(row_text, rows)))
        versions = sorted({f"{k} {v['version']}" for row in self.data["rows"] for k, v in row["engines"].items()})
        print("\n" + ", ".join(versions))
        for (precision, threads), rows in self.groups().items():
            for engine in sorted({k for row in rows for k in row["engines"]} - {"planish"}):
                self.print_mean(f"{precision}, {threads} threads, against {engine}", [r["engines"][engine]["min_ms"] / r["engines"]["planish"]["min_ms"]
                                                                                     for r in rows if engine in r["engines"]])
            self.print_mean(f"{precision}, {threads} threads, against the best peer", [ratio(r) for r in rows if ratio(r)])
        self.path.with_suffix(".svg").write_text(plot(self.groups()))
        print(f"{self.path}, {self.path.with_suffix('.svg')}")

    @staticmethod
    def print_mean(what, ratios):
        if ratios:
            print(f"{what:44} geometric mean {geometric_mean(ratios):5.3f}, least {min(ratios):5.2f}, ahead on {sum(r >= 1 for r in ratios)} of {len(ratios)}")


ROW, LEFT, WIDTH = 15, 230, 420  # pixels


def place_of(value):
    """Logarithmic, 1/4 at the left end and 4 at the right one."""
    return LEFT + WIDTH * (0.5 + max(-2.0, min(2.0, math.log2(value))) / 4)


def bar(row, y):
    value = ratio(row)
    x, one = place_of(value), place_of(1)
    color = "#3a7d44" if value >= 1 else "#b3433b"
    name = escape(f"{row['model'][:24]} {row['precision']} {row['threads']}T")
    return f'<text x="{LEFT - 6}" y="{y + 11}" text-anchor="end">{name}</text>' \
           f'<rect x="{min(x, one):.1f}" y="{y + 2}" width="{abs(x - one):.1f}" height="{ROW - 4}" fill="{color}"/>' \
           f'<text x="{LEFT + WIDTH + 6}" y="{y + 11}">{value:.2f} {escape(best_peer(row))}</text>'


def plot(groups):
    """One bar a row: the best peer's time over ours; green is ahead."""
    rows = [row for group in groups.values() for row in group if ratio(row)]
    height = ROW * (len(rows) + 2)
    lines = [f'<line x1="{place_of(v):.1f}" x2="{place_of(v):.1f}" y1="{ROW}" y2="{height - ROW}" stroke="#ccc"/>'
             f'<text x="{place_of(v):.1f}" y="11" text-anchor="middle">{v:g}</text>' for v in (0.25, 0.5, 1, 2, 4)]
    bars = [bar(row, ROW * (i + 1)) for i, row in enumerate(rows)]
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 160}" height="{height}" font-family="sans-serif" font-size="11">\n' \
           '<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(lines + bars) + "\n</svg>\n"
