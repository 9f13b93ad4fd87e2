"""What the tests of the command line share."""
import argparse
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "errors"))


def program_from(description):
    """The program under test, from this test's command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("planish", type=Path)
    program = parser.parse_args().planish.resolve()
    if not program.is_file():
        parser.error(f"{program}: there is no such file")
    return str(program)


def planish(program, folder, *words, **how):
    return subprocess.run([program, *words], cwd=folder, capture_output=True, text=True, timeout=120, **how)


def expect(condition, result):
    if not condition:
        sys.exit(f"unexpected: exit status {result.returncode}: {' '.join(map(str, result.args))}\n{result.stdout}{result.stderr}")
