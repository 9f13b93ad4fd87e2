#include "runtime/ready_steps.h"

#include <algorithm>

namespace planish {
namespace {

constexpr size_t kMostShapes = 8, kMostRecordings = 4;

// One past the last of the launches that begin at `begin`; copies that are nothing do not part them.
size_t end_of_launches(const std::vector<PreparedStep>& steps, size_t begin) {
  size_t end = begin;
  while (end < steps.size() && !steps[end].late && (steps[end].launch != nullptr || is_in_place(steps[end]))) ++end;
  return end;
}

// A recording for this memory. The one that was not used for longest gives its pieces, which are then `stale`.
ReadySteps::Recording& recording_for(ReadySteps& ready, const std::vector<std::byte*>& in_place, bool& stale) {
  auto& all = ready.recordings;
  const auto at = std::find_if(all.begin(), all.end(),
                               [&](const ReadySteps::Recording& recording) { return recording.in_place == in_place; });
  stale = at == all.end();
  if (stale && all.size() < kMostRecordings)
    all.emplace_front();
  else
    all.splice(all.begin(), all, stale ? std::prev(all.end()) : at);
  if (stale) all.front().in_place.clear();  // until its pieces are there
  return all.front();
}

}  // namespace

ReadySteps* ReadyShapes::find(const SymbolValues& shapes) {
  const auto at = std::find_if(all_.begin(), all_.end(), [&](const ReadySteps& one) { return one.shapes == shapes; });
  if (at == all_.end()) return nullptr;
  all_.splice(all_.begin(), all_, at);
  return &all_.front();
}

ReadySteps& ReadyShapes::add(ReadySteps ready) {
  if (all_.size() == kMostShapes) all_.pop_back();
  all_.push_front(std::move(ready));
  return all_.front();
}

// What a recorded launch reaches is a constant, in the context's memory, or in that of `in_place`: it holds for as long
// as shapes and bindings do.
void execute_queued(ReadySteps& ready, const std::vector<std::byte*>& in_place, const Execution& execution,
                    bool record) {
  std::vector<PreparedStep>& steps = ready.steps;
  const std::span<PreparedStep> all(steps);
  Accelerator& accelerator = *execution.device.accelerator();
  if (!record || accelerator.is_recording(*execution.stream)) return planish::execute(all, execution);
  bool stale = false;
  ReadySteps::Recording& recording = recording_for(ready, in_place, stale);
  size_t piece = 0;
  for (size_t begin = 0; begin < steps.size();) {
    const size_t end = end_of_launches(steps, begin);
    if (end == begin) {
      planish::execute(all.subspan(begin++, 1), execution);
      continue;
    }
    const auto work = [&](Stream& stream) {
      Execution there = execution;
      there.stream = &stream;
      planish::execute(all.subspan(begin, end - begin), there);
    };
    if (piece == recording.pieces.size())
      recording.pieces.push_back(accelerator.record(work));
    else if (stale)
      recording.pieces[piece]->replace(work);
    recording.pieces[piece++]->submit(*execution.stream);
    if (execution.queued != nullptr) *execution.queued = true;
    begin = end;
  }
  recording.pieces.resize(piece);
  if (stale) recording.in_place = in_place;
}

}  // namespace planish
