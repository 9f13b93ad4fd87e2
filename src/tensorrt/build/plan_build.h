#pragma once
// From a network to the bytes of a plan, the first time and when weights have changed.

#include <string>
#include <string_view>

#include "planish/planish.hpp"
#include "tensorrt/runtime/memory.h"
#include "tensorrt/runtime/refit_record.h"

namespace planish::tensorrt {

// `cache`: bytes of a timing cache, read and replaced; null: none.
Blob build_plan(const Network& network, BuildOptions options, std::string* cache);

// What of the options decides what is built.
std::string pack(const BuildOptions& options);
BuildOptions unpack(std::string_view bytes);

// A plan that can be given other weights. The record comes with the names of weights and a timing cache, which is
// filled.
Blob build_refittable(const Network& network, const BuildOptions& options, RefitRecord& record);

// A refittable plan without the weights that can be given.
Blob stripped(const Blob& plan);

}  // namespace planish::tensorrt
