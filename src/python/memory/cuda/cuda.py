"""Where cuda-python had the driver's functions before version 12.6."""
from cuda.bindings.driver import *  # noqa: F401,F403
