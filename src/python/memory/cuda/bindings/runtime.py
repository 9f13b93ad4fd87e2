"""The runtime's functions: each returns a tuple, the error first."""
import ctypes
import enum
import os
from pathlib import Path


def _load():
    """The library: PLANISH_CUDART_PATH names it, else it lies beside this package's tree."""
    named = os.environ.get("PLANISH_CUDART_PATH")
    if named:
        return ctypes.CDLL(named)
    for parent in Path(__file__).absolute().parents:
        for folder in (parent / "tensorrt", parent / "planish" / "tensorrt"):
            if (folder / "libcudart.so").exists():
                return ctypes.CDLL(str(folder / "libcudart.so"))
    return ctypes.CDLL("libcudart.so")


_library = _load()
_library.cudaGetErrorName.restype = ctypes.c_char_p
_library.cudaGetErrorString.restype = ctypes.c_char_p

# The errors that have names: those that the library says other than it says of a number that is none.
cudaError_t = enum.IntEnum(
    "cudaError_t",
    {name: number for number in range(0, 1000)
     for name in [_library.cudaGetErrorName(number).decode()] if name.startswith("cuda")} | {"cudaErrorUnknown": 999},
)


class cudaMemcpyKind(enum.IntEnum):
    cudaMemcpyHostToHost = 0
    cudaMemcpyHostToDevice = 1
    cudaMemcpyDeviceToHost = 2
    cudaMemcpyDeviceToDevice = 3
    cudaMemcpyDefault = 4


class cudaStreamCaptureMode(enum.IntEnum):
    cudaStreamCaptureModeGlobal = 0
    cudaStreamCaptureModeThreadLocal = 1
    cudaStreamCaptureModeRelaxed = 2


class _Handle(int):
    """An address that is a type of its own."""

    def getPtr(self):
        return int(self)


class cudaStream_t(_Handle):
    pass


class cudaEvent_t(_Handle):
    pass


class cudaGraph_t(_Handle):
    pass


class cudaGraphExec_t(_Handle):
    pass


def _address(value):
    """The address of memory: a number, a pointer, or an object with a buffer or an array."""
    if value is None:
        return ctypes.c_void_p(0)
    if hasattr(value, "__array_interface__"):
        return ctypes.c_void_p(value.__array_interface__["data"][0])
    if hasattr(value, "ctypes"):
        return ctypes.c_void_p(value.ctypes.data)
    if isinstance(value, (bytes, bytearray, memoryview)):
        import numpy
        return ctypes.c_void_p(numpy.frombuffer(value, dtype=numpy.uint8).ctypes.data)
    if isinstance(value, ctypes.c_void_p):
        return value
    return ctypes.c_void_p(int(value))


def _call(name, *arguments):
    return cudaError_t(getattr(_library, name)(*arguments))


def _made(name, kind, *arguments):
    """A call whose first argument is where its result goes."""
    result = ctypes.c_void_p()
    error = _call(name, ctypes.byref(result), *arguments)
    return error, kind(result.value or 0)


def cudaGetErrorName(error):
    return cudaError_t(0), _library.cudaGetErrorName(int(error))


def cudaGetErrorString(error):
    return cudaError_t(0), _library.cudaGetErrorString(int(error))


def cudaGetLastError():
    return (_call("cudaGetLastError"),)


def cudaGetDeviceCount():
    count = ctypes.c_int()
    error = _call("cudaGetDeviceCount", ctypes.byref(count))
    return error, count.value


def cudaGetDevice():
    device = ctypes.c_int()
    error = _call("cudaGetDevice", ctypes.byref(device))
    return error, device.value


def cudaSetDevice(device):
    return (_call("cudaSetDevice", int(device)),)


def cudaDeviceSynchronize():
    return (_call("cudaDeviceSynchronize"),)


def cudaRuntimeGetVersion():
    version = ctypes.c_int()
    error = _call("cudaRuntimeGetVersion", ctypes.byref(version))
    return error, version.value


def cudaMemGetInfo():
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    error = _call("cudaMemGetInfo", ctypes.byref(free), ctypes.byref(total))
    return error, free.value, total.value


def cudaMalloc(size):
    return _made("cudaMalloc", int, ctypes.c_size_t(int(size)))


def cudaMallocAsync(size, stream):
    return _made("cudaMallocAsync", int, ctypes.c_size_t(int(size)), _address(stream))


def cudaMallocManaged(size, flags=1):
    return _made("cudaMallocManaged", int, ctypes.c_size_t(int(size)), ctypes.c_uint(int(flags)))


def cudaMallocHost(size):
    return _made("cudaMallocHost", int, ctypes.c_size_t(int(size)))


def cudaHostAlloc(size, flags=0):
    return _made("cudaHostAlloc", int, ctypes.c_size_t(int(size)), ctypes.c_uint(int(flags)))


def cudaFree(memory):
    return (_call("cudaFree", _address(memory)),)


def cudaFreeAsync(memory, stream):
    return (_call("cudaFreeAsync", _address(memory), _address(stream)),)


def cudaFreeHost(memory):
    return (_call("cudaFreeHost", _address(memory)),)


def cudaMemcpy(destination, source, count, kind):
    return (_call("cudaMemcpy", _address(destination), _address(source), ctypes.c_size_t(int(count)), int(kind)),)


def cudaMemcpyAsync(destination, source, count, kind, stream=None):
    return (_call("cudaMemcpyAsync", _address(destination), _address(source), ctypes.c_size_t(int(count)), int(kind),
                  _address(stream)),)


def cudaMemset(memory, value, count):
    return (_call("cudaMemset", _address(memory), int(value), ctypes.c_size_t(int(count))),)


def cudaMemsetAsync(memory, value, count, stream=None):
    return (_call("cudaMemsetAsync", _address(memory), int(value), ctypes.c_size_t(int(count)), _address(stream)),)


def cudaStreamCreate():
    return _made("cudaStreamCreate", cudaStream_t)


def cudaStreamCreateWithFlags(flags):
    return _made("cudaStreamCreateWithFlags", cudaStream_t, ctypes.c_uint(int(flags)))


def cudaStreamCreateWithPriority(flags, priority):
    return _made("cudaStreamCreateWithPriority", cudaStream_t, ctypes.c_uint(int(flags)), int(priority))


def cudaStreamDestroy(stream):
    return (_call("cudaStreamDestroy", _address(stream)),)


def cudaStreamSynchronize(stream):
    return (_call("cudaStreamSynchronize", _address(stream)),)


def cudaStreamQuery(stream):
    return (_call("cudaStreamQuery", _address(stream)),)


def cudaStreamWaitEvent(stream, event, flags=0):
    return (_call("cudaStreamWaitEvent", _address(stream), _address(event), ctypes.c_uint(int(flags))),)


def cudaEventCreate():
    return _made("cudaEventCreate", cudaEvent_t)


def cudaEventCreateWithFlags(flags):
    return _made("cudaEventCreateWithFlags", cudaEvent_t, ctypes.c_uint(int(flags)))


def cudaEventDestroy(event):
    return (_call("cudaEventDestroy", _address(event)),)


def cudaEventRecord(event, stream=None):
    return (_call("cudaEventRecord", _address(event), _address(stream)),)


def cudaEventSynchronize(event):
    return (_call("cudaEventSynchronize", _address(event)),)


def cudaEventElapsedTime(start, end):
    milliseconds = ctypes.c_float()
    error = _call("cudaEventElapsedTime", ctypes.byref(milliseconds), _address(start), _address(end))
    return error, milliseconds.value


def cudaStreamBeginCapture(stream, mode):
    return (_call("cudaStreamBeginCapture", _address(stream), int(mode)),)


def cudaStreamEndCapture(stream):
    graph = ctypes.c_void_p()
    error = _call("cudaStreamEndCapture", _address(stream), ctypes.byref(graph))
    return error, cudaGraph_t(graph.value or 0)


def cudaGraphInstantiate(graph, flags=0):
    return _made("cudaGraphInstantiate", cudaGraphExec_t, _address(graph), ctypes.c_ulonglong(int(flags)))


def cudaGraphLaunch(graph, stream):
    return (_call("cudaGraphLaunch", _address(graph), _address(stream)),)


def cudaGraphExecDestroy(graph):
    return (_call("cudaGraphExecDestroy", _address(graph)),)


def cudaGraphDestroy(graph):
    return (_call("cudaGraphDestroy", _address(graph)),)
