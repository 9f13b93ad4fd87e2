#!/usr/bin/env python3
"""Every function that the header declares is exported under CUDA's version, and nothing else is but what nvcc's code calls."""
import re
import subprocess
import sys

library, header = sys.argv[1:]
text = open(header).read()
renamed = dict(re.findall(r"#define (cuda\w+) (cuda\w+_v\d)", text))
declared = {renamed.get(name, name) for name in re.findall(r"CUDARTAPI (cuda\w+)\(", text)}
symbols = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True).stdout
rows = [line.split()[-1] for line in symbols.splitlines() if " T " in line or " W " in line]
exported = {row.split("@")[0] for row in rows}
other = {name for name in exported if not name.startswith("__cuda")} - declared - {"planish_cudart_interface"}
unversioned = [row for row in rows if not row.endswith("@@libcudart.so.12")]
problems = [f"declared, not exported: {n}" for n in sorted(declared - exported)]
problems += [f"exported, not declared: {n}" for n in sorted(other)] + [f"no version: {n}" for n in unversioned]
print("\n".join(problems) or f"{len(declared)} functions")
sys.exit(bool(problems) or len(declared) < 100)
