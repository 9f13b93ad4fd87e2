// Everything that running a plan takes. Link planish_runtime (CMake: planish::runtime).
#pragma once

#include "planish/context.hpp"
#include "planish/device.hpp"
#include "planish/engine.hpp"
#include "planish/error.hpp"
#include "planish/plugin.hpp"
#include "planish/types.hpp"
