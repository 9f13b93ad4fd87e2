#!/usr/bin/env python3
"""Plans for every level are written on any machine; one that this machine lacks is refused by name when it is run."""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PLANISH = Path(sys.argv[1]).resolve()
MODEL = Path(__file__).resolve().parent.parent.parent / "demo" / "digits.onnx"
AVX2 = ["avx2", "fma", "f16c"]
AVX512 = [*AVX2, "avx512f", "avx512bw", "avx512vl", "avx512dq"]
NEEDS = {"scalar": [], "avx2": AVX2, "avx2_vnni": [*AVX2, "avx_vnni"], "avx512": AVX512, "avx512_vnni": [*AVX512, "avx512_vnni"],
         "amx": [*AVX512, "avx512_vnni", "avx512_bf16", "amx_tile", "amx_int8", "amx_bf16"]}


def planish(*arguments):
    return subprocess.run([PLANISH, *map(str, arguments)], capture_output=True, text=True, check=False)


def cpu_flags():
    return set(re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.M).group(1).split())


def check(condition, what):
    if not condition:
        sys.exit(what)


with tempfile.TemporaryDirectory() as folder:
    for level, needs in NEEDS.items():
        plan = Path(folder) / f"{level}.plan"
        built = planish("build", MODEL, "-o", plan, "--target", level, "--tune", "off")
        check(built.returncode == 0 and plan.exists(), f"{level}: {built.returncode} {built.stderr}")
        ran = planish("run", plan)
        missing = [name for name in needs if name not in cpu_flags()]
        if not missing:
            check(ran.returncode == 0, f"{level} plan: {ran.stderr}")
            continue
        sentence = f"lacks {', '.join(missing)}; rebuild it here, or with: planish build MODEL --target "
        check(ran.returncode == 1 and sentence in ran.stderr, f"{level} plan: {ran.returncode} {ran.stderr}")
        check(len(ran.stderr.strip().splitlines()) == 1, ran.stderr)
