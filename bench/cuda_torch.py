#!/usr/bin/env python3
"""A plan between torch's kernels on a GPU: in torch's memory, on torch's streams, inside of torch's graphs.

    bench/cuda_torch.py libplanish_runtime.so PLAN

Only PyTorch and the C interface are needed. Exit status 1 when a result differs from that of memory of the host.
"""
import ctypes
import sys
import time

import torch


class Planish:
    """The C interface of planish.h; a call that fails raises its sentence."""

    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        self.library.planish_last_error.restype = ctypes.c_char_p

    def __call__(self, name, *arguments):
        if getattr(self.library, "planish_" + name)(*arguments) != 0:
            raise RuntimeError(f"{name}: {self.library.planish_last_error().decode()}")

    def made(self, name, *arguments):
        made = ctypes.c_void_p()
        self(name, *arguments, ctypes.byref(made))
        return made


class BindingInfo(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("name", ctypes.c_char_p), ("type", ctypes.c_char_p), ("is_input", ctypes.c_int32),
                ("dtype", ctypes.c_int32), ("rank", ctypes.c_int32), ("extents", ctypes.c_int64 * 10)]


DTYPES = {1: torch.float32, 3: torch.float16, 4: torch.bfloat16, 5: torch.int8, 6: torch.uint8, 9: torch.int32, 10: torch.uint32, 11: torch.int64}


class Execution:
    """A context of a plan with tensors bound to it."""

    def __init__(self, planish, plan):
        self.planish = planish
        self.engine = planish.made("engine_load", plan.encode(), None)
        self.context = planish.made("context_create", self.engine, None)
        self.names, self.kept = [], {}
        info = BindingInfo()
        for index in range(1 << 10):
            info.struct_size = ctypes.sizeof(info)
            if planish.library.planish_engine_get_binding(self.engine, index, ctypes.byref(info)) != 0:
                break
            self.names.append((info.name.decode(), bool(info.is_input), DTYPES[info.dtype], list(info.extents[:info.rank])))

    def tensors(self, device, pinned=False, sizes=()):
        """`sizes`: what the dynamic extents of each input are, in order; without them 1."""
        made = {}
        for name, is_input, dtype, extents in sorted(self.names, key=lambda binding: not binding[1]):
            if is_input:
                given = iter(sizes)
                shape = [extent if extent >= 0 else next(given, 1) for extent in extents]
                if -1 in extents:
                    self.set_shape(name, shape)
            else:
                counted = ctypes.c_int64()
                self.planish("context_get_bytes", self.context, name.encode(), ctypes.byref(counted))
                shape = [counted.value // torch.empty((), dtype=dtype).element_size()] if -1 in extents else extents
            made[name] = (torch.rand(shape).to(dtype) if is_input else torch.zeros(shape, dtype=dtype)).to(device)
            if pinned:
                made[name] = made[name].pin_memory()
        return made

    def set_shape(self, name, shape):
        self.planish("context_set_shape", self.context, name.encode(), (ctypes.c_int64 * len(shape))(*shape), len(shape))

    def bind(self, tensors):
        for name, is_input, _, extents in self.names:
            if is_input and -1 in extents:
                self.set_shape(name, tensors[name].shape)
        for name, tensor in tensors.items():
            self.planish("context_bind", self.context, name.encode(), ctypes.c_void_p(tensor.data_ptr()), ctypes.c_size_t(tensor.nbytes))
        self.kept = tensors

    def adopt(self, stream):
        return self.planish.made("engine_adopt_stream", self.engine, ctypes.c_void_p(stream.cuda_stream))

    def enqueue(self, stream):
        self.planish("context_enqueue", self.context, stream)


def least_ms(call, runs=200):
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        call()
        torch.cuda.synchronize()
        times.append((time.perf_counter() - begin) * 1e3)
    return min(times)


def main(library, plan):
    planish = Planish(library)
    execution = Execution(planish, plan)
    on_host = execution.tensors("cpu")
    execution.bind(on_host)
    execution.enqueue(None)
    outputs = [name for name, is_input, _, _ in execution.names if not is_input]
    expected = {name: on_host[name].clone() for name in outputs}
    failed = []

    def check(what, tensors, factor=1):
        torch.cuda.synchronize()
        same = all(torch.equal(tensors[name].cpu(), expected[name] * factor) for name in outputs)
        print(f"{what}: {'equal' if same else 'DIFFERENT'}")
        if not same:
            failed.append(what)

    on_gpu = {name: tensor.cuda() for name, tensor in on_host.items()}
    for name in outputs:
        on_gpu[name].zero_()
    execution.bind(on_gpu)
    default = execution.adopt(torch.cuda.default_stream())
    execution.enqueue(default)
    check("torch's memory, default stream", on_gpu)

    side = torch.cuda.Stream()
    adopted = execution.adopt(side)
    inputs = {name: on_gpu[name].clone() for name, is_input, _, _ in execution.names if is_input}
    with torch.cuda.stream(side):  # the input is made, and the result used, on the same stream
        for name, tensor in inputs.items():
            on_gpu[name].zero_()
            torch.cuda._sleep(20_000_000)
            on_gpu[name].copy_(tensor)
        begin = time.perf_counter()
        execution.enqueue(adopted)
        returned = (time.perf_counter() - begin) * 1e6
        doubled = {name: on_gpu[name] * 2 for name in outputs}
    check(f"torch's stream, behind 10 ms of torch's work; enqueue returned after {returned:.0f} us", doubled, 2)

    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=side):
        execution.enqueue(adopted)
        doubled = {name: on_gpu[name] * 2 for name in outputs}
    for name in outputs:
        on_gpu[name].zero_()
    graph.replay()
    check("inside of torch's graph", doubled, 2)

    print(f"in place, on the default stream: {least_ms(lambda: execution.enqueue(default)):.3f} ms")
    print(f"torch's graph replayed:          {least_ms(graph.replay):.3f} ms")
    pinned = execution.tensors("cpu", pinned=True)
    execution.bind(pinned)
    print(f"pinned memory of the host:       {least_ms(lambda: execution.enqueue(default)):.3f} ms")
    execution.bind(on_host)
    print(f"pageable memory of the host:     {least_ms(lambda: execution.enqueue(None)):.3f} ms")
    addresses = [execution.tensors("cuda") for _ in range(12)]
    turn = [0]

    def moved():
        turn[0] += 1
        execution.bind(addresses[turn[0] % len(addresses)])
        execution.enqueue(default)

    print(f"new addresses at every run:      {least_ms(moved):.3f} ms")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
