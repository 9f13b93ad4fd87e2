"""Planish: a trained network becomes a plan for the machine in front of you, and runs.

    import planish

    plan = planish.build("model.onnx", {"x": (1, 3, 224, 224)})
    plan.save("model.plan")
    context = planish.Context(planish.Engine("model.plan"))
    scores = context.run(x=picture)["scores"]

Arrays are NumPy's, or anything with DLPack or the buffer protocol; results are NumPy arrays. Errors are planish.Error.
With a plan for a GPU, tensors that lie there (torch's, CuPy's) are read and written in place:

    stream = planish.Stream.adopt(engine, torch.cuda.current_stream())
    context.bind("x", x); context.bind("scores", scores)
    context.enqueue(stream)
"""
from ._planish import (Binding, Context, Device, Engine, Error, Network, Plan, Stream, __version__, build, calibrate, load_plugins)

__all__ = ["Binding", "Context", "Device", "Engine", "Error", "Network", "Plan", "Stream", "build", "calibrate", "load_plugins"]
