#include <map>

#include "python/arrays.h"
#include "python/module.h"

namespace planish::python {
namespace {

using namespace nb::literals;

// A context with the arrays that its bindings lie in.
class Execution {
 public:
  Execution(const Engine& engine, int profile)
      : context_(engine, ContextOptions{profile, {}}),
        bindings_(engine.bindings()),
        on_gpu_(std::string(engine.info().target).starts_with("cuda")) {}

  void set_shape(const std::string& input, const Extents& extents) { context_.set_shape(input, extents); }
  nb::tuple shape(const std::string& binding) const { return nb::tuple(nb::cast(context_.shape(binding))); }

  // An input takes its shape from the array.
  void bind(const std::string& name, nb::handle object) {
    const Binding& binding = find(name);
    const std::string what = (binding.is_input ? "input '" : "output '") + name + "'";
    const Array array =
        binding.is_input ? readable(object, what, binding.dtype) : writable(object, what, binding.dtype);
    if (array.on_gpu && !on_gpu_)
      throw Error(Code::invalid_argument, what + ": the array is in a GPU's memory, the engine runs on the processor");
    if (binding.is_input)
      context_.set_shape(name, array.extents);
    else if (const Extents wanted = context_.shape(name); wanted != array.extents)
      throw Error(Code::invalid_argument,
                  what + " is " + text(wanted) + " for these inputs, the array is " + text(array.extents));
    context_.bind(name, array.data, array.bytes);
    arrays_[name] = array;
  }

  nb::dict run(const nb::dict& inputs, const nb::object& outputs, const nb::kwargs& more) {
    if (!outputs.is_none())
      for (const auto [name, array] : nb::cast<nb::dict>(outputs))
        if (find(nb::cast<std::string>(name)).is_input)
          throw Error(Code::invalid_argument, "'" + nb::cast<std::string>(name) + "' is an input");
    const Lent lent{*this, arrays_};
    for (const nb::dict& given : {inputs, nb::borrow<nb::dict>(more)})
      for (const auto [name, array] : given) bind_input(nb::cast<std::string>(name), array);
    for (const Binding& binding : bindings_)
      if (binding.is_input && arrays_.count(binding.name) == 0)
        throw Error(Code::invalid_argument, "input '" + binding.name + "' " + binding.type + " is not given");
    for (const auto& [name, array] : arrays_)
      if (array.on_gpu)
        throw Error(Code::invalid_state,
                    "'" + name + "' is in a GPU's memory, which others may still be writing: enqueue on the " +
                        "stream that they use (Stream.adopt)");
    nb::dict results;
    for (const Binding& binding : bindings_)
      if (!binding.is_input) bind_result(binding, outputs, results);
    {
      const nb::gil_scoped_release release;
      context_.run();
    }
    for (const Binding& binding : bindings_)
      if (!binding.is_input && !results.contains(binding.name.c_str()))
        results[binding.name.c_str()] = new_array("output '" + binding.name + "'", binding.dtype,
                                                  context_.shape(binding.name), context_.output(binding.name));
    return results;
  }

  void enqueue(const Stream& stream) {
    for (const Binding& binding : bindings_)
      if (arrays_.count(binding.name) == 0 && (binding.is_input || is_known(context_.shape(binding.name))))
        throw Error(Code::invalid_state, "'" + binding.name + "' is not bound");
    context_.enqueue(stream);
  }

 private:
  // What run() binds serves that run alone.
  struct Lent {
    Execution& execution;
    std::map<std::string, Array> before;
    ~Lent() {
      auto& arrays = execution.arrays_;
      std::erase_if(arrays, [&](const auto& entry) {
        const auto at = before.find(entry.first);
        return at == before.end() || at->second.data != entry.second.data;
      });
    }
  };

  static bool is_known(const Extents& extents) {
    return std::find(extents.begin(), extents.end(), -1) == extents.end();
  }

  static std::string text(const Extents& extents) {
    return nb::cast<std::string>(nb::str(nb::tuple(nb::cast(extents))));
  }

  const Binding& find(const std::string& name) const {
    std::string known;
    for (const Binding& binding : bindings_) {
      if (binding.name == name) return binding;
      known += (known.empty() ? "'" : ", '") + binding.name + "'";
    }
    throw Error(Code::not_found, "there is no binding '" + name + "'; there are " + known);
  }

  void bind_input(const std::string& name, nb::handle array) {
    if (!find(name).is_input) throw Error(Code::invalid_argument, "'" + name + "' is an output");
    bind(name, array);
  }

  // Memory of the caller's, or new; where data decides how much, nothing yet.
  void bind_result(const Binding& binding, const nb::object& outputs, nb::dict& results) {
    const char* name = binding.name.c_str();
    if (!outputs.is_none() && nb::cast<nb::dict>(outputs).contains(name)) {
      results[name] = nb::cast<nb::dict>(outputs)[name];
      return bind(binding.name, results[name]);
    }
    const Extents extents = context_.shape(binding.name);
    if (!is_known(extents)) return;
    results[name] = new_array("output '" + binding.name + "'", binding.dtype, extents);
    bind(binding.name, results[name]);
  }

  std::map<std::string, Array> arrays_;  // outlive the context's work
  Context context_;
  std::vector<Binding> bindings_;
  bool on_gpu_ = false;
};

}  // namespace

void add_context(nb::module_& module) {
  nb::class_<Execution>(module, "Context", "One execution of an engine; serves one thread at a time.")
      .def(nb::init<const Engine&, int>(), "engine"_a, "profile"_a = 0, nb::keep_alive<1, 2>())
      .def("run", &Execution::run, "inputs"_a = nb::dict(), "outputs"_a = nb::none(), "more"_a,
           "Inputs by name, as a dict or as arguments; gives a dict of the outputs: new NumPy arrays, but for those in "
           "`outputs`, "
           "which are written to.")
      .def("bind", &Execution::bind, "name"_a, "array"_a,
           "Memory of an input, which gives it its shape too, or of an output; kept until another takes its place.")
      .def("set_shape", &Execution::set_shape, "name"_a, "shape"_a)
      .def("shape", &Execution::shape, "name"_a, "Of any binding for the current shapes; -1 where data decides.")
      .def("enqueue", &Execution::enqueue, "stream"_a, nb::keep_alive<2, 1>(),
           "Runs what is bound on a stream, and returns at once.");
}

}  // namespace planish::python
