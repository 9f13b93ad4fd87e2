"""Device memory, copies, streams and events."""
import numpy

from cuda.bindings import runtime as _runtime


class Error(Exception):
    pass


class LogicError(Error):
    pass


class RuntimeError(Error):  # noqa: A001
    pass


class MemoryError(Error):  # noqa: A001
    pass


class mem_attach_flags:
    GLOBAL = 1
    HOST = 2
    SINGLE = 4


class host_alloc_flags:
    PORTABLE = 1
    DEVICEMAP = 2
    WRITECOMBINED = 4


class ctx_flags:
    SCHED_AUTO = 0
    MAP_HOST = 8


class event_flags:
    DEFAULT = 0
    BLOCKING_SYNC = 1
    DISABLE_TIMING = 2


def _checked(results):
    if results[0] != 0:
        text = _runtime.cudaGetErrorString(results[0])[1].decode()
        raise (MemoryError if results[0] == 2 else LogicError)(text)
    return results[1] if len(results) > 1 else None


class DeviceAllocation:
    """Memory on the device; ends with free() or with its last reference."""

    def __init__(self, size):
        self.size = int(size)
        self._address = _checked(_runtime.cudaMalloc(max(1, self.size)))

    def __int__(self):
        return self._address

    __index__ = __int__

    def __add__(self, offset):
        return self._address + int(offset)

    def as_buffer(self, size, offset=0):
        import ctypes
        return (ctypes.c_char * size).from_address(self._address + offset)

    def free(self):
        if self._address:
            address, self._address = self._address, 0
            _checked(_runtime.cudaFree(address))

    def __del__(self):
        if getattr(self, "_address", 0):
            _runtime.cudaFree(self._address)


class _Pinned:
    """Memory of the host that the runtime gave; arrays over it keep it alive."""

    def __init__(self, size):
        self._address = _checked(_runtime.cudaMallocHost(max(1, size)))
        self.__array_interface__ = {"shape": (size,), "typestr": "|u1", "data": (self._address, False), "version": 3}

    def __del__(self):
        if getattr(self, "_address", 0):
            _runtime.cudaFreeHost(self._address)


class Stream:
    def __init__(self, flags=0):
        self.handle = int(_checked(_runtime.cudaStreamCreateWithFlags(flags)))

    def synchronize(self):
        _checked(_runtime.cudaStreamSynchronize(self.handle))

    def is_done(self):
        return _runtime.cudaStreamQuery(self.handle)[0] == 0

    def wait_for_event(self, event):
        _checked(_runtime.cudaStreamWaitEvent(self.handle, event.handle))

    def __del__(self):
        if getattr(self, "handle", 0):
            _runtime.cudaStreamDestroy(self.handle)


class Event:
    def __init__(self, flags=0):
        self.handle = int(_checked(_runtime.cudaEventCreateWithFlags(flags)))

    def record(self, stream=None):
        _checked(_runtime.cudaEventRecord(self.handle, _handle(stream)))
        return self

    def synchronize(self):
        _checked(_runtime.cudaEventSynchronize(self.handle))
        return self

    def time_till(self, later):
        return _checked(_runtime.cudaEventElapsedTime(self.handle, later.handle))

    def time_since(self, earlier):
        return earlier.time_till(self)

    def __del__(self):
        if getattr(self, "handle", 0):
            _runtime.cudaEventDestroy(self.handle)


class Context:
    """One context serves: what makes it current does nothing."""

    def push(self):
        pass

    @staticmethod
    def pop():
        pass

    def detach(self):
        pass

    @staticmethod
    def get_current():
        return Context()

    @staticmethod
    def get_device():
        return Device(_checked(_runtime.cudaGetDevice()))

    @staticmethod
    def synchronize():
        _checked(_runtime.cudaDeviceSynchronize())


class Device:
    def __init__(self, ordinal):
        self.ordinal = int(ordinal)

    @staticmethod
    def count():
        return _checked(_runtime.cudaGetDeviceCount())

    def make_context(self, flags=0):
        _checked(_runtime.cudaSetDevice(self.ordinal))
        return Context()

    retain_primary_context = make_context

    def total_memory(self):
        return mem_get_info()[1]


def init(flags=0):
    _checked(_runtime.cudaGetDeviceCount())


def mem_get_info():
    error, free, total = _runtime.cudaMemGetInfo()
    _checked((error,))
    return free, total


def mem_alloc(size):
    return DeviceAllocation(size)


def mem_alloc_like(array):
    return DeviceAllocation(array.nbytes)


def to_device(array):
    memory = DeviceAllocation(array.nbytes)
    memcpy_htod(memory, array)
    return memory


def pagelocked_empty(shape, dtype, order="C", mem_flags=0):
    dtype = numpy.dtype(dtype)
    extents = (shape,) if numpy.isscalar(shape) else tuple(int(extent) for extent in shape)
    count = int(numpy.prod(extents, dtype=numpy.int64))
    return numpy.asarray(_Pinned(count * dtype.itemsize)).view(dtype).reshape(extents, order=order)


def pagelocked_zeros(shape, dtype, order="C", mem_flags=0):
    array = pagelocked_empty(shape, dtype, order, mem_flags)
    array[...] = 0
    return array


def pagelocked_empty_like(array, mem_flags=0):
    return pagelocked_empty(array.shape, array.dtype)


managed_empty = pagelocked_empty
managed_zeros = pagelocked_zeros


def _handle(stream):
    return 0 if stream is None else getattr(stream, "handle", stream)


def _whole(array, writable=False):
    """The array's own memory: its address and its size in bytes."""
    array = array if isinstance(array, numpy.ndarray) else numpy.frombuffer(array, dtype=numpy.uint8)
    if not array.flags.c_contiguous and not array.flags.f_contiguous:
        raise ValueError("an array with gaps given; numpy.ascontiguousarray makes one without")
    if writable and not array.flags.writeable:
        raise ValueError("an array given that cannot be written to")
    return array.ctypes.data, array.nbytes


def memcpy_htod(destination, source):
    address, size = _whole(source)
    _checked(_runtime.cudaMemcpy(int(destination), address, size, 1))


def memcpy_htod_async(destination, source, stream=None):
    address, size = _whole(source)
    _checked(_runtime.cudaMemcpyAsync(int(destination), address, size, 1, _handle(stream)))


def memcpy_dtoh(destination, source):
    address, size = _whole(destination, writable=True)
    _checked(_runtime.cudaMemcpy(address, int(source), size, 2))


def memcpy_dtoh_async(destination, source, stream=None):
    address, size = _whole(destination, writable=True)
    _checked(_runtime.cudaMemcpyAsync(address, int(source), size, 2, _handle(stream)))


def memcpy_dtod(destination, source, size):
    _checked(_runtime.cudaMemcpy(int(destination), int(source), size, 3))


def memcpy_dtod_async(destination, source, size, stream=None):
    _checked(_runtime.cudaMemcpyAsync(int(destination), int(source), size, 3, _handle(stream)))


def memset_d8(memory, value, count):
    _checked(_runtime.cudaMemset(int(memory), value, count))
