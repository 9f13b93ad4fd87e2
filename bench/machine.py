"""What the machine is, and whether someone else is busy on it."""
import os
import re
import time
from pathlib import Path

FEATURES = ("avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "avx_vnni", "amx_tile", "amx_int8", "amx_bf16")
LOADED = 0.15  # of all cores


def cpu_field(name):
    found = re.search(rf"^{name}\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    return found.group(1).strip() if found else "?"


def describe():
    flags = cpu_field("flags").split()
    return {"cpu": cpu_field("model name"), "family": cpu_field("cpu family"), "model": cpu_field("model"),
            "cores": len(os.sched_getaffinity(0)), "features": [f for f in FEATURES if f in flags]}


def slug(machine):
    """For file names: amd-epyc-25-1-2cores."""
    return re.sub(r"[^a-z0-9]+", "-", f"{machine['cpu']} {machine['family']} {machine['model']} {machine['cores']}cores".lower()).strip("-")


def native_half(machine):
    """Whether the processor computes with 16-bit floats: then peers may do so unless they are told otherwise."""
    return any(f in machine["features"] for f in ("avx512_bf16", "avx512_fp16", "amx_bf16"))


def has_tiles(machine):
    return "amx_bf16" in machine["features"]


def ticks():
    """Of all processors since boot: not idle (time that the host took counted), and all."""
    values = [int(v) for v in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(values) - values[3] - values[4], sum(values)


def busy_share(seconds=0.25):
    """Share of the processors that others use while this program sleeps, over `seconds`."""
    busy, total = ticks()
    time.sleep(seconds)
    busy_then, total_then = ticks()
    return (busy_then - busy) / max(1, total_then - total)


def load_text(busy):
    loads = " ".join(f"{value:.2f}" for value in os.getloadavg())
    return f"load average {loads}; others use {100 * busy:.0f} % of the processors now"
