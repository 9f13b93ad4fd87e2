// Tensors, what all layers share, and layers that compute: windows, elements, sums.
#include "python/tensorrt/bindings.h"

namespace planish_python {
namespace {

void bind_tensor(py::module_& m) {
  Borrowed<ITensor> tensor(m, "ITensor");
  tensor.def_property("name", &ITensor::getName, &ITensor::setName);
  tensor.def_property("shape", &ITensor::getDimensions, [](ITensor& t, Dims const& dims) { t.setDimensions(dims); });
  tensor.def_property("dtype", &ITensor::getType, &ITensor::setType);
  tensor.def_property("broadcast_across_batch", &ITensor::getBroadcastAcrossBatch, &ITensor::setBroadcastAcrossBatch);
  tensor.def_property("location", &ITensor::getLocation, &ITensor::setLocation);
  tensor.def_property("allowed_formats", &ITensor::getAllowedFormats, &ITensor::setAllowedFormats);
  tensor.def_property_readonly("is_network_input", &ITensor::isNetworkInput);
  tensor.def_property_readonly("is_network_output", &ITensor::isNetworkOutput);
  tensor.def_property_readonly("is_shape_tensor", &ITensor::isShapeTensor);
  tensor.def_property_readonly("is_execution_tensor", &ITensor::isExecutionTensor);
  // A pair of the least and the greatest value; None where none is set.
  tensor.def_property(
      "dynamic_range",
      [](ITensor const& t) -> py::object {
        if (!t.dynamicRangeIsSet()) return py::none();
        return py::make_tuple(t.getDynamicRangeMin(), t.getDynamicRangeMax());
      },
      [](ITensor& t, std::pair<float, float> const& range) {
        if (!t.setDynamicRange(range.first, range.second))
          throw py::value_error("the dynamic range was refused; the log says why");
      });
  tensor.def("set_dynamic_range", &ITensor::setDynamicRange, py::arg("min"), py::arg("max"));
  tensor.def("reset_dynamic_range", &ITensor::resetDynamicRange);
  tensor.def("set_dimension_name", &ITensor::setDimensionName, py::arg("index"), py::arg("name"));
  tensor.def("get_dimension_name", &ITensor::getDimensionName, py::arg("index"));
}

void bind_layer_type(py::module_& m) {
  py::enum_<LayerType> type(m, "LayerType");
  static struct {
    char const* name;
    LayerType value;
  } const rows[] = {{"CONVOLUTION", LayerType::kCONVOLUTION},
                    {"CAST", LayerType::kCAST},
                    {"ACTIVATION", LayerType::kACTIVATION},
                    {"POOLING", LayerType::kPOOLING},
                    {"LRN", LayerType::kLRN},
                    {"SCALE", LayerType::kSCALE},
                    {"SOFTMAX", LayerType::kSOFTMAX},
                    {"DECONVOLUTION", LayerType::kDECONVOLUTION},
                    {"CONCATENATION", LayerType::kCONCATENATION},
                    {"ELEMENTWISE", LayerType::kELEMENTWISE},
                    {"PLUGIN", LayerType::kPLUGIN},
                    {"UNARY", LayerType::kUNARY},
                    {"PADDING", LayerType::kPADDING},
                    {"SHUFFLE", LayerType::kSHUFFLE},
                    {"REDUCE", LayerType::kREDUCE},
                    {"TOPK", LayerType::kTOPK},
                    {"GATHER", LayerType::kGATHER},
                    {"MATRIX_MULTIPLY", LayerType::kMATRIX_MULTIPLY},
                    {"RAGGED_SOFTMAX", LayerType::kRAGGED_SOFTMAX},
                    {"CONSTANT", LayerType::kCONSTANT},
                    {"IDENTITY", LayerType::kIDENTITY},
                    {"PLUGIN_V2", LayerType::kPLUGIN_V2},
                    {"SLICE", LayerType::kSLICE},
                    {"SHAPE", LayerType::kSHAPE},
                    {"PARAMETRIC_RELU", LayerType::kPARAMETRIC_RELU},
                    {"RESIZE", LayerType::kRESIZE},
                    {"TRIP_LIMIT", LayerType::kTRIP_LIMIT},
                    {"RECURRENCE", LayerType::kRECURRENCE},
                    {"ITERATOR", LayerType::kITERATOR},
                    {"LOOP_OUTPUT", LayerType::kLOOP_OUTPUT},
                    {"SELECT", LayerType::kSELECT},
                    {"FILL", LayerType::kFILL},
                    {"QUANTIZE", LayerType::kQUANTIZE},
                    {"DEQUANTIZE", LayerType::kDEQUANTIZE},
                    {"CONDITION", LayerType::kCONDITION},
                    {"CONDITIONAL_INPUT", LayerType::kCONDITIONAL_INPUT},
                    {"CONDITIONAL_OUTPUT", LayerType::kCONDITIONAL_OUTPUT},
                    {"SCATTER", LayerType::kSCATTER},
                    {"EINSUM", LayerType::kEINSUM},
                    {"ASSERTION", LayerType::kASSERTION},
                    {"ONE_HOT", LayerType::kONE_HOT},
                    {"NON_ZERO", LayerType::kNON_ZERO},
                    {"GRID_SAMPLE", LayerType::kGRID_SAMPLE},
                    {"NMS", LayerType::kNMS},
                    {"REVERSE_SEQUENCE", LayerType::kREVERSE_SEQUENCE},
                    {"NORMALIZATION", LayerType::kNORMALIZATION},
                    {"PLUGIN_V3", LayerType::kPLUGIN_V3},
                    {"SQUEEZE", LayerType::kSQUEEZE},
                    {"UNSQUEEZE", LayerType::kUNSQUEEZE},
                    {"CUMULATIVE", LayerType::kCUMULATIVE},
                    {"DYNAMIC_QUANTIZE", LayerType::kDYNAMIC_QUANTIZE},
                    {"ATTENTION_INPUT", LayerType::kATTENTION_INPUT},
                    {"ATTENTION_OUTPUT", LayerType::kATTENTION_OUTPUT},
                    {"ROTARY_EMBEDDING", LayerType::kROTARY_EMBEDDING},
                    {"KV_CACHE_UPDATE", LayerType::kKVCACHE_UPDATE},
                    {"MOE", LayerType::kMOE},
                    {"DIST_COLLECTIVE", LayerType::kDIST_COLLECTIVE},
                    {"FULLY_CONNECTED", LayerType::kFULLY_CONNECTED},
                    {"RNN", LayerType::kRNN},
                    {"RNN_V2", LayerType::kRNN_V2}};
  for (auto const& row : rows) type.value(row.name, row.value);
}

void bind_layer(py::module_& m) {
  Borrowed<ILayer> layer(m, "ILayer");
  layer.def_property("name", &ILayer::getName, &ILayer::setName);
  layer.def_property("metadata", &ILayer::getMetadata, &ILayer::setMetadata);
  layer.def_property_readonly("type", &ILayer::getType);
  layer.def_property_readonly("num_inputs", &ILayer::getNbInputs);
  layer.def_property_readonly("num_outputs", &ILayer::getNbOutputs);
  layer.def_property("precision", &ILayer::getPrecision, &ILayer::setPrecision);
  layer.def_property_readonly("precision_is_set", &ILayer::precisionIsSet);
  layer.def("reset_precision", &ILayer::resetPrecision);
  layer.def("set_input", &ILayer::setInput, py::arg("index"), py::arg("tensor"));
  layer.def("get_input", &ILayer::getInput, py::arg("index"), py::return_value_policy::reference);
  layer.def("get_output", &ILayer::getOutput, py::arg("index"), py::return_value_policy::reference);
  layer.def("set_output_type", &ILayer::setOutputType, py::arg("index"), py::arg("dtype"));
  layer.def("get_output_type", &ILayer::getOutputType, py::arg("index"));
  layer.def("output_type_is_set", &ILayer::outputTypeIsSet, py::arg("index"));
  layer.def("reset_output_type", &ILayer::resetOutputType, py::arg("index"));
}

template <typename T, typename C>
void weights_property(C& type, char const* name, Weights (T::*get)() const, void (T::*set)(Weights)) {
  type.def_property(
      name, [get](T const& layer) { return (layer.*get)(); },
      [set](T& layer, py::object const& value) { (layer.*set)(weights_of(static_cast<ILayer*>(&layer), value)); });
}

template <typename T, typename C>
void bind_window(C& type) {
  type.def_property("stride", &T::getStride, &T::setStride);
  type.def_property("padding", &T::getPadding, &T::setPadding);
  type.def_property("pre_padding", &T::getPrePadding, &T::setPrePadding);
  type.def_property("post_padding", &T::getPostPadding, &T::setPostPadding);
  type.def_property("padding_mode", &T::getPaddingMode, &T::setPaddingMode);
  type.def_property("stride_nd", &T::getStrideNd, &T::setStrideNd);
  type.def_property("padding_nd", &T::getPaddingNd, &T::setPaddingNd);
}

template <typename T, typename C>
void bind_kernel(C& type) {
  bind_window<T>(type);
  type.def_property("num_output_maps", &T::getNbOutputMaps, &T::setNbOutputMaps);
  type.def_property("num_groups", &T::getNbGroups, &T::setNbGroups);
  type.def_property("kernel_size", &T::getKernelSize, &T::setKernelSize);
  type.def_property("kernel_size_nd", &T::getKernelSizeNd, &T::setKernelSizeNd);
  type.def_property("dilation_nd", &T::getDilationNd, &T::setDilationNd);
  weights_property<T>(type, "kernel", &T::getKernelWeights, &T::setKernelWeights);
  weights_property<T>(type, "bias", &T::getBiasWeights, &T::setBiasWeights);
}

void bind_windows(py::module_& m) {
  py::enum_<PaddingMode>(m, "PaddingMode")
      .value("EXPLICIT_ROUND_DOWN", PaddingMode::kEXPLICIT_ROUND_DOWN)
      .value("EXPLICIT_ROUND_UP", PaddingMode::kEXPLICIT_ROUND_UP)
      .value("SAME_UPPER", PaddingMode::kSAME_UPPER)
      .value("SAME_LOWER", PaddingMode::kSAME_LOWER)
      .value("CAFFE_ROUND_DOWN", PaddingMode::kCAFFE_ROUND_DOWN)
      .value("CAFFE_ROUND_UP", PaddingMode::kCAFFE_ROUND_UP);
  py::enum_<PoolingType>(m, "PoolingType")
      .value("MAX", PoolingType::kMAX)
      .value("AVERAGE", PoolingType::kAVERAGE)
      .value("MAX_AVERAGE_BLEND", PoolingType::kMAX_AVERAGE_BLEND);
  Borrowed<IConvolutionLayer, ILayer> convolution(m, "IConvolutionLayer");
  bind_kernel<IConvolutionLayer>(convolution);
  convolution.def_property("dilation", &IConvolutionLayer::getDilation, &IConvolutionLayer::setDilation);
  Borrowed<IDeconvolutionLayer, ILayer> deconvolution(m, "IDeconvolutionLayer");
  bind_kernel<IDeconvolutionLayer>(deconvolution);
  Borrowed<IPoolingLayer, ILayer> pooling(m, "IPoolingLayer");
  bind_window<IPoolingLayer>(pooling);
  pooling.def_property("type", &IPoolingLayer::getPoolingType, &IPoolingLayer::setPoolingType);
  pooling.def_property("window_size", &IPoolingLayer::getWindowSize, &IPoolingLayer::setWindowSize);
  pooling.def_property("window_size_nd", &IPoolingLayer::getWindowSizeNd, &IPoolingLayer::setWindowSizeNd);
  pooling.def_property("blend_factor", &IPoolingLayer::getBlendFactor, &IPoolingLayer::setBlendFactor);
  pooling.def_property("average_count_excludes_padding", &IPoolingLayer::getAverageCountExcludesPadding,
                       &IPoolingLayer::setAverageCountExcludesPadding);
  Borrowed<IFullyConnectedLayer, ILayer> full(m, "IFullyConnectedLayer");
  full.def_property("num_output_channels", &IFullyConnectedLayer::getNbOutputChannels,
                    &IFullyConnectedLayer::setNbOutputChannels);
  weights_property<IFullyConnectedLayer>(full, "kernel", &IFullyConnectedLayer::getKernelWeights,
                                         &IFullyConnectedLayer::setKernelWeights);
  weights_property<IFullyConnectedLayer>(full, "bias", &IFullyConnectedLayer::getBiasWeights,
                                         &IFullyConnectedLayer::setBiasWeights);
  Borrowed<ILRNLayer, ILayer>(m, "ILRNLayer")
      .def_property("window_size", &ILRNLayer::getWindowSize, &ILRNLayer::setWindowSize)
      .def_property("alpha", &ILRNLayer::getAlpha, &ILRNLayer::setAlpha)
      .def_property("beta", &ILRNLayer::getBeta, &ILRNLayer::setBeta)
      .def_property("k", &ILRNLayer::getK, &ILRNLayer::setK);
  Borrowed<IPaddingLayer, ILayer>(m, "IPaddingLayer")
      .def_property("pre_padding", &IPaddingLayer::getPrePadding, &IPaddingLayer::setPrePadding)
      .def_property("post_padding", &IPaddingLayer::getPostPadding, &IPaddingLayer::setPostPadding)
      .def_property("pre_padding_nd", &IPaddingLayer::getPrePaddingNd, &IPaddingLayer::setPrePaddingNd)
      .def_property("post_padding_nd", &IPaddingLayer::getPostPaddingNd, &IPaddingLayer::setPostPaddingNd);
}

void bind_element_enums(py::module_& m) {
  py::enum_<ActivationType>(m, "ActivationType")
      .value("RELU", ActivationType::kRELU)
      .value("SIGMOID", ActivationType::kSIGMOID)
      .value("TANH", ActivationType::kTANH)
      .value("LEAKY_RELU", ActivationType::kLEAKY_RELU)
      .value("ELU", ActivationType::kELU)
      .value("SELU", ActivationType::kSELU)
      .value("SOFTSIGN", ActivationType::kSOFTSIGN)
      .value("SOFTPLUS", ActivationType::kSOFTPLUS)
      .value("CLIP", ActivationType::kCLIP)
      .value("HARD_SIGMOID", ActivationType::kHARD_SIGMOID)
      .value("SCALED_TANH", ActivationType::kSCALED_TANH)
      .value("THRESHOLDED_RELU", ActivationType::kTHRESHOLDED_RELU)
      .value("GELU_ERF", ActivationType::kGELU_ERF)
      .value("GELU_TANH", ActivationType::kGELU_TANH);
  py::enum_<ScaleMode>(m, "ScaleMode")
      .value("UNIFORM", ScaleMode::kUNIFORM)
      .value("CHANNEL", ScaleMode::kCHANNEL)
      .value("ELEMENTWISE", ScaleMode::kELEMENTWISE);
  py::enum_<ElementWiseOperation>(m, "ElementWiseOperation")
      .value("SUM", ElementWiseOperation::kSUM)
      .value("PROD", ElementWiseOperation::kPROD)
      .value("MAX", ElementWiseOperation::kMAX)
      .value("MIN", ElementWiseOperation::kMIN)
      .value("SUB", ElementWiseOperation::kSUB)
      .value("DIV", ElementWiseOperation::kDIV)
      .value("POW", ElementWiseOperation::kPOW)
      .value("FLOOR_DIV", ElementWiseOperation::kFLOOR_DIV)
      .value("AND", ElementWiseOperation::kAND)
      .value("OR", ElementWiseOperation::kOR)
      .value("XOR", ElementWiseOperation::kXOR)
      .value("EQUAL", ElementWiseOperation::kEQUAL)
      .value("GREATER", ElementWiseOperation::kGREATER)
      .value("LESS", ElementWiseOperation::kLESS);
  py::enum_<UnaryOperation> unary(m, "UnaryOperation");
  char const* const names[] = {"EXP",   "LOG",  "SQRT", "RECIP", "ABS",   "NEG",   "SIN",   "COS",   "TAN",
                               "SINH",  "COSH", "ASIN", "ACOS",  "ATAN",  "ASINH", "ACOSH", "ATANH", "CEIL",
                               "FLOOR", "ERF",  "NOT",  "SIGN",  "ROUND", "ISINF", "ISNAN"};
  for (int i = 0; i < 25; ++i) unary.value(names[i], static_cast<UnaryOperation>(i));
}

void bind_elements(py::module_& m) {
  bind_element_enums(m);
  Borrowed<IActivationLayer, ILayer>(m, "IActivationLayer")
      .def_property("type", &IActivationLayer::getActivationType, &IActivationLayer::setActivationType)
      .def_property("alpha", &IActivationLayer::getAlpha, &IActivationLayer::setAlpha)
      .def_property("beta", &IActivationLayer::getBeta, &IActivationLayer::setBeta);
  Borrowed<IScaleLayer, ILayer> scale(m, "IScaleLayer");
  scale.def_property("mode", &IScaleLayer::getMode, &IScaleLayer::setMode);
  scale.def_property("channel_axis", &IScaleLayer::getChannelAxis, &IScaleLayer::setChannelAxis);
  weights_property<IScaleLayer>(scale, "shift", &IScaleLayer::getShift, &IScaleLayer::setShift);
  weights_property<IScaleLayer>(scale, "scale", &IScaleLayer::getScale, &IScaleLayer::setScale);
  weights_property<IScaleLayer>(scale, "power", &IScaleLayer::getPower, &IScaleLayer::setPower);
  Borrowed<IElementWiseLayer, ILayer>(m, "IElementWiseLayer")
      .def_property("op", &IElementWiseLayer::getOperation, &IElementWiseLayer::setOperation);
  Borrowed<IUnaryLayer, ILayer>(m, "IUnaryLayer")
      .def_property("op", &IUnaryLayer::getOperation, &IUnaryLayer::setOperation);
  Borrowed<IParametricReLULayer, ILayer>(m, "IParametricReLULayer");
  Borrowed<ISelectLayer, ILayer>(m, "ISelectLayer");
  Borrowed<IIdentityLayer, ILayer>(m, "IIdentityLayer");
  Borrowed<ICastLayer, ILayer>(m, "ICastLayer").def_property("to_type", &ICastLayer::getToType, &ICastLayer::setToType);
  Borrowed<IQuantizeLayer, ILayer>(m, "IQuantizeLayer")
      .def_property("axis", &IQuantizeLayer::getAxis, &IQuantizeLayer::setAxis)
      .def_property("block_shape", &IQuantizeLayer::getBlockShape, &IQuantizeLayer::setBlockShape)
      .def_property("to_type", &IQuantizeLayer::getToType, &IQuantizeLayer::setToType);
  Borrowed<IDequantizeLayer, ILayer>(m, "IDequantizeLayer")
      .def_property("axis", &IDequantizeLayer::getAxis, &IDequantizeLayer::setAxis)
      .def_property("block_shape", &IDequantizeLayer::getBlockShape, &IDequantizeLayer::setBlockShape)
      .def_property("to_type", &IDequantizeLayer::getToType, &IDequantizeLayer::setToType);
  Borrowed<IDynamicQuantizeLayer, ILayer>(m, "IDynamicQuantizeLayer")
      .def_property("axis", &IDynamicQuantizeLayer::getAxis, &IDynamicQuantizeLayer::setAxis)
      .def_property("block_size", &IDynamicQuantizeLayer::getBlockSize, &IDynamicQuantizeLayer::setBlockSize)
      .def_property("to_type", &IDynamicQuantizeLayer::getToType, &IDynamicQuantizeLayer::setToType)
      .def_property("scale_type", &IDynamicQuantizeLayer::getScaleType, &IDynamicQuantizeLayer::setScaleType);
}

}  // namespace

void bind_layers(py::module_& m) {
  bind_tensor(m);
  bind_layer_type(m);
  bind_layer(m);
  bind_windows(m);
  bind_elements(m);
}

}  // namespace planish_python
