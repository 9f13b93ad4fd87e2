"""What the tests of trtexec share."""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DIGITS = ROOT / "demo/digits.onnx"
sys.path[:0] = [str(ROOT / "tests/errors"), str(ROOT / "tests/support")]
import programs  # noqa: E402

LINE = re.compile(r"\[\d\d/\d\d/\d{4}-\d\d:\d\d:\d\d\] \[([VIWEF])\] (.*)")
QUICK = ("--duration=0", "--warmUp=0", "--iterations=12")


def program_from(description):
    return programs.program_from("trtexec", description)


class Run:
    """One run of the program: its status, its text, its lines by severity."""

    def __init__(self, program, folder, *words):
        words = [str(w) for w in words]
        result = subprocess.run([program, *words], cwd=folder, capture_output=True, text=True, timeout=240)
        self.words, self.status, self.out, self.err = words, result.returncode, result.stdout, result.stderr
        self.lines = [m.groups() for m in map(LINE.fullmatch, (self.out + self.err).splitlines()) if m]

    def of(self, letter):
        return [text for severity, text in self.lines if severity == letter]

    def expect(self, condition, what):
        if not condition:
            sys.exit(f"{what}: {' '.join(self.words)}: status {self.status}\n{self.out}{self.err}")

    def passed(self):
        self.expect(self.status == 0, "it failed")
        lines = self.out.splitlines()
        self.expect(re.fullmatch(r"&&&& RUNNING TensorRT\.trtexec \[TensorRT v\d+\] # .*", lines[0]), "the first line")
        self.expect(re.fullmatch(r"&&&& PASSED TensorRT\.trtexec \[TensorRT v\d+\] # .*", lines[-1]), "the last line")
        return self

    def failed(self, *sentences):
        self.expect(self.status == 1, "the exit status is not 1")
        self.expect(self.out.splitlines()[-1].startswith("&&&& FAILED TensorRT.trtexec [TensorRT v"), "the last line")
        for sentence in sentences:
            self.expect(any(sentence in line for line in self.of("E")), f"no error line has '{sentence}'")
        return self

    def has(self, *texts):
        for text in texts:
            self.expect(text in self.out, f"'{text}' is missing")
        return self
