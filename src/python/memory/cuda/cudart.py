"""Where cuda-python had the runtime's functions before version 12.6."""
from cuda.bindings.runtime import *  # noqa: F401,F403
