// Layers that sum, move, choose or make elements; loops, branches, recurrence, attention, plugins.
#include "python/tensorrt/bindings.h"

namespace planish_python {
namespace {

void bind_sums(py::module_& m) {
  py::enum_<MatrixOperation>(m, "MatrixOperation")
      .value("NONE", MatrixOperation::kNONE)
      .value("TRANSPOSE", MatrixOperation::kTRANSPOSE)
      .value("VECTOR", MatrixOperation::kVECTOR);
  py::enum_<ReduceOperation>(m, "ReduceOperation")
      .value("SUM", ReduceOperation::kSUM)
      .value("PROD", ReduceOperation::kPROD)
      .value("MAX", ReduceOperation::kMAX)
      .value("MIN", ReduceOperation::kMIN)
      .value("AVG", ReduceOperation::kAVG)
      .value("NONE", ReduceOperation::kNONE);
  py::enum_<TopKOperation>(m, "TopKOperation").value("MAX", TopKOperation::kMAX).value("MIN", TopKOperation::kMIN);
  py::enum_<CumulativeOperation>(m, "CumulativeOperation").value("SUM", CumulativeOperation::kSUM);
  Borrowed<IMatrixMultiplyLayer, ILayer>(m, "IMatrixMultiplyLayer")
      .def_property(
          "op0", [](IMatrixMultiplyLayer const& l) { return l.getOperation(0); },
          [](IMatrixMultiplyLayer& l, MatrixOperation op) { l.setOperation(0, op); })
      .def_property(
          "op1", [](IMatrixMultiplyLayer const& l) { return l.getOperation(1); },
          [](IMatrixMultiplyLayer& l, MatrixOperation op) { l.setOperation(1, op); });
  Borrowed<IEinsumLayer, ILayer>(m, "IEinsumLayer")
      .def_property("equation", &IEinsumLayer::getEquation, &IEinsumLayer::setEquation);
  Borrowed<ISoftMaxLayer, ILayer>(m, "ISoftMaxLayer")
      .def_property("axes", &ISoftMaxLayer::getAxes, &ISoftMaxLayer::setAxes);
  Borrowed<IRaggedSoftMaxLayer, ILayer>(m, "IRaggedSoftMaxLayer");
  Borrowed<IReduceLayer, ILayer>(m, "IReduceLayer")
      .def_property("op", &IReduceLayer::getOperation, &IReduceLayer::setOperation)
      .def_property("axes", &IReduceLayer::getReduceAxes, &IReduceLayer::setReduceAxes)
      .def_property("keep_dims", &IReduceLayer::getKeepDimensions, &IReduceLayer::setKeepDimensions);
  Borrowed<ITopKLayer, ILayer>(m, "ITopKLayer")
      .def_property("op", &ITopKLayer::getOperation, &ITopKLayer::setOperation)
      .def_property("k", &ITopKLayer::getK, &ITopKLayer::setK)
      .def_property("axes", &ITopKLayer::getReduceAxes, &ITopKLayer::setReduceAxes)
      .def_property("indices_type", &ITopKLayer::getIndicesType, &ITopKLayer::setIndicesType);
  Borrowed<INormalizationLayer, ILayer>(m, "INormalizationLayer")
      .def_property("epsilon", &INormalizationLayer::getEpsilon, &INormalizationLayer::setEpsilon)
      .def_property("axes", &INormalizationLayer::getAxes, &INormalizationLayer::setAxes)
      .def_property("num_groups", &INormalizationLayer::getNbGroups, &INormalizationLayer::setNbGroups)
      .def_property("compute_precision", &INormalizationLayer::getComputePrecision,
                    &INormalizationLayer::setComputePrecision);
  Borrowed<ICumulativeLayer, ILayer>(m, "ICumulativeLayer")
      .def_property("op", &ICumulativeLayer::getOperation, &ICumulativeLayer::setOperation)
      .def_property("exclusive", &ICumulativeLayer::getExclusive, &ICumulativeLayer::setExclusive)
      .def_property("reverse", &ICumulativeLayer::getReverse, &ICumulativeLayer::setReverse);
}

void bind_sampling_enums(py::module_& m) {
  py::enum_<SampleMode> sample(m, "SampleMode");
  sample.value("STRICT_BOUNDS", SampleMode::kSTRICT_BOUNDS)
      .value("DEFAULT", SampleMode::kDEFAULT)
      .value("WRAP", SampleMode::kWRAP)
      .value("CLAMP", SampleMode::kCLAMP)
      .value("FILL", SampleMode::kFILL)
      .value("REFLECT", SampleMode::kREFLECT);
  m.attr("SliceMode") = sample;
  py::enum_<InterpolationMode> interpolation(m, "InterpolationMode");
  interpolation.value("NEAREST", InterpolationMode::kNEAREST)
      .value("LINEAR", InterpolationMode::kLINEAR)
      .value("CUBIC", InterpolationMode::kCUBIC);
  m.attr("ResizeMode") = interpolation;
  py::enum_<ResizeCoordinateTransformation>(m, "ResizeCoordinateTransformation")
      .value("ALIGN_CORNERS", ResizeCoordinateTransformation::kALIGN_CORNERS)
      .value("ASYMMETRIC", ResizeCoordinateTransformation::kASYMMETRIC)
      .value("HALF_PIXEL", ResizeCoordinateTransformation::kHALF_PIXEL);
  py::enum_<ResizeSelector>(m, "ResizeSelector")
      .value("FORMULA", ResizeSelector::kFORMULA)
      .value("UPPER", ResizeSelector::kUPPER);
  py::enum_<ResizeRoundMode>(m, "ResizeRoundMode")
      .value("HALF_UP", ResizeRoundMode::kHALF_UP)
      .value("HALF_DOWN", ResizeRoundMode::kHALF_DOWN)
      .value("FLOOR", ResizeRoundMode::kFLOOR)
      .value("CEIL", ResizeRoundMode::kCEIL);
  py::enum_<GatherMode>(m, "GatherMode")
      .value("DEFAULT", GatherMode::kDEFAULT)
      .value("ELEMENT", GatherMode::kELEMENT)
      .value("ND", GatherMode::kND);
  py::enum_<ScatterMode>(m, "ScatterMode").value("ELEMENT", ScatterMode::kELEMENT).value("ND", ScatterMode::kND);
  py::enum_<FillOperation>(m, "FillOperation")
      .value("LINSPACE", FillOperation::kLINSPACE)
      .value("RANDOM_UNIFORM", FillOperation::kRANDOM_UNIFORM)
      .value("RANDOM_NORMAL", FillOperation::kRANDOM_NORMAL);
  py::enum_<BoundingBoxFormat>(m, "BoundingBoxFormat")
      .value("CORNER_PAIRS", BoundingBoxFormat::kCORNER_PAIRS)
      .value("CENTER_SIZES", BoundingBoxFormat::kCENTER_SIZES);
}

void bind_moves(py::module_& m) {
  Borrowed<IConcatenationLayer, ILayer>(m, "IConcatenationLayer")
      .def_property("axis", &IConcatenationLayer::getAxis, &IConcatenationLayer::setAxis);
  Borrowed<IShuffleLayer, ILayer>(m, "IShuffleLayer")
      .def_property("first_transpose", &IShuffleLayer::getFirstTranspose, &IShuffleLayer::setFirstTranspose)
      .def_property("reshape_dims", &IShuffleLayer::getReshapeDimensions, &IShuffleLayer::setReshapeDimensions)
      .def_property("second_transpose", &IShuffleLayer::getSecondTranspose, &IShuffleLayer::setSecondTranspose)
      .def_property("zero_is_placeholder", &IShuffleLayer::getZeroIsPlaceholder, &IShuffleLayer::setZeroIsPlaceholder);
  Borrowed<ISliceLayer, ILayer>(m, "ISliceLayer")
      .def_property("start", &ISliceLayer::getStart, &ISliceLayer::setStart)
      .def_property("shape", &ISliceLayer::getSize, &ISliceLayer::setSize)
      .def_property("stride", &ISliceLayer::getStride, &ISliceLayer::setStride)
      .def_property("mode", &ISliceLayer::getMode, &ISliceLayer::setMode)
      .def_property("axes", &ISliceLayer::getAxes, &ISliceLayer::setAxes);
  Borrowed<IShapeLayer, ILayer>(m, "IShapeLayer");
  Borrowed<ISqueezeLayer, ILayer>(m, "ISqueezeLayer");
  Borrowed<IUnsqueezeLayer, ILayer>(m, "IUnsqueezeLayer");
  Borrowed<IResizeLayer, ILayer> resize(m, "IResizeLayer");
  resize.def_property("shape", &IResizeLayer::getOutputDimensions, &IResizeLayer::setOutputDimensions);
  resize.def_property(
      "scales",
      [](IResizeLayer const& l) {
        std::vector<float> scales(static_cast<size_t>(std::max(0, l.getScales(0, nullptr))));
        l.getScales(static_cast<int32_t>(scales.size()), scales.data());
        return scales;
      },
      [](IResizeLayer& l, std::vector<float> const& s) { l.setScales(s.data(), static_cast<int32_t>(s.size())); });
  resize.def_property("resize_mode", &IResizeLayer::getResizeMode, &IResizeLayer::setResizeMode);
  resize.def_property("align_corners", &IResizeLayer::getAlignCorners, &IResizeLayer::setAlignCorners);
  resize.def_property("coordinate_transformation", &IResizeLayer::getCoordinateTransformation,
                      &IResizeLayer::setCoordinateTransformation);
  resize.def_property("selector_for_single_pixel", &IResizeLayer::getSelectorForSinglePixel,
                      &IResizeLayer::setSelectorForSinglePixel);
  resize.def_property("nearest_rounding", &IResizeLayer::getNearestRounding, &IResizeLayer::setNearestRounding);
  resize.def_property("cubic_coeff", &IResizeLayer::getCubicCoeff, &IResizeLayer::setCubicCoeff);
  resize.def_property("exclude_outside", &IResizeLayer::getExcludeOutside, &IResizeLayer::setExcludeOutside);
}

void bind_choices(py::module_& m) {
  Borrowed<IGatherLayer, ILayer>(m, "IGatherLayer")
      .def_property("axis", &IGatherLayer::getGatherAxis, &IGatherLayer::setGatherAxis)
      .def_property("num_elementwise_dims", &IGatherLayer::getNbElementWiseDims, &IGatherLayer::setNbElementWiseDims)
      .def_property("mode", &IGatherLayer::getMode, &IGatherLayer::setMode);
  Borrowed<IScatterLayer, ILayer>(m, "IScatterLayer")
      .def_property("axis", &IScatterLayer::getAxis, &IScatterLayer::setAxis)
      .def_property("mode", &IScatterLayer::getMode, &IScatterLayer::setMode);
  Borrowed<IGridSampleLayer, ILayer>(m, "IGridSampleLayer")
      .def_property("interpolation_mode", &IGridSampleLayer::getInterpolationMode,
                    &IGridSampleLayer::setInterpolationMode)
      .def_property("align_corners", &IGridSampleLayer::getAlignCorners, &IGridSampleLayer::setAlignCorners)
      .def_property("sample_mode", &IGridSampleLayer::getSampleMode, &IGridSampleLayer::setSampleMode);
  Borrowed<IConstantLayer, ILayer>(m, "IConstantLayer")
      .def_property(
          "weights", [](IConstantLayer const& l) { return l.getWeights(); },
          [](IConstantLayer& l, py::object const& value) { l.setWeights(weights_of(static_cast<ILayer*>(&l), value)); })
      .def_property("shape", &IConstantLayer::getDimensions, &IConstantLayer::setDimensions);
  Borrowed<IFillLayer, ILayer> fill(m, "IFillLayer");
  fill.def_property("shape", &IFillLayer::getDimensions, &IFillLayer::setDimensions);
  fill.def_property("operation", &IFillLayer::getOperation, &IFillLayer::setOperation);
  fill.def_property("alpha", &IFillLayer::getAlpha, &IFillLayer::setAlpha);
  fill.def_property("beta", &IFillLayer::getBeta, &IFillLayer::setBeta);
  fill.def_property("to_type", &IFillLayer::getToType, &IFillLayer::setToType);
  fill.def("is_alpha_beta_int64", &IFillLayer::isAlphaBetaInt64);
  Borrowed<IOneHotLayer, ILayer>(m, "IOneHotLayer")
      .def_property("axis", &IOneHotLayer::getAxis, &IOneHotLayer::setAxis);
  Borrowed<INonZeroLayer, ILayer>(m, "INonZeroLayer")
      .def_property("indices_type", &INonZeroLayer::getIndicesType, &INonZeroLayer::setIndicesType);
  Borrowed<INMSLayer, ILayer>(m, "INMSLayer")
      .def_property("bounding_box_format", &INMSLayer::getBoundingBoxFormat, &INMSLayer::setBoundingBoxFormat)
      .def_property("topk_box_limit", &INMSLayer::getTopKBoxLimit, &INMSLayer::setTopKBoxLimit)
      .def_property("indices_type", &INMSLayer::getIndicesType, &INMSLayer::setIndicesType);
  Borrowed<IReverseSequenceLayer, ILayer>(m, "IReverseSequenceLayer")
      .def_property("batch_axis", &IReverseSequenceLayer::getBatchAxis, &IReverseSequenceLayer::setBatchAxis)
      .def_property("sequence_axis", &IReverseSequenceLayer::getSequenceAxis, &IReverseSequenceLayer::setSequenceAxis);
  Borrowed<IAssertionLayer, ILayer>(m, "IAssertionLayer")
      .def_property("message", &IAssertionLayer::getMessage, &IAssertionLayer::setMessage);
}

void bind_loops(py::module_& m) {
  auto const internal = py::return_value_policy::reference_internal;
  py::enum_<LoopOutput>(m, "LoopOutput")
      .value("LAST_VALUE", LoopOutput::kLAST_VALUE)
      .value("CONCATENATE", LoopOutput::kCONCATENATE)
      .value("REVERSE", LoopOutput::kREVERSE);
  py::enum_<TripLimit>(m, "TripLimit").value("COUNT", TripLimit::kCOUNT).value("WHILE", TripLimit::kWHILE);
  Borrowed<ILoop> loop(m, "ILoop");
  Borrowed<ILoopBoundaryLayer, ILayer>(m, "ILoopBoundaryLayer")
      .def_property_readonly("loop", &ILoopBoundaryLayer::getLoop, internal);
  Borrowed<IRecurrenceLayer, ILoopBoundaryLayer>(m, "IRecurrenceLayer");
  Borrowed<ILoopOutputLayer, ILoopBoundaryLayer>(m, "ILoopOutputLayer")
      .def_property("axis", &ILoopOutputLayer::getAxis, &ILoopOutputLayer::setAxis)
      .def_property_readonly("kind", &ILoopOutputLayer::getLoopOutput);
  Borrowed<ITripLimitLayer, ILoopBoundaryLayer>(m, "ITripLimitLayer")
      .def_property_readonly("kind", &ITripLimitLayer::getTripLimit);
  Borrowed<IIteratorLayer, ILoopBoundaryLayer>(m, "IIteratorLayer")
      .def_property("axis", &IIteratorLayer::getAxis, &IIteratorLayer::setAxis)
      .def_property("reverse", &IIteratorLayer::getReverse, &IIteratorLayer::setReverse);
  loop.def_property("name", &ILoop::getName, &ILoop::setName);
  loop.def("add_recurrence", &ILoop::addRecurrence, py::arg("initial_value"), internal);
  loop.def("add_trip_limit", &ILoop::addTripLimit, py::arg("tensor"), py::arg("kind"), internal);
  loop.def("add_iterator", &ILoop::addIterator, py::arg("tensor"), py::arg("axis") = 0, py::arg("reverse") = false,
           internal);
  loop.def("add_loop_output", &ILoop::addLoopOutput, py::arg("tensor"), py::arg("kind"), py::arg("axis") = 0, internal);

  Borrowed<IIfConditional> conditional(m, "IIfConditional");
  Borrowed<IIfConditionalBoundaryLayer, ILayer>(m, "IIfConditionalBoundaryLayer")
      .def_property_readonly("conditional", &IIfConditionalBoundaryLayer::getConditional, internal);
  Borrowed<IConditionLayer, IIfConditionalBoundaryLayer>(m, "IConditionLayer");
  Borrowed<IIfConditionalInputLayer, IIfConditionalBoundaryLayer>(m, "IIfConditionalInputLayer");
  Borrowed<IIfConditionalOutputLayer, IIfConditionalBoundaryLayer>(m, "IIfConditionalOutputLayer");
  conditional.def_property("name", &IIfConditional::getName, &IIfConditional::setName);
  conditional.def("set_condition", &IIfConditional::setCondition, py::arg("condition"), internal);
  conditional.def("add_input", &IIfConditional::addInput, py::arg("input"), internal);
  conditional.def("add_output", &IIfConditional::addOutput, py::arg("true_subgraph_output"),
                  py::arg("false_subgraph_output"), internal);
}

void bind_recurrence(py::module_& m) {
  auto const internal = py::return_value_policy::reference_internal;
  py::enum_<RNNOperation>(m, "RNNOperation")
      .value("RELU", RNNOperation::kRELU)
      .value("TANH", RNNOperation::kTANH)
      .value("LSTM", RNNOperation::kLSTM)
      .value("GRU", RNNOperation::kGRU);
  py::enum_<RNNDirection>(m, "RNNDirection")
      .value("UNIDIRECTION", RNNDirection::kUNIDIRECTION)
      .value("BIDIRECTION", RNNDirection::kBIDIRECTION);
  py::enum_<RNNInputMode>(m, "RNNInputMode").value("LINEAR", RNNInputMode::kLINEAR).value("SKIP", RNNInputMode::kSKIP);
  py::enum_<RNNGateType>(m, "RNNGateType")
      .value("INPUT", RNNGateType::kINPUT)
      .value("OUTPUT", RNNGateType::kOUTPUT)
      .value("FORGET", RNNGateType::kFORGET)
      .value("UPDATE", RNNGateType::kUPDATE)
      .value("RESET", RNNGateType::kRESET)
      .value("CELL", RNNGateType::kCELL)
      .value("HIDDEN", RNNGateType::kHIDDEN);
  Borrowed<IRNNv2Layer, ILayer> rnn(m, "IRNNv2Layer");
  rnn.def_property_readonly("num_layers", &IRNNv2Layer::getLayerCount);
  rnn.def_property_readonly("hidden_size", &IRNNv2Layer::getHiddenSize);
  rnn.def_property_readonly("max_seq_length", &IRNNv2Layer::getMaxSeqLength);
  rnn.def_property_readonly("data_length", &IRNNv2Layer::getDataLength);
  rnn.def_property("op", &IRNNv2Layer::getOperation, &IRNNv2Layer::setOperation);
  rnn.def_property("input_mode", &IRNNv2Layer::getInputMode, &IRNNv2Layer::setInputMode);
  rnn.def_property("direction", &IRNNv2Layer::getDirection, &IRNNv2Layer::setDirection);
  rnn.def_property("seq_lengths", py::cpp_function(&IRNNv2Layer::getSequenceLengths, internal),
                   &IRNNv2Layer::setSequenceLengths);
  rnn.def_property("hidden_state", py::cpp_function(&IRNNv2Layer::getHiddenState, internal),
                   &IRNNv2Layer::setHiddenState);
  rnn.def_property("cell_state", py::cpp_function(&IRNNv2Layer::getCellState, internal), &IRNNv2Layer::setCellState);
  rnn.def(
      "set_weights_for_gate",
      [](IRNNv2Layer& l, int layer, RNNGateType gate, bool is_w, py::object const& weights) {
        l.setWeightsForGate(layer, gate, is_w, weights_of(static_cast<ILayer*>(&l), weights));
      },
      py::arg("layer_index"), py::arg("gate"), py::arg("is_w"), py::arg("weights"));
  rnn.def(
      "set_bias_for_gate",
      [](IRNNv2Layer& l, int layer, RNNGateType gate, bool is_w, py::object const& bias) {
        l.setBiasForGate(layer, gate, is_w, weights_of(static_cast<ILayer*>(&l), bias));
      },
      py::arg("layer_index"), py::arg("gate"), py::arg("is_w"), py::arg("bias"));
}

void bind_attention(py::module_& m) {
  auto const internal = py::return_value_policy::reference_internal;
  py::enum_<AttentionNormalizationOp>(m, "AttentionNormalizationOp")
      .value("NONE", AttentionNormalizationOp::kNONE)
      .value("SOFTMAX", AttentionNormalizationOp::kSOFTMAX);
  py::enum_<KVCacheMode>(m, "KVCacheMode").value("LINEAR", KVCacheMode::kLINEAR);
  Borrowed<IAttention> attention(m, "IAttention");
  attention.def_property("norm_op", &IAttention::getNormalizationOperation, &IAttention::setNormalizationOperation);
  attention.def_property("mask", py::cpp_function(&IAttention::getMask, internal), &IAttention::setMask);
  attention.def_property("causal", &IAttention::getCausal, &IAttention::setCausal);
  attention.def_property("decomposable", &IAttention::getDecomposable, &IAttention::setDecomposable);
  attention.def_property("name", &IAttention::getName, &IAttention::setName);
  attention.def_property("metadata", &IAttention::getMetadata, &IAttention::setMetadata);
  attention.def_property_readonly("num_inputs", &IAttention::getNbInputs);
  attention.def_property_readonly("num_outputs", &IAttention::getNbOutputs);
  attention.def("set_input", &IAttention::setInput, py::arg("index"), py::arg("input"));
  attention.def("get_input", &IAttention::getInput, py::arg("index"), internal);
  attention.def("get_output", &IAttention::getOutput, py::arg("index"), internal);
  Borrowed<IRotaryEmbeddingLayer, ILayer>(m, "IRotaryEmbeddingLayer")
      .def_property("interleaved", &IRotaryEmbeddingLayer::getInterleaved, &IRotaryEmbeddingLayer::setInterleaved)
      .def_property("rotary_embedding_dim", &IRotaryEmbeddingLayer::getRotaryEmbeddingDim,
                    &IRotaryEmbeddingLayer::setRotaryEmbeddingDim);
  Borrowed<IKVCacheUpdateLayer, ILayer>(m, "IKVCacheUpdateLayer")
      .def_property("cache_mode", &IKVCacheUpdateLayer::getCacheMode, &IKVCacheUpdateLayer::setCacheMode);
  Borrowed<IPluginV2Layer, ILayer>(m, "IPluginV2Layer")
      .def_property_readonly("plugin", &IPluginV2Layer::getPlugin, py::return_value_policy::reference);
  Borrowed<IPluginV3Layer, ILayer>(m, "IPluginV3Layer")
      .def_property_readonly("plugin", &IPluginV3Layer::getPlugin, py::return_value_policy::reference);
}

}  // namespace

void bind_layers_shape(py::module_& m) {
  bind_sums(m);
  bind_sampling_enums(m);
  bind_moves(m);
  bind_choices(m);
  bind_loops(m);
  bind_recurrence(m);
  bind_attention(m);
}

}  // namespace planish_python
