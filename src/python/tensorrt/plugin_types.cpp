// What plugins are told of their tensors: expressions of extents, and descriptions.
#include "python/tensorrt/plugins.h"

namespace planish_python {
namespace {

using py::arg;
auto const borrowed = py::return_value_policy::reference;

void bind_expressions(py::module_& m) {
  py::enum_<DimensionOperation>(m, "DimensionOperation")
      .value("SUM", DimensionOperation::kSUM)
      .value("PROD", DimensionOperation::kPROD)
      .value("MAX", DimensionOperation::kMAX)
      .value("MIN", DimensionOperation::kMIN)
      .value("SUB", DimensionOperation::kSUB)
      .value("EQUAL", DimensionOperation::kEQUAL)
      .value("LESS", DimensionOperation::kLESS)
      .value("FLOOR_DIV", DimensionOperation::kFLOOR_DIV)
      .value("CEIL_DIV", DimensionOperation::kCEIL_DIV);
  Borrowed<IDimensionExpr>(m, "IDimensionExpr")
      .def("is_constant", &IDimensionExpr::isConstant)
      .def("get_constant_value", &IDimensionExpr::getConstantValue)
      .def("is_size_tensor", &IDimensionExpr::isSizeTensor);
  Borrowed<IExprBuilder>(m, "IExprBuilder")
      .def("constant", &IExprBuilder::constant, arg("value"), borrowed)
      .def("operation", &IExprBuilder::operation, arg("op"), arg("first"), arg("second"), borrowed)
      .def("declare_size_tensor", &IExprBuilder::declareSizeTensor, arg("output_index"), arg("opt"), arg("upper"),
           borrowed);
  auto const axis = [](DimsExprs const& d, int64_t i) {
    int64_t const at = i < 0 ? i + d.nbDims : i;
    if (at < 0 || at >= d.nbDims) throw py::index_error();
    return static_cast<size_t>(at);
  };
  auto const from_list = [](std::vector<IDimensionExpr const*> const& all) {
    if (all.size() > Dims::MAX_DIMS) throw py::value_error("at most 8 extents are accepted");
    DimsExprs d{};
    d.nbDims = static_cast<int32_t>(all.size());
    std::copy(all.begin(), all.end(), d.d);
    return d;
  };
  py::class_<DimsExprs>(m, "DimsExprs")
      .def(py::init([](int32_t rank) {
             if (rank < 0 || rank > static_cast<int32_t>(Dims::MAX_DIMS))
               throw py::value_error("0 to 8 extents are accepted");
             DimsExprs d{};
             d.nbDims = rank;
             return d;
           }),
           arg("nb_dims") = 0)
      .def(py::init(from_list), arg("dims"))
      .def(py::init([](DimsExprs const& other) { return other; }), arg("other"))
      .def("__len__", [](DimsExprs const& d) { return d.nbDims; })
      .def(
          "__getitem__", [axis](DimsExprs const& d, int64_t i) { return d.d[axis(d, i)]; }, borrowed)
      .def("__setitem__", [axis](DimsExprs& d, int64_t i, IDimensionExpr const* e) { d.d[axis(d, i)] = e; });
  py::implicitly_convertible<py::list, DimsExprs>();
}

void bind_descriptions(py::module_& m) {
  py::class_<PluginTensorDesc>(m, "PluginTensorDesc")
      .def(py::init([] { return PluginTensorDesc{}; }))
      .def_readwrite("dims", &PluginTensorDesc::dims)
      .def_readwrite("type", &PluginTensorDesc::type)
      .def_readwrite("format", &PluginTensorDesc::format)
      .def_readwrite("scale", &PluginTensorDesc::scale);
  py::class_<DynamicPluginTensorDesc>(m, "DynamicPluginTensorDesc")
      .def(py::init([] { return DynamicPluginTensorDesc{}; }))
      .def_readwrite("desc", &DynamicPluginTensorDesc::desc)
      .def_readwrite("min", &DynamicPluginTensorDesc::min)
      .def_readwrite("max", &DynamicPluginTensorDesc::max)
      .def_readwrite("opt", &DynamicPluginTensorDesc::opt);
}

}  // namespace

void bind_plugin_types(py::module_& m) {
  bind_expressions(m);
  bind_descriptions(m);
}

}  // namespace planish_python
