#pragma once
// How far a build is: a bar on a terminal, plain lines elsewhere. On standard error.

#include "compile/build.h"

namespace planish::cli {

// For BuildOptions::progress; never cancels.
bool show_progress(const BuildProgress& progress);

// Takes the bar off the terminal, before something else is printed there.
void clear_progress();

}  // namespace planish::cli
