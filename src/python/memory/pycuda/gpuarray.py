"""Arrays in memory of the device: made, copied and passed on by address. Arithmetic needs kernels, which are not here."""
import numpy

import pycuda.driver as _driver


class GPUArray:
    def __init__(self, shape, dtype, allocator=_driver.mem_alloc, base=None, gpudata=None):
        self.shape = (int(shape),) if isinstance(shape, (int, numpy.integer)) else tuple(int(extent) for extent in shape)
        self.dtype = numpy.dtype(dtype)
        self.size = int(numpy.prod(self.shape, dtype=numpy.int64))
        self.nbytes = self.mem_size = self.size * self.dtype.itemsize
        self.base = base
        self.allocator = allocator
        self.gpudata = allocator(max(1, self.nbytes)) if gpudata is None else gpudata

    @property
    def ptr(self):
        return int(self.gpudata)

    @property
    def ndim(self):
        return len(self.shape)

    def __len__(self):
        return self.shape[0]

    def _fits(self, array):
        if array.size != self.size or array.dtype != self.dtype:
            raise ValueError(f"an array of {array.size} {array.dtype}, {self.size} {self.dtype} are accepted")
        return array

    def set(self, array):
        if self.nbytes:
            _driver.memcpy_htod(self.gpudata, numpy.ascontiguousarray(self._fits(array)))

    def set_async(self, array, stream=None):
        if self.nbytes:
            if not array.flags.c_contiguous:
                raise ValueError("the array is not contiguous, so that its copy would end before it was read")
            _driver.memcpy_htod_async(self.gpudata, self._fits(array), stream)

    def get(self, ary=None):
        array = numpy.empty(self.shape, self.dtype) if ary is None else self._fits(ary)
        if self.nbytes:
            _driver.memcpy_dtoh(array, self.gpudata)
        return array

    def get_async(self, stream=None, ary=None):
        array = _driver.pagelocked_empty(self.shape, self.dtype) if ary is None else self._fits(ary)
        if self.nbytes:
            _driver.memcpy_dtoh_async(array, self.gpudata, stream)
        return array

    def reshape(self, *shape):
        shape = shape[0] if len(shape) == 1 and not isinstance(shape[0], (int, numpy.integer)) else shape
        known = numpy.empty(0, numpy.int8) if self.size == 0 else numpy.broadcast_to(numpy.int8(0), self.size)
        return GPUArray(known.reshape(shape).shape, self.dtype, self.allocator, base=self, gpudata=self.gpudata)

    def ravel(self):
        return self.reshape(self.size)

    def copy(self):
        other = GPUArray(self.shape, self.dtype, self.allocator)
        if self.nbytes:
            _driver.memcpy_dtod(other.gpudata, self.gpudata, self.nbytes)
        return other

    def fill(self, value, stream=None):
        if stream is not None:
            stream.synchronize()
        self.set(numpy.full(self.shape, value, self.dtype))
        return self


def empty(shape, dtype, allocator=_driver.mem_alloc, order="C"):
    if order != "C":
        raise ValueError(f"arrays of order '{order}'; 'C' is accepted")
    return GPUArray(shape, dtype, allocator)


def zeros(shape, dtype=numpy.float64, allocator=_driver.mem_alloc, order="C"):
    return empty(shape, dtype, allocator, order).fill(0)


def empty_like(other):
    return GPUArray(other.shape, other.dtype)


def zeros_like(other):
    return empty_like(other).fill(0)


def to_gpu(ary, allocator=_driver.mem_alloc):
    array = GPUArray(ary.shape, ary.dtype, allocator)
    array.set(ary)
    return array


def to_gpu_async(ary, allocator=_driver.mem_alloc, stream=None):
    array = GPUArray(ary.shape, ary.dtype, allocator)
    array.set_async(ary, stream)
    return array
