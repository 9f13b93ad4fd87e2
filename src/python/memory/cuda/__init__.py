"""Memory, streams and events of the CUDA runtime for programs of cuda-python, where there is no such package.

The functions are those of the runtime library that comes with this implementation: on a machine without a GPU,
"device" memory is memory of the process.
"""
