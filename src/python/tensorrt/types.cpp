// Element types, extents, weights, and what else is only numbers.
#include <map>

#include "python/tensorrt/arrays.h"

namespace planish_python {
namespace {

struct TypeRow {
  DataType type;
  char const* name;
  char const* alias;
  char const* array;  // numpy's name; ml_dtypes has some of the others
  double bytes;
};

TypeRow const type_rows[] = {
    {DataType::kFLOAT, "FLOAT", "float32", "float32", 4}, {DataType::kHALF, "HALF", "float16", "float16", 2},
    {DataType::kINT8, "INT8", "int8", "int8", 1},         {DataType::kINT32, "INT32", "int32", "int32", 4},
    {DataType::kBOOL, "BOOL", "bool", "bool", 1},         {DataType::kUINT8, "UINT8", "uint8", "uint8", 1},
    {DataType::kFP8, "FP8", "fp8", nullptr, 1},           {DataType::kBF16, "BF16", "bfloat16", nullptr, 2},
    {DataType::kINT64, "INT64", "int64", "int64", 8},     {DataType::kINT4, "INT4", "int4", nullptr, 0.5},
    {DataType::kFP4, "FP4", "fp4", nullptr, 0.5},         {DataType::kE8M0, "E8M0", "e8m0", nullptr, 1},
};

TypeRow const& row_of(DataType type) {
  for (TypeRow const& row : type_rows)
    if (row.type == type) return row;
  throw py::value_error("no such element type");
}

void bind_data_type(py::module_& m) {
  py::enum_<DataType> type(m, "DataType");
  for (TypeRow const& row : type_rows) type.value(row.name, row.type);
  for (TypeRow const& row : type_rows) m.attr(row.alias) = py::cast(row.type);
  type.def_property_readonly("itemsize", [](DataType t) -> py::object {
    double const bytes = row_of(t).bytes;
    if (bytes < 1) return py::float_(bytes);
    return py::int_(static_cast<int>(bytes));
  });
  m.def(
      "nptype", [](DataType t) { return array_type(t).attr("type"); }, py::arg("trt_type"),
      "The numpy type of an element type");
}

std::string text_of(Dims const& dims) {
  std::string text = "(";
  for (int32_t i = 0; i < dims.nbDims; ++i) text += (i ? ", " : "") + std::to_string(dims.d[i]);
  return text + (dims.nbDims == 1 ? ",)" : ")");
}

int32_t axis_of(Dims const& dims, int64_t index) {
  int64_t const axis = index < 0 ? index + dims.nbDims : index;
  if (axis < 0 || axis >= dims.nbDims) throw py::index_error("axis " + std::to_string(index) + " of " + text_of(dims));
  return static_cast<int32_t>(axis);
}

bool same(Dims const& dims, py::object const& other) {
  if (!py::isinstance<Dims>(other) && !py::isinstance<py::sequence>(other)) return false;
  py::tuple const mine = py::cast(extents_of(dims));
  return mine.equal(py::tuple(other));
}

// Dims2, Dims3, … are made of that many numbers or of one list, and are Dims.
template <typename T>
void bind_fixed_dims(py::module_& m, char const* name) {
  py::class_<T, Dims> type(m, name);
  type.def(py::init<>());
  type.def(py::init([](std::vector<int64_t> const& extents) {
             T dims;
             if (static_cast<int32_t>(extents.size()) != dims.nbDims)
               throw py::value_error(std::to_string(extents.size()) + " extents given, " + std::to_string(dims.nbDims) +
                                     " accepted");
             for (size_t i = 0; i < extents.size(); ++i) dims.d[i] = extents[i];
             return dims;
           }),
           py::arg("shape"));
  py::implicitly_convertible<py::tuple, T>();
  py::implicitly_convertible<py::list, T>();
}

void bind_dims(py::module_& m) {
  py::class_<Dims> dims(m, "Dims");
  dims.def(py::init([] { return dims_of({}); }));
  dims.def(py::init([](std::vector<int64_t> const& extents) { return dims_of(extents); }), py::arg("shape"));
  dims.def("__len__", [](Dims const& d) { return d.nbDims > 0 ? d.nbDims : 0; });
  dims.def("__getitem__", [](Dims const& d, int64_t i) { return d.d[axis_of(d, i)]; });
  dims.def("__getitem__", [](Dims const& d, py::slice const& s) { return py::tuple(py::cast(extents_of(d)))[s]; });
  dims.def("__setitem__", [](Dims& d, int64_t i, int64_t value) { d.d[axis_of(d, i)] = value; });
  dims.def("__iter__", [](Dims const& d) { return py::iter(py::tuple(py::cast(extents_of(d)))); });
  dims.def("__eq__", &same);
  dims.def("__ne__", [](Dims const& d, py::object const& other) { return !same(d, other); });
  dims.def("__hash__", [](Dims const& d) { return py::hash(py::tuple(py::cast(extents_of(d)))); });
  dims.def("__str__", &text_of);
  dims.def("__repr__", &text_of);
  dims.def("numel", [](Dims const& d) {
    int64_t count = 1;
    for (int32_t i = 0; i < d.nbDims; ++i) count *= d.d[i];
    return count;
  });
  dims.attr("MAX_DIMS") = static_cast<int>(Dims::MAX_DIMS);
  py::implicitly_convertible<py::tuple, Dims>();
  py::implicitly_convertible<py::list, Dims>();

  bind_fixed_dims<Dims2>(m, "Dims2");
  bind_fixed_dims<Dims3>(m, "Dims3");
  bind_fixed_dims<Dims4>(m, "Dims4");
  py::class_<DimsHW, Dims2> hw(m, "DimsHW");
  hw.def(py::init<>());
  hw.def(py::init([](std::vector<int64_t> const& extents) {
           if (extents.size() != 2)
             throw py::value_error(std::to_string(extents.size()) + " extents given, 2 accepted");
           return DimsHW(extents[0], extents[1]);
         }),
         py::arg("shape"));
  hw.def_property(
      "h", [](DimsHW const& d) { return d.d[0]; }, [](DimsHW& d, int64_t h) { d.d[0] = h; });
  hw.def_property(
      "w", [](DimsHW const& d) { return d.d[1]; }, [](DimsHW& d, int64_t w) { d.d[1] = w; });
  py::implicitly_convertible<py::tuple, DimsHW>();
  py::implicitly_convertible<py::list, DimsHW>();
}

void bind_permutation(py::module_& m) {
  py::class_<Permutation> type(m, "Permutation");
  type.def(py::init<>());
  type.def(py::init([](std::vector<int32_t> const& order) {
             Permutation p{};
             if (order.size() > Dims::MAX_DIMS)
               throw py::value_error(std::to_string(order.size()) + " axes given, at most 8 accepted");
             for (size_t i = 0; i < order.size(); ++i) p.order[i] = order[i];
             return p;
           }),
           py::arg("order"));
  type.def("__len__", [](Permutation const&) { return static_cast<int>(Dims::MAX_DIMS); });
  type.def("__getitem__", [](Permutation const& p, int64_t i) {
    if (i < 0 || i >= Dims::MAX_DIMS) throw py::index_error();
    return p.order[i];
  });
  type.def("__setitem__", [](Permutation& p, int64_t i, int32_t value) {
    if (i < 0 || i >= Dims::MAX_DIMS) throw py::index_error();
    p.order[i] = value;
  });
  py::implicitly_convertible<py::tuple, Permutation>();
  py::implicitly_convertible<py::list, Permutation>();
}

// An array over the elements of weights: not a copy.
py::array view(Weights const& weights) {
  int64_t const count = weights.values ? std::max<int64_t>(weights.count, 0) : 0;
  return row_of_elements(array_type(weights.type), count, weights.values, py::capsule(&weights, [](void*) {}));
}

void bind_weights(py::module_& m) {
  py::class_<Weights> type(m, "Weights");
  type.def(py::init([](DataType t) { return Weights{t, nullptr, 0}; }), py::arg("type") = DataType::kFLOAT);
  type.def(py::init([](DataType t, Address ptr, int64_t count) {
             return Weights{t, pointer(ptr), count};
           }),
           py::arg("type"), py::arg("ptr"), py::arg("count"));
  type.def(py::init([](py::array const& a) {
             if (!(a.flags() & py::array::c_style))
               throw py::value_error("an array in another order than C's given; numpy.ascontiguousarray makes one");
             return Weights{element_type(a.dtype()), a.data(), static_cast<int64_t>(a.size())};
           }),
           py::keep_alive<1, 2>(), py::arg("a"));
  type.def_property_readonly("dtype", [](Weights const& w) { return w.type; });
  type.def_property_readonly("size", [](Weights const& w) { return w.count; });
  type.def_property_readonly("nbytes", [](Weights const& w) {
    return static_cast<int64_t>(static_cast<double>(w.count) * row_of(w.type).bytes);
  });
  type.def("numpy", &view, py::keep_alive<0, 1>());
  type.def("__len__", [](Weights const& w) { return w.count; });
}

// Arrays by the network or layer that reads them until it is built. Never ended: Python is gone by then.
std::map<void const*, std::vector<py::object>>& held_arrays() {
  static auto* held = new std::map<void const*, std::vector<py::object>>;
  return *held;
}

}  // namespace

py::dtype array_type(DataType type) {
  TypeRow const& row = row_of(type);
  if (row.array) return py::dtype(row.array);
  if (type == DataType::kBF16 || type == DataType::kFP8) {
    py::module_ more = py::module_::import("ml_dtypes");
    return py::dtype::from_args(more.attr(type == DataType::kBF16 ? "bfloat16" : "float8_e4m3fn"));
  }
  throw py::type_error(std::string("numpy has no type for ") + row.alias);
}

// NumPy is asked for the size of an element: where its own structures have it depends on its major version.
py::array row_of_elements(py::dtype const& type, int64_t count, void const* data, py::handle owner) {
  auto const bytes = type.attr("itemsize").cast<py::ssize_t>();
  static char const nothing[16] = {};
  return py::array(type, std::vector<py::ssize_t>{count}, std::vector<py::ssize_t>{bytes}, count ? data : nothing,
                   owner);
}

DataType element_type(py::dtype const& type) {
  std::string const name = py::str(type.attr("name"));
  for (TypeRow const& row : type_rows)
    if (name == row.alias) return row.type;
  if (name == "float8_e4m3fn") return DataType::kFP8;
  throw py::type_error("arrays of " + name +
                       " are not accepted; float32, float16, bfloat16, int8, int32, int64, uint8, bool are");
}

Dims dims_of(std::vector<int64_t> const& extents) {
  if (extents.size() > Dims::MAX_DIMS)
    throw py::value_error(std::to_string(extents.size()) + " extents given, at most 8 accepted");
  Dims dims{};
  dims.nbDims = static_cast<int32_t>(extents.size());
  for (size_t i = 0; i < extents.size(); ++i) dims.d[i] = extents[i];
  return dims;
}

std::vector<int64_t> extents_of(Dims const& dims) {
  return dims.nbDims > 0 ? std::vector<int64_t>(dims.d, dims.d + dims.nbDims) : std::vector<int64_t>();
}

Weights weights_of(void const* owner, py::object const& value) {
  if (value.is_none()) return Weights{DataType::kFLOAT, nullptr, 0};
  py::object held = value;
  Weights weights{};
  if (py::isinstance<Weights>(value)) {
    weights = value.cast<Weights>();
  } else {
    // In C's order: the same array where it is so already.
    py::array array = py::module_::import("numpy").attr("ascontiguousarray")(value);
    weights = Weights{element_type(array.dtype()), array.data(), static_cast<int64_t>(array.size())};
    held = array;
  }
  held_arrays()[owner].push_back(held);
  return weights;
}

void EndNetwork::operator()(INetworkDefinition* network) const {
  std::vector<void const*> owners{network};
  for (int32_t i = 0; i < network->getNbLayers(); ++i) owners.push_back(network->getLayer(i));
  delete network;
  for (void const* owner : owners) held_arrays().erase(owner);
}

void bind_types(py::module_& m) {
  bind_data_type(m);
  bind_dims(m);
  bind_permutation(m);
  bind_weights(m);
  py::enum_<WeightsRole>(m, "WeightsRole")
      .value("KERNEL", WeightsRole::kKERNEL)
      .value("BIAS", WeightsRole::kBIAS)
      .value("SHIFT", WeightsRole::kSHIFT)
      .value("SCALE", WeightsRole::kSCALE)
      .value("CONSTANT", WeightsRole::kCONSTANT)
      .value("ANY", WeightsRole::kANY);
  py::enum_<DeviceType>(m, "DeviceType").value("GPU", DeviceType::kGPU).value("DLA", DeviceType::kDLA);
  py::enum_<TensorLocation>(m, "TensorLocation")
      .value("DEVICE", TensorLocation::kDEVICE)
      .value("HOST", TensorLocation::kHOST);
  py::enum_<TensorIOMode>(m, "TensorIOMode")
      .value("NONE", TensorIOMode::kNONE)
      .value("INPUT", TensorIOMode::kINPUT)
      .value("OUTPUT", TensorIOMode::kOUTPUT);
  py::enum_<TensorFormat>(m, "TensorFormat")
      .value("LINEAR", TensorFormat::kLINEAR)
      .value("CHW2", TensorFormat::kCHW2)
      .value("HWC8", TensorFormat::kHWC8)
      .value("CHW4", TensorFormat::kCHW4)
      .value("CHW16", TensorFormat::kCHW16)
      .value("CHW32", TensorFormat::kCHW32)
      .value("DHWC8", TensorFormat::kDHWC8)
      .value("CDHW32", TensorFormat::kCDHW32)
      .value("HWC", TensorFormat::kHWC)
      .value("DLA_LINEAR", TensorFormat::kDLA_LINEAR)
      .value("DLA_HWC4", TensorFormat::kDLA_HWC4)
      .value("HWC16", TensorFormat::kHWC16)
      .value("DHWC", TensorFormat::kDHWC);
}

}  // namespace planish_python
