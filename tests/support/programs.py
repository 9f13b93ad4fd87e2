"""What the tests in Python share: the program under test, packages that may be missing, a program that answers samples."""
import argparse
import importlib
import subprocess
import sys
from pathlib import Path


def program_from(name, description):
    """The program under test, from this test's command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(name, type=Path)
    program = getattr(parser.parse_args(), name).resolve()
    if not program.is_file():
        parser.error(f"{program}: there is no such file")
    return str(program)


def import_or_skip(names, **modules):
    """Puts each module into `names` as its keyword; where one is missing the test ends, skipped."""
    try:
        names.update({keyword: importlib.import_module(module) for keyword, module in modules.items()})
    except ImportError as error:
        print(f"SKIPPED: {error}; PLANISH_PYTHON names a Python with {', '.join(modules.values())}")
        sys.exit(0)


class Answers:
    """A process that reads samples and answers each: floats in, floats out."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, sample, count):
        import numpy as np
        self.process.stdin.write(np.ascontiguousarray(sample, np.float32).tobytes())
        self.process.stdin.flush()
        return np.frombuffer(self.process.stdout.read(4 * count), np.float32)

    def close(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            raise RuntimeError("it failed")
