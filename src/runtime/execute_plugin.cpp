#include "device/accelerator.h"
#include "runtime/prepared.h"

namespace planish {
namespace {

TensorType type_of(const TensorView& view) {
  return view.present() ? TensorType{view.dtype, Shape::of(view.extents())} : TensorType{};
}

std::vector<TensorType> types_of(const std::vector<TensorView>& views) {
  std::vector<TensorType> types;
  for (const TensorView& view : views) types.push_back(type_of(view));
  return types;
}

std::string text_of(const std::vector<TensorType>& types) {
  std::string text;
  for (const TensorType& type : types) text += (text.empty() ? "" : ", ") + type.str();
  return text;
}

bool all_dense(const std::vector<TensorView>& views) {
  for (const TensorView& view : views)
    if (view.present() && !view.is_dense()) return false;
  return true;
}

PluginCall call_of(const PreparedStep& step, ThreadPool& pool) {
  return {step.inputs, step.outputs, step.workspace, &pool, nullptr, step.on_device};
}

}  // namespace

std::unique_ptr<Plugin> make_plugin(const Step& step) {
  const Tensor bytes = step.params.get<Tensor>("bytes");
  return load_plugin(step.kernel, step.version,
                     {reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(bytes.byte_count())});
}

void check_plugin(const PreparedStep& step, ThreadPool& pool, int64_t workspace_bytes) {
  const std::string &plugin = step.step->kernel, &name = step.step->name;
  const auto said = step.plugin->infer(types_of(step.inputs)), planned = types_of(step.outputs);
  if (said != planned)
    fail(Code::mismatch, "plugin '{}' gives {} for step '{}', the plan has {}", plugin, text_of(said), name,
         text_of(planned));
  if (!all_dense(step.outputs) || (!step.plugin->any_strides() && !all_dense(step.inputs)))
    fail(Code::mismatch, "plugin '{}' takes dense row-major operands, the plan gives step '{}' others", plugin, name);
  const int64_t needed = step.plugin->workspace(call_of(step, pool));
  if (needed > workspace_bytes)
    fail(Code::mismatch,
         "plugin '{}' asks for {} bytes of workspace for step '{}', {} were enough at the largest extents", plugin,
         needed, name, workspace_bytes);
}

void execute_plugin(PreparedStep& step, const Execution& execution) {
  PluginCall call = call_of(step, execution.pool);
  if (step.on_device) call.stream = execution.device.accelerator()->native(*execution.stream);
  step.plugin->run(call);
}

}  // namespace planish
