"""Importing this module makes the first device current."""
import pycuda.driver as _driver

_driver.init()
device = _driver.Device(0)
context = device.make_context()
