"""Errors of the compiler of device code, which is not here: programs name them."""
import enum


class nvrtcResult(enum.IntEnum):
    NVRTC_SUCCESS = 0
    NVRTC_ERROR_COMPILATION = 6
    NVRTC_ERROR_INTERNAL_ERROR = 11


def nvrtcGetErrorString(error):
    return nvrtcResult.NVRTC_SUCCESS, nvrtcResult(error).name.encode()
