"""What programs of the runtime take of the driver's interface: its errors, and that it can be begun."""
import enum

from cuda.bindings import runtime as _runtime


class CUresult(enum.IntEnum):
    CUDA_SUCCESS = 0
    CUDA_ERROR_INVALID_VALUE = 1
    CUDA_ERROR_OUT_OF_MEMORY = 2
    CUDA_ERROR_NOT_INITIALIZED = 3
    CUDA_ERROR_NO_DEVICE = 100
    CUDA_ERROR_INVALID_DEVICE = 101
    CUDA_ERROR_UNKNOWN = 999


def cuInit(flags):
    return (CUresult.CUDA_SUCCESS,)


def cuDeviceGetCount():
    error, count = _runtime.cudaGetDeviceCount()
    return (CUresult.CUDA_SUCCESS if error == 0 else CUresult.CUDA_ERROR_NO_DEVICE), count


def cuDeviceGet(ordinal):
    return CUresult.CUDA_SUCCESS, int(ordinal)


def cuGetErrorName(error):
    return CUresult.CUDA_SUCCESS, CUresult(error).name.encode()


def cuGetErrorString(error):
    return cuGetErrorName(error)


def cuCtxCreate(*arguments):
    """The device's one context; arguments as any version of the driver has them, the device last."""
    error, = _runtime.cudaSetDevice(arguments[-1])
    return (CUresult.CUDA_SUCCESS if error == 0 else CUresult.CUDA_ERROR_INVALID_DEVICE), 1


def cuCtxSetCurrent(context):
    return (CUresult.CUDA_SUCCESS,)


def cuCtxDestroy(context):
    return (CUresult.CUDA_SUCCESS,)


CUdevice = int
CUcontext = int
CUdeviceptr = int
CUstream = _runtime.cudaStream_t


def _result(error):
    """A runtime's error as the driver says it: the numbers are the same."""
    try:
        return CUresult(int(error))
    except ValueError:
        return CUresult.CUDA_ERROR_UNKNOWN


def cuDriverGetVersion():
    error, version = _runtime.cudaRuntimeGetVersion()
    return _result(error), version


def cuCtxSynchronize():
    return (_result(_runtime.cudaDeviceSynchronize()[0]),)


def cuMemAlloc(size):
    error, memory = _runtime.cudaMalloc(size)
    return _result(error), memory


def cuMemFree(memory):
    return (_result(_runtime.cudaFree(memory)[0]),)


def cuMemcpyHtoD(destination, source, count):
    return (_result(_runtime.cudaMemcpy(destination, source, count, 1)[0]),)


def cuMemcpyDtoH(destination, source, count):
    return (_result(_runtime.cudaMemcpy(destination, source, count, 2)[0]),)


def cuMemcpyHtoDAsync(destination, source, count, stream):
    return (_result(_runtime.cudaMemcpyAsync(destination, source, count, 1, stream)[0]),)


def cuMemcpyDtoHAsync(destination, source, count, stream):
    return (_result(_runtime.cudaMemcpyAsync(destination, source, count, 2, stream)[0]),)


def cuStreamCreate(flags):
    error, stream = _runtime.cudaStreamCreateWithFlags(flags)
    return _result(error), stream


def cuStreamSynchronize(stream):
    return (_result(_runtime.cudaStreamSynchronize(stream)[0]),)


def cuStreamDestroy(stream):
    return (_result(_runtime.cudaStreamDestroy(stream)[0]),)
