#!/usr/bin/env python3
"""bad_input_test.py TRTEXEC: what cannot be done is one sentence, FAILED, and exit status 1; help is help."""
import subprocess
import tempfile
from pathlib import Path

from helpers import DIGITS, QUICK, Run, program_from
from wire import MODELS


def check_help(program, folder):
    run = Run(program, folder, "--help")
    run.expect(run.status == 0 and "PASSED" not in run.out, "help")
    for section in ("Model", "Build", "Inference", "Reporting", "System"):
        run.has(f"=== {section} Options ===\n")
    run.has("  --onnx=<file>", "  --percentile=P1,P2,…", "(refused) ", "(no meaning here) ")
    run.expect(Run(program, folder, "-h").out.splitlines()[1:] == run.out.splitlines()[1:], "-h")
    Run(program, folder).passed().has("=== Model Options ===")


def check_options(program, folder):
    run = Run(program, folder, "--fastest", "--onnx=m.onnx", "--and=1").failed("Unknown option: --fastest", "Unknown option: --and 1",
                                                                              "trtexec --help lists all options")
    run.expect(len(run.of("E")) == 3 and run.of("I") == [], "more than that is said")
    for words, sentence in (
        (["--onnx=nowhere.onnx"], "nowhere.onnx: cannot open: No such file or directory"),
        ([f"--onnx={DIGITS}", "--shapes=image:1x1x8y8"], "'8y8' is no integer"),
        (["--fp16"], "Model missing"),
        ([f"--onnx={DIGITS}", "--uff=a"], "UFF files cannot be read"),
        ([f"--onnx={DIGITS}", "--device=7"], "Cannot find device ID 7!"),
        ([f"--onnx={DIGITS}", "--plugins=nowhere.so"], "nowhere.so: cannot be loaded"),
        ([f"--onnx={DIGITS}", "--plugins=libm.so.6"], "libm.so.6: the library registers no plugins"),
        ([f"--onnx={DIGITS}", "--dynamicPlugins=libz.so.1"], "libz.so.1: the library registers no plugins"),
        ([f"--onnx={DIGITS}", "--int8", "--calib=nowhere.cache"], "nowhere.cache: cannot open"),
        (["--loadEngine=nowhere.plan"], "nowhere.plan: cannot open: No such file or directory"),
        (["--loadEngine=."], ".: it is a folder"),
        (["--deploy=nowhere.prototxt", "--output=prob"], "nowhere.prototxt: cannot open"),
    ):
        Run(program, folder, *words, *QUICK).failed(sentence)


def check_models(program, folder):
    for words, sentence in (
        (["--shapes=picture:1x1x8x8"], 'Cannot find input tensor with name "picture" in the network inputs!'),
        (["--shapes=image:1x3x8x8"], "input 'image' is -1x1x8x8 in the model and is given 1x3x8x8 to 1x3x8x8"),
        (["--shapes=image:1x1x8"], "input 'image' is -1x1x8x8 in the model and is given 1x1x8"),
        (["--loadInputs=picture:a.bin"], "--loadInputs: the engine has no input 'picture'"),
        (["--loadInputs=image:a.bin"], "a.bin: cannot open"),
        (["--inputIOFormats=fp32:chw,fp32:chw"], "The number of inputIOFormats must match number of inputs"),
        (["--saveEngine=no/such/folder/e.plan"], "no/such/folder/e.plan: cannot write: No such file or directory"),
        (["--exportTimes=no/t.json"], "no/t.json: cannot write"),
    ):
        Run(program, folder, f"--onnx={DIGITS}", *words, *QUICK).failed(sentence)
    run = Run(program, folder, f"--onnx={DIGITS}", "--int8", *QUICK).passed().has("FP32 and INT8 precisions have been specified")
    run.expect(any("--int8 without --calib" in line for line in run.of("W")) and not list(folder.glob("*.cache")), "random ranges")
    (folder / "text.onnx").write_text("this is no model")
    Run(program, folder, "--onnx=text.onnx").failed("text.onnx: Failed to parse onnx file")
    (folder / "two.onnx").write_bytes(MODELS["two_inputs"])
    Run(program, folder, "--onnx=two.onnx", "--shapes=x:2x4,z:2x4", *QUICK).passed()
    Run(program, folder, "--onnx=two.onnx", "--optShapes=*:2x4", *QUICK).passed()
    Run(program, folder, "--onnx=two.onnx", "--shapes=x:2x4,z:3x4", *QUICK).failed("")


def check_engines(program, folder):
    Run(program, folder, f"--onnx={DIGITS}", "--saveEngine=e.plan", "--buildOnly").passed()
    whole = (folder / "e.plan").read_bytes()
    changed = bytearray(whole)
    changed[len(changed) // 2] ^= 0xff
    newer = bytearray(whole)
    newer[8] ^= 0x40
    for content in (whole[:1000], bytes(changed), bytes(newer), b"ftrt" + whole[4:], b"", b"#!/bin/sh\n"):
        (folder / "bad.plan").write_bytes(content)
        Run(program, folder, "--loadEngine=bad.plan", *QUICK).failed("bad.plan: Engine deserialization failed")
    Run(program, folder, "--loadEngine=e.plan", "--shapes=other:1x1x8x8", *QUICK).failed(
        "Invalid tensor names found in --shapes flag: the engine has no input 'other'")


def check_full_device(program, folder):
    """Nothing is left of an engine that could not be written."""
    result = subprocess.run(["bash", "-c", f"ulimit -f 1; exec {program} --onnx={DIGITS} --saveEngine=e.plan --buildOnly"], cwd=folder,
                            capture_output=True, text=True, timeout=100)
    if result.returncode == 0 or list(folder.glob("e.plan*")):
        raise SystemExit(f"an engine beyond the limit: {result.returncode}: {list(folder.iterdir())}\n{result.stdout}{result.stderr}")


def main():
    program = program_from(__doc__)
    for check in (check_help, check_options, check_models, check_engines, check_full_device):
        with tempfile.TemporaryDirectory() as folder:
            check(program, Path(folder))


if __name__ == "__main__":
    main()
