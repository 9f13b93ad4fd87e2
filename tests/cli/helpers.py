"""What the tests of the command line share."""
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "errors"), str(TESTS / "support")]
import programs  # noqa: E402


def program_from(description):
    return programs.program_from("planish", description)


def planish(program, folder, *words, **how):
    return subprocess.run([program, *words], cwd=folder, capture_output=True, text=True, timeout=120, **how)


def expect(condition, result):
    if not condition:
        sys.exit(f"unexpected: exit status {result.returncode}: {' '.join(map(str, result.args))}\n{result.stdout}{result.stderr}")
