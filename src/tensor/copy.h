#pragma once
// copy_view by all threads of a pool, where there is enough to do.

#include "base/thread_pool.h"
#include "tensor/view.h"

namespace planish {

void copy_view(const TensorView& source, const TensorView& destination, ThreadPool& pool);

}  // namespace planish
