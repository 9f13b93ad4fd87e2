#pragma once
// Steps made ready for one tuple of shapes; of launches, what was recorded, to be submitted as one piece.

#include <list>
#include <memory>
#include <span>
#include <vector>

#include "device/accelerator.h"
#include "runtime/prepared.h"

namespace planish {

struct ReadySteps {
  SymbolValues shapes;
  std::vector<PreparedStep> steps;
  std::vector<const void*> placed;  // the addresses of bindings that the steps have; empty: none yet

  // Runs of launches, for the memory that bindings have on the accelerator (null: they are copied).
  struct Recording {
    std::vector<std::byte*> in_place;
    std::vector<std::unique_ptr<RecordedWork>> pieces;
  };
  std::list<Recording> recordings;  // the latest used first
};

// The latest used of them, to a bound.
class ReadyShapes {
 public:
  ReadySteps* find(const SymbolValues& shapes);  // null: none
  ReadySteps& add(ReadySteps ready);

 private:
  std::list<ReadySteps> all_;  // the latest used first
};

// Runs the steps on an accelerator's stream. `record`: false where steps are timed or observed.
void execute_queued(ReadySteps& ready, const std::vector<std::byte*>& in_place, const Execution& execution,
                    bool record);

}  // namespace planish
