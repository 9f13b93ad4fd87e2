#pragma once
// fmt, compiled once into `base` (format.cpp): no shared library is needed where a plan is deployed.
#include <fmt/core.h>
