#include "runtime/queue.h"

#include <algorithm>

namespace planish {
namespace {

constexpr size_t kMostRecordings = 8;

// One past the last of the launches that begin at `begin`.
size_t end_of_launches(const std::vector<PreparedStep>& steps, size_t begin) {
  size_t end = begin;
  while (end < steps.size() && steps[end].launch != nullptr && !steps[end].late) ++end;
  return end;
}

}  // namespace

QueuedSteps::Recording& QueuedSteps::recording_for(const SymbolValues& shapes) {
  const auto at = std::find_if(recordings_.begin(), recordings_.end(),
                               [&](const Recording& recording) { return recording.shapes == shapes; });
  if (at != recordings_.end()) {
    recordings_.splice(recordings_.begin(), recordings_, at);
  } else {
    if (recordings_.size() == kMostRecordings) recordings_.pop_back();
    recordings_.push_front({shapes, {}});
  }
  return recordings_.front();
}

// What a recorded launch reaches lies in the context's memory or is a constant: it holds for as long as the shapes do.
void QueuedSteps::execute(std::vector<PreparedStep>& steps, const SymbolValues& shapes, const Execution& execution,
                          bool record) {
  const std::span<PreparedStep> all(steps);
  Accelerator& accelerator = *execution.device.accelerator();
  if (!record || accelerator.is_recording(*execution.stream)) return planish::execute(all, execution);
  Recording& recording = recording_for(shapes);
  size_t piece = 0;
  for (size_t begin = 0; begin < steps.size();) {
    const size_t end = end_of_launches(steps, begin);
    if (end == begin) {
      planish::execute(all.subspan(begin++, 1), execution);
      continue;
    }
    if (piece == recording.pieces.size())
      recording.pieces.push_back(
          accelerator.record(*execution.stream, [&] { planish::execute(all.subspan(begin, end - begin), execution); }));
    recording.pieces[piece++]->submit(*execution.stream);
    begin = end;
  }
}

}  // namespace planish
