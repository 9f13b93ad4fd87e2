// Adding layers: names and order of the arguments are those of the interface's Python form.
#include "python/tensorrt/bindings.h"

namespace planish_python {
namespace {

using Net = INetworkDefinition;
auto const internal = py::return_value_policy::reference_internal;
using py::arg;

void bind_windows_of(Network& n) {
  n.def(
      "add_convolution",
      [](Net& net, ITensor& x, int64_t maps, DimsHW size, py::object const& kernel, py::object const& bias) {
        return net.addConvolution(x, static_cast<int32_t>(maps), size, weights_of(&net, kernel),
                                  weights_of(&net, bias));
      },
      arg("input"), arg("num_output_maps"), arg("kernel_shape"), arg("kernel"), arg("bias") = py::none(), internal);
  n.def(
      "add_convolution_nd",
      [](Net& net, ITensor& x, int64_t maps, Dims const& size, py::object const& kernel, py::object const& bias) {
        return net.addConvolutionNd(x, maps, size, weights_of(&net, kernel), weights_of(&net, bias));
      },
      arg("input"), arg("num_output_maps"), arg("kernel_shape"), arg("kernel"), arg("bias") = py::none(), internal);
  n.def(
      "add_deconvolution",
      [](Net& net, ITensor& x, int64_t maps, DimsHW size, py::object const& kernel, py::object const& bias) {
        return net.addDeconvolution(x, static_cast<int32_t>(maps), size, weights_of(&net, kernel),
                                    weights_of(&net, bias));
      },
      arg("input"), arg("num_output_maps"), arg("kernel_shape"), arg("kernel"), arg("bias") = py::none(), internal);
  n.def(
      "add_deconvolution_nd",
      [](Net& net, ITensor& x, int64_t maps, Dims const& size, py::object const& kernel, py::object const& bias) {
        return net.addDeconvolutionNd(x, maps, size, weights_of(&net, kernel), weights_of(&net, bias));
      },
      arg("input"), arg("num_output_maps"), arg("kernel_shape"), arg("kernel"), arg("bias") = py::none(), internal);
  n.def(
      "add_fully_connected",
      [](Net& net, ITensor& x, int32_t outputs, py::object const& kernel, py::object const& bias) {
        return net.addFullyConnected(x, outputs, weights_of(&net, kernel), weights_of(&net, bias));
      },
      arg("input"), arg("num_outputs"), arg("kernel"), arg("bias") = py::none(), internal);
  n.def(
      "add_pooling", [](Net& net, ITensor& x, PoolingType type, DimsHW size) { return net.addPooling(x, type, size); },
      arg("input"), arg("type"), arg("window_size"), internal);
  n.def("add_pooling_nd", &Net::addPoolingNd, arg("input"), arg("type"), arg("window_size"), internal);
  n.def("add_lrn", &Net::addLRN, arg("input"), arg("window"), arg("alpha"), arg("beta"), arg("k"), internal);
  n.def("add_padding", &Net::addPadding, arg("input"), arg("pre_padding"), arg("post_padding"), internal);
  n.def("add_padding_nd", &Net::addPaddingNd, arg("input"), arg("pre_padding"), arg("post_padding"), internal);
}

void bind_elements_of(Network& n) {
  n.def("add_activation", &Net::addActivation, arg("input"), arg("type"), internal);
  n.def(
      "add_scale",
      [](Net& net, ITensor& x, ScaleMode mode, py::object const& shift, py::object const& scale,
         py::object const& power) {
        return net.addScale(x, mode, weights_of(&net, shift), weights_of(&net, scale), weights_of(&net, power));
      },
      arg("input"), arg("mode"), arg("shift") = py::none(), arg("scale") = py::none(), arg("power") = py::none(),
      internal);
  n.def(
      "add_scale_nd",
      [](Net& net, ITensor& x, ScaleMode mode, py::object const& shift, py::object const& scale,
         py::object const& power, int32_t axis) {
        return net.addScaleNd(x, mode, weights_of(&net, shift), weights_of(&net, scale), weights_of(&net, power), axis);
      },
      arg("input"), arg("mode"), arg("shift") = py::none(), arg("scale") = py::none(), arg("power") = py::none(),
      arg("channel_axis"), internal);
  n.def("add_elementwise", &Net::addElementWise, arg("input1"), arg("input2"), arg("op"), internal);
  n.def("add_unary", &Net::addUnary, arg("input"), arg("op"), internal);
  n.def("add_parametric_relu", &Net::addParametricReLU, arg("input"), arg("slopes"), internal);
  n.def("add_select", &Net::addSelect, arg("condition"), arg("then_input"), arg("else_input"), internal);
  n.def("add_identity", &Net::addIdentity, arg("input"), internal);
  n.def("add_cast", &Net::addCast, arg("input"), arg("to_type"), internal);
  n.def(
      "add_quantize",
      [](Net& net, ITensor& x, ITensor& scale, DataType type) { return net.addQuantize(x, scale, type); }, arg("input"),
      arg("scale"), arg("output_type") = DataType::kINT8, internal);
  n.def(
      "add_dequantize",
      [](Net& net, ITensor& x, ITensor& scale, DataType type) { return net.addDequantize(x, scale, type); },
      arg("input"), arg("scale"), arg("output_type") = DataType::kFLOAT, internal);
  n.def("add_dynamic_quantize", &Net::addDynamicQuantize, arg("input"), arg("axis"), arg("block_size"),
        arg("output_type"), arg("scale_type"), internal);
}

void bind_sums_of(Network& n) {
  n.def(
      "add_matrix_multiply",
      [](Net& net, ITensor& a, MatrixOperation op0, ITensor& b, MatrixOperation op1) {
        return net.addMatrixMultiply(a, op0, b, op1);
      },
      arg("input0"), arg("op0"), arg("input1"), arg("op1"), internal);
  n.def(
      "add_einsum",
      [](Net& net, std::vector<ITensor*> const& inputs, char const* equation) {
        return net.addEinsum(inputs.data(), static_cast<int32_t>(inputs.size()), equation);
      },
      arg("inputs"), arg("equation"), internal);
  n.def("add_softmax", &Net::addSoftMax, arg("input"), internal);
  n.def("add_ragged_softmax", &Net::addRaggedSoftMax, arg("input"), arg("bounds"), internal);
  n.def("add_reduce", &Net::addReduce, arg("input"), arg("op"), arg("axes"), arg("keep_dims"), internal);
  n.def(
      "add_topk",
      [](Net& net, ITensor& x, TopKOperation op, int32_t k, uint32_t axes, DataType type) {
        return net.addTopK(x, op, k, axes, type);
      },
      arg("input"), arg("op"), arg("k"), arg("axes"), arg("indices_type") = DataType::kINT32, internal);
  n.def("add_normalization", &Net::addNormalization, arg("input"), arg("scale"), arg("bias"), arg("axesMask"),
        internal);
  n.def("add_normalization_v2", &Net::addNormalizationV2, arg("input"), arg("scale"), arg("bias"), arg("axesMask"),
        internal);
  n.def("add_cumulative", &Net::addCumulative, arg("input"), arg("axis"), arg("op"), arg("exclusive"), arg("reverse"),
        internal);
  n.def("add_rnn_v2", &Net::addRNNv2, arg("input"), arg("layer_count"), arg("hidden_size"), arg("max_seq_length"),
        arg("op"), internal);
  n.def("add_attention", &Net::addAttention, arg("query"), arg("key"), arg("value"), arg("norm_op"), arg("causal"),
        internal);
  n.def("add_rotary_embedding", &Net::addRotaryEmbedding, arg("input"), arg("cos_cache"), arg("sin_cache"),
        arg("interleaved"), arg("rotary_embedding_dim"), internal);
  n.def("add_kv_cache_update", &Net::addKVCacheUpdate, arg("cache"), arg("update"), arg("write_indices"),
        arg("cache_mode"), internal);
}

void bind_moves_of(Network& n) {
  n.def(
      "add_concatenation",
      [](Net& net, std::vector<ITensor*> const& inputs) {
        return net.addConcatenation(inputs.data(), static_cast<int32_t>(inputs.size()));
      },
      arg("inputs"), internal);
  n.def("add_shuffle", &Net::addShuffle, arg("input"), internal);
  n.def("add_slice", &Net::addSlice, arg("input"), arg("start"), arg("shape"), arg("stride"), internal);
  n.def("add_shape", &Net::addShape, arg("input"), internal);
  n.def("add_squeeze", &Net::addSqueeze, arg("input"), arg("axes"), internal);
  n.def("add_unsqueeze", &Net::addUnsqueeze, arg("input"), arg("axes"), internal);
  n.def("add_resize", &Net::addResize, arg("input"), internal);
  n.def("add_gather", &Net::addGather, arg("input"), arg("indices"), arg("axis"), internal);
  n.def("add_gather_v2", &Net::addGatherV2, arg("input"), arg("indices"), arg("mode"), internal);
  n.def("add_scatter", &Net::addScatter, arg("data"), arg("indices"), arg("updates"), arg("mode"), internal);
  n.def("add_grid_sample", &Net::addGridSample, arg("input"), arg("grid"), internal);
  n.def(
      "add_constant",
      [](Net& net, Dims const& shape, py::object const& weights) {
        return net.addConstant(shape, weights_of(&net, weights));
      },
      arg("shape"), arg("weights"), internal);
  n.def(
      "add_fill",
      [](Net& net, Dims const& shape, FillOperation op, DataType type) { return net.addFill(shape, op, type); },
      arg("shape"), arg("op"), arg("output_type") = DataType::kFLOAT, internal);
  n.def("add_one_hot", &Net::addOneHot, arg("indices"), arg("values"), arg("depth"), arg("axis"), internal);
  n.def(
      "add_non_zero", [](Net& net, ITensor& x, DataType type) { return net.addNonZero(x, type); }, arg("input"),
      arg("indices_type") = DataType::kINT32, internal);
  n.def(
      "add_nms",
      [](Net& net, ITensor& boxes, ITensor& scores, ITensor& most, DataType type) {
        return net.addNMS(boxes, scores, most, type);
      },
      arg("boxes"), arg("scores"), arg("max_output_boxes_per_class"), arg("indices_type") = DataType::kINT32, internal);
  n.def("add_reverse_sequence", &Net::addReverseSequence, arg("input"), arg("sequence_lens"), internal);
  n.def("add_assertion", &Net::addAssertion, arg("condition"), arg("message"), internal);
  n.def("add_loop", &Net::addLoop, internal);
  n.def("add_if_conditional", &Net::addIfConditional, internal);
}

void bind_plugins_of(Network& n) {
  n.def(
      "add_plugin_v2",
      [](Net& net, std::vector<ITensor*> const& inputs, IPluginV2& plugin) {
        return net.addPluginV2(inputs.data(), static_cast<int32_t>(inputs.size()), plugin);
      },
      arg("inputs"), arg("plugin"), internal);
  n.def(
      "add_plugin_v3",
      [](Net& net, std::vector<ITensor*> const& inputs, std::vector<ITensor*> const& shapes, IPluginV3& plugin) {
        return net.addPluginV3(inputs.data(), static_cast<int32_t>(inputs.size()), shapes.data(),
                               static_cast<int32_t>(shapes.size()), plugin);
      },
      arg("inputs"), arg("shape_inputs"), arg("plugin"), internal);
}

}  // namespace

void bind_network_adds(py::module_& m) {
  auto network = py::reinterpret_borrow<Network>(m.attr("INetworkDefinition"));
  bind_windows_of(network);
  bind_elements_of(network);
  bind_sums_of(network);
  bind_moves_of(network);
  bind_plugins_of(network);
}

}  // namespace planish_python
