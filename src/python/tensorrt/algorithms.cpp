// Choice of kernels by the program.
#include "python/tensorrt/bindings.h"

namespace planish_python {
namespace {

auto const borrowed = py::return_value_policy::reference;

class PyAlgorithmSelector : public IAlgorithmSelector {
 public:
  APILanguage getAPILanguage() const override { return APILanguage::kPYTHON; }
  // Python gives the numbers of the choices that may be used.
  int32_t selectAlgorithms(IAlgorithmContext const& context, IAlgorithm const* const* choices, int32_t count,
                           int32_t* selection) override {
    return answered(-1, "IAlgorithmSelector.select_algorithms", [&] {
      auto const chosen =
          method<IAlgorithmSelector>(this, "select_algorithms")(py::cast(&context, borrowed), list_of(choices, count))
              .cast<std::vector<int32_t>>();
      if (chosen.size() > static_cast<size_t>(count)) throw py::value_error("more choices were given than there are");
      std::copy(chosen.begin(), chosen.end(), selection);
      return static_cast<int32_t>(chosen.size());
    });
  }
  void reportAlgorithms(IAlgorithmContext const* const* contexts, IAlgorithm const* const* choices,
                        int32_t count) override {
    told("IAlgorithmSelector.report_algorithms", [&] {
      method<IAlgorithmSelector>(this, "report_algorithms")(list_of(contexts, count), list_of(choices, count));
    });
  }

 private:
  template <typename T>
  static py::list list_of(T const* const* rows, int32_t count) {
    py::list list;
    for (int32_t i = 0; i < count; ++i) list.append(py::cast(rows[i], borrowed));
    return list;
  }
};

}  // namespace

void bind_algorithms(py::module_& m) {
  Borrowed<IAlgorithmIOInfo>(m, "IAlgorithmIOInfo")
      .def_property_readonly("dtype", &IAlgorithmIOInfo::getDataType)
      .def_property_readonly("tensor_format", &IAlgorithmIOInfo::getTensorFormat)
      .def_property_readonly("strides", &IAlgorithmIOInfo::getStrides)
      .def_property_readonly("vectorized_dim", &IAlgorithmIOInfo::getVectorizedDim)
      .def_property_readonly("components_per_element", &IAlgorithmIOInfo::getComponentsPerElement);
  Borrowed<IAlgorithmVariant>(m, "IAlgorithmVariant")
      .def_property_readonly("implementation", &IAlgorithmVariant::getImplementation)
      .def_property_readonly("tactic", &IAlgorithmVariant::getTactic);
  Borrowed<IAlgorithmContext>(m, "IAlgorithmContext")
      .def_property_readonly("name", &IAlgorithmContext::getName)
      .def_property_readonly("num_inputs", &IAlgorithmContext::getNbInputs)
      .def_property_readonly("num_outputs", &IAlgorithmContext::getNbOutputs)
      .def(
          "get_shape",
          [](IAlgorithmContext const& c, int32_t index) {
            std::vector<Dims> shapes;
            for (auto which : {OptProfileSelector::kMIN, OptProfileSelector::kOPT, OptProfileSelector::kMAX})
              shapes.push_back(c.getDimensions(index, which));
            return shapes;
          },
          py::arg("index"));
  Borrowed<IAlgorithm>(m, "IAlgorithm")
      .def_property_readonly("algorithm_variant", &IAlgorithm::getAlgorithmVariant,
                             py::return_value_policy::reference_internal)
      .def_property_readonly("timing_msec", &IAlgorithm::getTimingMSec)
      .def_property_readonly("workspace_size", &IAlgorithm::getWorkspaceSize)
      .def("get_algorithm_io_info", &IAlgorithm::getAlgorithmIOInfoByIndex, py::arg("index"),
           py::return_value_policy::reference_internal);
  py::class_<IAlgorithmSelector, PyAlgorithmSelector>(m, "IAlgorithmSelector").def(py::init<>());
}

}  // namespace planish_python
