#include "tensorrt/runtime/loaded_plan.h"

#include <algorithm>
#include <sstream>

#include "tensorrt/runtime/refit_record.h"
#include "tensorrt/runtime/report.h"

namespace planish::tensorrt {
namespace {

void refuse_foreign(const Blob& blob) {
  if (blob.size < 4) return;
  const std::string_view magic(static_cast<const char*>(blob.data.get()), 4);
  if (magic == "ftrt" || magic == "ptrt" || magic == "rtrt")
    throw Error(Code::invalid_plan,
                "this plan was made by NVIDIA's builder and holds code for one GPU; build it again from the model");
}

}  // namespace

LoadedPlan::LoadedPlan(Blob blob, planish_device* device, std::shared_ptr<PluginSession> session)
    : blob_(std::move(blob)), session_(std::move(session)) {
  refuse_foreign(blob_);
  if (is_squeezed(blob_)) {
    blob_ = unsqueezed(blob_);
    const auto record = record_of(blob_);
    if (!record) throw Error(Code::invalid_plan, "a plan without weights that cannot be refitted");
    stripped_bytes_ = record->stripped_bytes();
  }
  check_record(blob_);
  auto options = detail::sized<planish_load_options>();
  options.device = device;
  options.flags = PLANISH_LOAD_BORROW;
  planish_engine* made = nullptr;
  {
    const PluginSession::Scope scope(*session_);
    detail::check(planish_engine_from_memory(blob_.data.get(), plan_bytes(blob_), &options, &made));
  }
  engine_.reset(made);
  auto info = detail::sized<planish_engine_info>();
  detail::check(planish_engine_get_info(made, &info));
  profile_count_ = info.profile_count;
  constant_bytes_ = info.constant_bytes;
  for (int i = 0; i < info.binding_count; ++i) {
    auto binding = detail::sized<planish_binding_info>();
    detail::check(planish_engine_get_binding(made, i, &binding));
    index_.emplace(binding.name, i);
    ios_.push_back({binding.name, binding.is_input != 0, type_of(static_cast<DataType>(binding.dtype)),
                    planish_dtype_bytes(binding.dtype), Extents(binding.extents, binding.extents + binding.rank)});
  }
  for (int i = 0; i < info.binding_count; ++i) fix_extents(i);
  read_notes();
}

// A dynamic extent that is the same in all profiles is no dynamic one.
void LoadedPlan::fix_extents(int io) {
  Extents& extents = ios_[static_cast<size_t>(io)].extents;
  for (int profile = 0; profile < profile_count_ && std::count(extents.begin(), extents.end(), -1) > 0; ++profile) {
    const Range found = range(io, profile), first = range(io, 0);
    for (size_t axis = 0; axis < extents.size(); ++axis)
      if (found.min[axis] != found.max[axis] || found.min[axis] != first.min[axis]) return;
  }
  if (profile_count_ > 0) extents = range(io, 0).min;
}

void LoadedPlan::read_notes() {
  const auto note = [&](const char* key) { return planish_engine_get_note(engine_.get(), key); };
  if (const char* text = note(kNoteMaxBatch)) max_batch_ = std::atoi(text);
  if (const char* text = note(kNoteName)) name_ = text;
  if (const char* text = note(kNoteVerbosity)) verbosity_ = static_cast<nvinfer1::ProfilingVerbosity>(std::atoi(text));
  if (const char* text = note(kNoteShapeValues))
    shape_values_ = std::make_shared<const ShapeTable>(read_shape_values(text));
  std::istringstream tactics(note(kNoteTactics) == nullptr ? "" : note(kNoteTactics));
  for (std::string name, tactic; std::getline(tactics, name, '\t') && std::getline(tactics, tactic);)
    tactics_[name] = tactic;
}

std::string LoadedPlan::tactic(const planish_step_info& step) const {
  const auto at = tactics_.find(std::string_view(step.name));
  return at == tactics_.end() ? step.kernel : at->second;
}

ShapeTable LoadedPlan::read_shape_values(const char* note) const {
  ShapeTable table;
  std::istringstream lines(note);
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    int profile = 0;
    std::string input;
    size_t count = 0;
    if (!(words >> profile >> input >> count) || find(input.c_str()) < 0 || count > 64) continue;
    ShapeValues& values = table[{find(input.c_str()), profile}];
    for (int select = 0; select < 3; ++select)
      for (size_t i = 0; i < count; ++i) {
        int64_t value = 0;
        words >> value;
        values.values[select].push_back(value);
        values.narrow[select].push_back(static_cast<int32_t>(value));
      }
  }
  return table;
}

int LoadedPlan::find(const char* name) const {
  const auto at = name == nullptr ? index_.end() : index_.find(std::string_view(name));
  return at == index_.end() ? -1 : at->second;
}

int LoadedPlan::io_at(const char* name) const {
  const int index = find(name);
  if (index < 0)
    throw Error(Code::not_found, name == nullptr ? std::string("the tensor's name is null")
                                                 : "the engine has no input or output '" + std::string(name) + "'");
  return index;
}

int LoadedPlan::io_of_binding(int32_t index, int* profile) const {
  const auto tensors = static_cast<int32_t>(ios_.size());
  const int32_t bindings = tensors * profile_count_;
  if (index < 0 || index >= bindings) refuse("binding " + std::to_string(index) + " of " + std::to_string(bindings));
  if (profile != nullptr) *profile = index / tensors;
  return index % tensors;
}

int64_t LoadedPlan::arena_bytes(int profile) const {
  int64_t bytes = 0;
  detail::check(planish_engine_get_arena_bytes(engine_.get(), profile, &bytes));
  return bytes;
}

Range LoadedPlan::range(int io, int profile) const {
  const size_t rank = ios_.at(static_cast<size_t>(io)).extents.size();
  Range range{Extents(PLANISH_MAX_RANK), Extents(PLANISH_MAX_RANK), Extents(PLANISH_MAX_RANK)};
  detail::check(
      planish_engine_get_range(engine_.get(), profile, io, range.min.data(), range.opt.data(), range.max.data()));
  for (Extents* extents : {&range.min, &range.opt, &range.max}) extents->resize(rank);
  return range;
}

const ShapeValues* LoadedPlan::shape_values(int io, int profile) const {
  const auto at = shape_values_->find({io, profile});
  return at == shape_values_->end() ? nullptr : &at->second;
}

}  // namespace planish::tensorrt
