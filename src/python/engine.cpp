#include <planish/planish.hpp>

#include "python/module.h"
#include "python/paths.h"

namespace planish::python {
namespace {

namespace nb = nanobind;
using namespace nb::literals;

nb::tuple tuple_of(const Extents& extents) { return nb::tuple(nb::cast(extents)); }

// A path, a Plan, or the bytes of one.
Engine load(nb::object source, int threads, const Device* device, bool trust_constants) {
  LoadOptions options;
  options.threads = threads;
  options.device = device;
  options.trust_constants = trust_constants;
  if (nb::isinstance<Plan>(source)) {
    const auto& plan = nb::cast<const Plan&>(source);
    const nb::gil_scoped_release release;
    return Engine(plan, options);
  }
  if (nb::isinstance<nb::bytes>(source)) {
    const auto bytes = nb::borrow<nb::bytes>(source);
    return Engine(std::span(reinterpret_cast<const std::byte*>(bytes.c_str()), bytes.size()), options);
  }
  const std::string path = path_of(source);
  const nb::gil_scoped_release release;
  return Engine(path, options);
}

// The address of a stream: a number, or what torch, cupy and cuda.core show of theirs.
void* native_of(nb::handle stream) {
  if (nb::hasattr(stream, "__cuda_stream__"))
    return native_of(nb::borrow<nb::tuple>(stream.attr("__cuda_stream__")())[1]);
  for (const char* name : {"cuda_stream", "ptr", "handle"})
    if (nb::hasattr(stream, name)) return native_of(stream.attr(name));
  uintptr_t address = 0;
  if (!nb::try_cast(stream, address))
    throw Error(Code::invalid_argument, "a stream is a number, or has cuda_stream, ptr, handle or __cuda_stream__");
  return reinterpret_cast<void*>(address);
}

}  // namespace

void add_engine(nb::module_& module) {
  nb::class_<Device>(module, "Device", "The processor with its threads, or a GPU; engines on one device share it.")
      .def(nb::init<const char*, int>(), "kind"_a = "cpu", "threads"_a = 0,
           "kind: 'cpu', 'cuda', 'cuda:1', or 'auto': a GPU where there is one. threads 0: one per usable core.")
      .def_prop_ro("threads", &Device::threads)
      .def_prop_ro("name", &Device::name);

  nb::class_<Plan>(module, "Plan", "A built network; bytes(plan) is its file.")
      .def(
          "save", [](const Plan& plan, nb::handle path) { plan.save(path_of(path)); }, "path"_a,
          "The file appears whole or not at all.")
      .def("__bytes__", [](const Plan& plan) { return nb::bytes(plan.bytes().data(), plan.bytes().size()); })
      .def("__len__", [](const Plan& plan) { return plan.bytes().size(); });

  nb::class_<Binding>(module, "Binding", "An input or output of an engine.")
      .def_ro("name", &Binding::name)
      .def_ro("is_input", &Binding::is_input)
      .def_prop_ro("dtype", [](const Binding& binding) { return planish::name(binding.dtype); })
      .def_prop_ro(
          "shape", [](const Binding& binding) { return tuple_of(binding.extents); }, "-1: decided when it runs")
      .def_ro("type", &Binding::type, "With the extents as expressions: 'f32[N,3,224,224]'.")
      .def("__repr__", [](const Binding& b) { return (b.is_input ? "input " : "output ") + b.name + " " + b.type; });

  nb::class_<Engine>(module, "Engine", "A plan, checked and ready to run; may be shared by threads, a Context each.")
      .def(nb::new_(&load), "source"_a, "threads"_a = 0, "device"_a = nb::none(), "trust_constants"_a = false,
           "source: the path of a plan, a Plan, or its bytes. trust_constants skips the checksum over the weights.")
      .def_prop_ro("bindings", &Engine::bindings)
      .def_prop_ro("profile_count", &Engine::profile_count)
      .def(
          "range",
          [](const Engine& engine, const std::string& name, int profile) {
            const Range range = engine.range(name, profile);
            return nb::make_tuple(tuple_of(range.min), tuple_of(range.opt), tuple_of(range.max));
          },
          "name"_a, "profile"_a = 0, "Least, typical and largest shape that a profile accepts, or gives.")
      .def("memory", &Engine::arena_bytes, "profile"_a = 0, "Bytes of intermediate values that a context needs.");

  nb::class_<Stream>(module, "Stream", "An in-order queue beside the caller.")
      .def(nb::init<const Engine&>(), "engine"_a)
      .def_static(
          "adopt", [](const Engine& engine, nb::handle stream) { return Stream::adopt(engine, native_of(stream)); },
          "engine"_a, "stream"_a,
          "A stream of others on the engine's GPU (torch.cuda.Stream, an address; 0: the default one): what is "
          "enqueued "
          "stands in its order.")
      .def_prop_ro(
          "native", [](const Stream& stream) { return reinterpret_cast<uintptr_t>(stream.native()); },
          "Its address on a GPU; 0 on the processor.")
      .def("synchronize", &Stream::synchronize, nb::call_guard<nb::gil_scoped_release>(),
           "Waits for what was enqueued; raises what went wrong in it.");

  module.def(
      "load_plugins", [](nb::handle path) { load_plugin_library(path_of(path)); }, "path"_a,
      "Registers the operators of a library.");
}

}  // namespace planish::python
