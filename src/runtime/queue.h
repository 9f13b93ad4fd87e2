#pragma once
// QueuedSteps: runs of launches, recorded once for each tuple of shapes and submitted as one piece.

#include <list>
#include <memory>
#include <span>
#include <vector>

#include "device/accelerator.h"
#include "runtime/prepared.h"

namespace planish {

class QueuedSteps {
 public:
  // Runs the steps of these shapes on an accelerator's stream. `record`: false where steps are timed or observed.
  void execute(std::vector<PreparedStep>& steps, const SymbolValues& shapes, const Execution& execution, bool record);

 private:
  struct Recording {
    SymbolValues shapes;
    std::vector<std::unique_ptr<RecordedWork>> pieces;
  };
  Recording& recording_for(const SymbolValues& shapes);

  std::list<Recording> recordings_;  // the latest used first
};

}  // namespace planish
