#!/usr/bin/env python3
"""Plans in torch's memory on torch's stream, beside torch.compile(mode="reduce-overhead") of torchvision's network of that name.

    bench/cuda_networks.py [--alone] libplanish_runtime.so NAME[.SUFFIX].plan[@SIZES] …      for instance resnet50.b128.plan

--alone: without torch.compile. SIZES: the dynamic extents of the inputs, as in rrdbnet_x4.plan@1x128x192.

Minima of executions, each waited for; milliseconds, fp16 both (plans of `planish build --device cuda --fp16`).
"""
import sys
from pathlib import Path

import torch

from cuda_torch import Execution, Planish, least_ms


def compiled_ms(name, shape):
    """Of torchvision's network with random weights; nothing where there is none."""
    try:
        import torchvision
        model = getattr(torchvision.models, name)(weights=None)
    except (ImportError, AttributeError):
        return None
    model = model.cuda().half().eval().to(memory_format=torch.channels_last)
    x = torch.randn(shape, device="cuda", dtype=torch.half).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        run = torch.compile(model, mode="reduce-overhead")
        for _ in range(5):
            run(x)
        return least_ms(lambda: run(x))


def main(*arguments):
    library, *plans = [argument for argument in arguments if argument != "--alone"]
    alone = "--alone" in arguments
    planish = Planish(library)
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}\n{'plan':28}{'planish':>9}{'torch.compile':>15}{'ratio':>8}")
    for argument in plans:
        plan, _, sizes = argument.partition("@")
        execution = Execution(planish, plan)
        execution.bind(execution.tensors("cuda", sizes=[int(size) for size in sizes.split("x") if size]))
        stream = execution.adopt(torch.cuda.default_stream())
        execution.enqueue(stream)
        own = least_ms(lambda: execution.enqueue(stream))
        shape = [extent for _, is_input, _, extent in execution.names if is_input][0]
        other = compiled_ms(Path(plan).name.split(".")[0], shape) if len(shape) == 4 and not alone else None
        print(f"{Path(plan).stem + (f'@{sizes}' if sizes else ''):28}{own:9.3f}" + (f"{other:15.3f}{other / own:8.2f}" if other else ""), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
