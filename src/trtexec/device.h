#pragma once
// The device that a run is on.

namespace planish::trtexec {

// Chooses it before anything asks the CUDA runtime, and says in the first lines what it is. Throws Failure where it is
// not there.
void choose_device(int device);

}  // namespace planish::trtexec
