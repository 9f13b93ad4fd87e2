"""Where cuda-python had the compiler before version 12.6."""
from cuda.bindings.nvrtc import *  # noqa: F401,F403
