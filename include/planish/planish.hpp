// The C++ interface of Planish: build a network, run the plan. Link planish (CMake: planish::planish).
//
//   const planish::Plan plan = planish::build("model.onnx");
//   planish::Engine engine(plan);                 // or Engine("model.plan")
//   planish::Context context(engine);
//   context.bind("input", picture);               // contiguous memory, dense, row-major
//   context.bind("scores", scores);
//   context.run();
//
// Functions throw planish::Error. The headers are inline code over the C interface (planish.h, planish_build.h), so
// the library and the program may come from different C++ compilers. C++20; nothing but the standard library.
#pragma once

#include "planish/build.hpp"
#include "planish/layers.hpp"
#include "planish/network.hpp"
#include "planish/runtime.hpp"
#include "planish/timings.hpp"
