#include "runtime/prepared.h"

namespace planish {

void execute_plugin(PreparedStep& step, const Execution& execution) {
  PluginCall call;
  call.inputs = step.inputs;
  call.outputs = step.outputs;
  call.workspace = step.workspace;
  call.pool = &execution.pool;
  step.plugin->run(call);
}

}  // namespace planish
