// ONNX operators that are ours under another spelling: operands and attributes pass through.

#include "importers/onnx/importer.h"

namespace planish::onnx {
namespace {

struct SameRow {
  const char *onnx, *op;
};
const SameRow kSame[] = {
    {"Abs", "abs"},
    {"Acos", "acos"},
    {"Acosh", "acosh"},
    {"AffineGrid", "affine_grid"},
    {"Asin", "asin"},
    {"Asinh", "asinh"},
    {"Atan", "atan"},
    {"Atanh", "atanh"},
    {"BitwiseAnd", "bitwise_and"},
    {"BitwiseNot", "bitwise_not"},
    {"BitwiseOr", "bitwise_or"},
    {"BitwiseXor", "bitwise_xor"},
    {"BitShift", "bit_shift"},
    {"Ceil", "ceil"},
    {"Celu", "celu"},
    {"Col2Im", "col2im"},
    {"Compress", "compress"},
    {"Conv", "conv"},
    {"ConvTranspose", "conv_transpose"},
    {"Cos", "cos"},
    {"Cosh", "cosh"},
    {"CumProd", "cum_prod"},
    {"CumSum", "cum_sum"},
    {"DeformConv", "deform_conv"},
    {"DepthToSpace", "depth_to_space"},
    {"Det", "det"},
    {"Elu", "elu"},
    {"Erf", "erf"},
    {"Exp", "exp"},
    {"Expand", "expand"},
    {"Flatten", "flatten"},
    {"Floor", "floor"},
    {"Gather", "gather"},
    {"GatherElements", "gather_elements"},
    {"GlobalAveragePool", "global_average_pool"},
    {"GlobalMaxPool", "global_max_pool"},
    {"Gelu", "gelu"},
    {"GreaterOrEqual", "greater_equal"},
    {"HardSigmoid", "hard_sigmoid"},
    {"HardSwish", "hard_swish"},
    {"IsInf", "is_inf"},
    {"IsNaN", "is_nan"},
    {"LeakyRelu", "leaky_relu"},
    {"LessOrEqual", "less_equal"},
    {"Log", "log"},
    {"MatMul", "matmul"},
    {"Max", "max"},
    {"MaxPool", "max_pool"},
    {"MaxRoiPool", "max_roi_pool"},
    {"MaxUnpool", "max_unpool"},
    {"AveragePool", "average_pool"},
    {"Mean", "mean"},
    {"Min", "min"},
    {"Mish", "mish"},
    {"Mod", "mod"},
    {"Neg", "neg"},
    {"NonMaxSuppression", "non_max_suppression"},
    {"NonZero", "nonzero"},
    {"Not", "not"},
    {"Range", "range"},
    {"Reciprocal", "reciprocal"},
    {"Relu", "relu"},
    {"RMSNormalization", "rms_normalization"},
    {"Round", "round"},
    {"Scatter", "scatter_elements"},
    {"ScatterElements", "scatter_elements"},
    {"ScatterND", "scatter_nd"},
    {"GatherND", "gather_nd"},
    {"Selu", "selu"},
    {"Shape", "shape"},
    {"Sigmoid", "sigmoid"},
    {"Sign", "sign"},
    {"Sin", "sin"},
    {"Sinh", "sinh"},
    {"Size", "size"},
    {"Softplus", "softplus"},
    {"Softsign", "softsign"},
    {"SpaceToDepth", "space_to_depth"},
    {"Sqrt", "sqrt"},
    {"Sum", "sum"},
    {"Tan", "tan"},
    {"Tanh", "tanh"},
    {"ThresholdedRelu", "thresholded_relu"},
    {"TfIdfVectorizer", "tfidf_vectorizer"},
    {"Transpose", "transpose"},
    {"Trilu", "trilu"},
    {"Unique", "unique"},
    {"Where", "where"},
    {"ArgMax", "arg_max"},
    {"ArgMin", "arg_min"},
};

void import_same(NodeContext& context) {
  for (const SameRow& row : kSame)
    if (context.proto().op_type == row.onnx) return context.emit(row.op, context.inputs(), context.attrs());
}

}  // namespace

void register_same(ImporterTable& table) {
  for (const SameRow& row : kSame) table.add(row.onnx, import_same);
}

}  // namespace planish::onnx
