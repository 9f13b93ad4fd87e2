#!/usr/bin/env python3
"""build_test.py TRTEXEC: models become engines, engines are loaded: shapes, profiles, precisions, caches, layer files."""
import json
import tempfile
from pathlib import Path

from helpers import DIGITS, QUICK, Run, program_from


def check_round_trip(program, folder):
    """A dynamic model is built and saved; what is loaded runs any extents of its range, with the same results."""
    ranges = ("--minShapes=image:1x1x8x8", "--optShapes=image:4x1x8x8", "--maxShapes=image:8x1x8x8")
    (folder / "image.bin").write_bytes(bytes(4 * 64 * 4))
    run = Run(program, folder, f"--onnx={DIGITS}", *ranges, "--saveEngine=d.plan", "--exportOutput=built.json",
              "--loadInputs=image:image.bin", *QUICK).passed()
    run.has("Finished parsing network model. Parse time: ", "Created engine with size: ", "Engine built in ", "Engine deserialized in ",
            "Set shape of input tensor image for optimization profile 0 to: MIN=1x1x8x8 OPT=4x1x8x8 MAX=8x1x8x8", "Using values loaded from image.bin for input image")
    run.expect((folder / "d.plan").stat().st_size > 1000, "the engine is small")
    Run(program, folder, "--loadEngine=d.plan", "--shapes=image:4x1x8x8", "--exportOutput=loaded.json", "--loadInputs=image:image.bin",
        *QUICK).passed().has("Loaded engine with size: ")
    built, loaded = (json.loads((folder / name).read_text()) for name in ("built.json", "loaded.json"))
    run.expect(built == loaded and built[0]["name"] == "scores" and built[0]["dimensions"] == "4x10", "outputs differ")
    run.expect(len(built[0]["values"]) == 40 and abs(built[0]["values"][0]) < 100, "values")
    for batch in (1, 7):
        Run(program, folder, "--loadEngine=d.plan", f"--shapes=image:{batch}x1x8x8", "--exportOutput=o.json", *QUICK).passed()
        run.expect(json.loads((folder / "o.json").read_text())[0]["dimensions"] == f"{batch}x10", "extents")
    Run(program, folder, "--loadEngine=d.plan", "--shapes=image:9x1x8x8", *QUICK).failed("input 'image' cannot have the shape 9x1x8x8")
    Run(program, folder, "--loadEngine=d.plan", "--loadInputs=image:image.bin", "--shapes=image:3x1x8x8", *QUICK).failed(
        "image.bin: 1024 bytes; input 'image' is fp32 of 3x1x8x8: 768 bytes")


def check_profiles(program, folder):
    Run(program, folder, f"--onnx={DIGITS}", "--profile=0", "--minShapes=image:1x1x8x8", "--optShapes=image:2x1x8x8",
        "--maxShapes=image:2x1x8x8", "--profile=1", "--minShapes=image:3x1x8x8", "--optShapes=image:3x1x8x8", "--maxShapes=image:5x1x8x8",
        "--saveEngine=p.plan", "--skipInference", "--dumpOptimizationProfile").passed().has(
            "Model input image (profile 1): min=3x1x8x8, opt=3x1x8x8, max=5x1x8x8", "Skipped inference phase")
    Run(program, folder, "--loadEngine=p.plan", "--useProfile=1", "--shapes=image:5x1x8x8", *QUICK).passed()
    Run(program, folder, "--loadEngine=p.plan", "--useProfile=2", *QUICK).failed("exceeds the number of profiles that the engine holds: 2")


def check_no_shapes(program, folder):
    run = Run(program, folder, f"--onnx={DIGITS}", *QUICK).passed()
    run.expect(any("Automatically overriding shape to: 1x1x8x8" in line for line in run.of("W")), "no warning")


def check_layers(program, folder):
    """The file of layers has what tools read: tensors with names, extents and formats that lead from inputs to outputs."""
    run = Run(program, folder, f"--onnx={DIGITS}", "--profilingVerbosity=detailed", "--exportLayerInfo=l.json", "--dumpLayerInfo",
              "--exportProfile=p.json", "--separateProfileRun", *QUICK).passed().has("Layer Information:")
    info, profile = json.loads((folder / "l.json").read_text()), json.loads((folder / "p.json").read_text())
    run.expect(info["Bindings"] == ["image", "scores"], "bindings")
    written = {"image"}
    for layer in info["Layers"]:
        run.expect({"Name", "LayerType", "TacticName", "Inputs", "Outputs"} <= layer.keys(), layer)
        for tensor in layer["Inputs"] + layer["Outputs"]:
            run.expect({"Name", "Dimensions", "Format/Datatype"} <= tensor.keys() and all(d > 0 for d in tensor["Dimensions"]), tensor)
        run.expect(all(t["Name"] in written for t in layer["Inputs"]), f"{layer}: an input that nothing wrote")
        written |= {t["Name"] for t in layer["Outputs"]}
    run.expect("scores" in written, "the output")
    run.expect(any("Weights" in layer and layer["Weights"]["Count"] > 0 for layer in info["Layers"]), "weights")
    run.expect(profile[0]["count"] >= 12, "count")
    run.expect([p["name"] for p in profile[1:]] == [l["Name"] for l in info["Layers"]], "layers of profile and engine")
    run.expect(abs(sum(p["percentage"] for p in profile[1:]) - 100) < 0.1, "percentages")
    for p in profile[1:]:
        run.expect(p.keys() == {"name", "timeMs", "averageMs", "medianMs", "percentage"} and p["timeMs"] >= p["averageMs"] >= 0, p)
    Run(program, folder, f"--onnx={DIGITS}", "--skipInference", "--exportLayerInfo=n.json").passed()
    run.expect(all(isinstance(l, str) for l in json.loads((folder / "n.json").read_text())["Layers"]), "names only")


def check_flags(program, folder):
    run = Run(program, folder, f"--onnx={DIGITS}", "--fp16", "--noTF32", "--bf16", "--timingCacheFile=t.cache", "--buildOnly",
              "--builderOptimizationLevel=0", "--memPoolSize=workspace:64", "--refit", "--layerPrecisions=*:fp32",
              "--precisionConstraints=prefer", "--inputIOFormats=fp32:chw", "--maxAuxStreams=2", "--tacticSources=-CUDNN").passed()
    run.has("Precision: FP32+FP16+BF16 (prefer precision constraints)", "timingCacheMode: global", "to precision fp32")
    for flag in ("--memPoolSize", "--maxAuxStreams", "--tacticSources"):
        run.expect(any(w.startswith(f"{flag} has no meaning here: ") for w in run.of("W")), f"nothing is said of {flag}")
    run.expect((folder / "t.cache").exists(), "the timing cache")
    Run(program, folder, f"--onnx={DIGITS}", "--timingCacheFile=t.cache", "--buildOnly", "--best").passed()
    Run(program, folder, f"--onnx={DIGITS}", "--stronglyTyped", "--buildOnly", "--noBuilderCache").passed()


def check_refit(program, folder):
    """A plan without weights is small, says that it cannot run, and gives what the whole one gives once it has them."""
    (folder / "image.bin").write_bytes(bytes(range(256)))
    given = ("--shapes=image:1x1x8x8", "--loadInputs=image:image.bin", *QUICK)
    Run(program, folder, f"--onnx={DIGITS}", "--saveEngine=whole.plan", "--exportOutput=whole.json", *given).passed()
    run = Run(program, folder, f"--onnx={DIGITS}", "--stripWeights", "--saveEngine=bare.plan", "--skipInference", "--dumpRefit").passed()
    run.has("Strip weights: Enabled", " Kernel")
    run.expect((folder / "bare.plan").stat().st_size < (folder / "whole.plan").stat().st_size, "the plan is not smaller")
    Run(program, folder, "--loadEngine=bare.plan", *given).failed("weights")
    Run(program, folder, "--loadEngine=bare.plan", f"--refitFromOnnx={DIGITS}", "--exportOutput=bare.json", *given).passed().has(
        "Engine successfully refitted from ONNX model")
    run.expect((folder / "bare.json").read_text() == (folder / "whole.json").read_text(), "outputs differ")
    Run(program, folder, "--loadEngine=whole.plan", f"--refitFromOnnx={DIGITS}", *given).failed("--refit")
    Run(program, folder, "--loadEngine=bare.plan", "--refitFromOnnx=nowhere.onnx", *given).failed("nowhere.onnx")


def main():
    program = program_from(__doc__)
    for check in (check_round_trip, check_profiles, check_no_shapes, check_layers, check_flags, check_refit):
        with tempfile.TemporaryDirectory() as folder:
            check(program, Path(folder))


if __name__ == "__main__":
    main()
