"""Builds plans of neural networks and runs them: the interface of TensorRT, majors 7 to 10, in its Python form."""
from functools import reduce as _reduce

from .tensorrt import *  # noqa: F401,F403
from .tensorrt import version as _version

__version__ = _version()


def volume(iterable):
    """The number of elements of a tensor of these extents."""
    return _reduce(lambda product, extent: product * extent, iterable, 1)
