#!/usr/bin/env python3
"""Networks of one operator, in the forms that exporters write, run in ONNX Runtime and in planish on the same inputs.

  operators.py PLANISH [NAME…]     all cases, or those whose name contains NAME

Operands that a case names as constants become initializers; all others are inputs. Needs onnx, onnxruntime, numpy.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT = 1e-4
CASES = []


def case(name, op, inputs, opset=17, outputs=1, constants=(), domain="", exact=True, compared=None, **attributes):
    """`inputs`: arrays or None, in order; `constants`: positions that are initializers; `compared`: how many results, absent: all."""
    CASES.append(dict(name=name, op=op, inputs=inputs, opset=opset, outputs=outputs, constants=constants, domain=domain,
                      exact=exact, compared=compared, attributes=attributes))


def cases():
    random = np.random.default_rng(3)

    def floats(*shape):
        return random.standard_normal(shape).astype(np.float32)

    def ints(*values, dtype=np.int64):
        return np.array(values, dtype)

    image, sound = floats(2, 6, 5, 7), floats(2, 6, 33)
    for x in (image, sound, floats(2, 6, 3, 4, 5)):
        case(f"instance_norm_rank{x.ndim}", "InstanceNormalization", [x, floats(6), floats(6)], constants=(1, 2), epsilon=1e-3)
    case("instance_norm_computed", "InstanceNormalization", [image, floats(6), floats(6)])
    case("group_norm_18", "GroupNormalization", [image, floats(3), floats(3)], opset=18, constants=(1, 2), num_groups=3)
    case("group_norm_21", "GroupNormalization", [image, floats(6), floats(6)], opset=21, constants=(1, 2), num_groups=3)
    for size in (1, 3, 5):
        case(f"lrn_{size}", "LRN", [image], size=size, alpha=0.1, beta=0.6, bias=1.5)
    for p in (1, 2):
        case(f"lp_norm_{p}", "LpNormalization", [image * (np.arange(6) != 2).reshape(1, 6, 1, 1).astype(np.float32)], p=p, axis=2)
    case("mean_variance_norm", "MeanVarianceNormalization", [image], axes=[0, 2, 3])
    case("layer_norm_one_scale", "LayerNormalization", [image, floats(1)], constants=(1,))
    case("layer_norm_one_scale_and_bias", "LayerNormalization", [image, floats(1), floats(1)], constants=(1, 2))
    case("layer_norm_two_axes", "LayerNormalization", [image, floats(5, 7), floats(5, 7)], constants=(1, 2), axis=2)

    recurrent_cases(floats, ints)
    training_cases(floats, ints, random)
    language_cases(floats, ints, random)
    einsum_cases(floats)
    choosing_cases(floats, ints, random)
    quantized_cases(floats, random)
    fused_cases(floats)
    picture_cases(case, floats, ints, random)
    control_cases(floats)
    function_case(floats)
    function_name_case(floats)

    case("dropout_mask", "Dropout", [image], outputs=2)
    case("max_pool_column_major", "MaxPool", [image], outputs=2, kernel_shape=[2, 3], strides=[2, 1], storage_order=1)


def recurrent_cases(floats, ints):
    t, n, i, h = 7, 3, 5, 9
    for op, gates in (("GRU", 3), ("RNN", 1)):
        for direction, d in (("forward", 1), ("reverse", 1), ("bidirectional", 2)):
            weights = [floats(d, gates * h, i), floats(d, gates * h, h)]
            bias, first = floats(d, 2 * gates * h), floats(d, n, h)
            case(f"{op}_{direction}", op, [floats(t, n, i), *weights, bias, None, first], outputs=2, constants=(1, 2, 3),
                 hidden_size=h, direction=direction)
            case(f"{op}_{direction}_lengths", op, [floats(t, n, i), *weights, None, ints(7, 2, 4, dtype=np.int32)], outputs=2,
                 constants=(1, 2), hidden_size=h, direction=direction)
        case(f"{op}_plain", op, [floats(t, n, i), floats(1, gates * h, i), floats(1, gates * h, h)], constants=(1, 2), hidden_size=h)
        case(f"{op}_relu", op, [floats(t, n, i) * .1, floats(1, gates * h, i), floats(1, gates * h, h)], constants=(1, 2), hidden_size=h,
             activations=["Sigmoid", "Relu"] if op == "GRU" else ["Relu"])
    for op, gates, names in (("GRU", 3, ["HardSigmoid", "ScaledTanh"]), ("RNN", 1, ["Affine"]), ("LSTM", 4, ["HardSigmoid", "Softsign", "Elu"])):
        weights = [floats(2, gates * h, i), floats(2, gates * h, h)]
        case(f"{op}_clip", op, [floats(t, n, i), *weights], outputs=2, constants=(1, 2), hidden_size=h, direction="bidirectional", clip=0.3)
        case(f"{op}_activations", op, [floats(t, n, i) * .1, *weights], outputs=2, constants=(1, 2), hidden_size=h, direction="bidirectional",
             activations=names * 2, activation_alpha=[0.3, 0.7] * (1 if op == "RNN" else 2), activation_beta=[0.4, 0.6] * (2 if op == "GRU" else 1))
    case("LSTM_input_forget", "LSTM", [floats(t, n, i), floats(1, 4 * h, i), floats(1, 4 * h, h)], outputs=3, constants=(1, 2), hidden_size=h, input_forget=1)
    case("LSTM_peepholes_computed", "LSTM", [floats(t, n, i), floats(1, 4 * h, i), floats(1, 4 * h, h), None, None, None, None, floats(1, 3 * h)], outputs=3,
         hidden_size=h)
    case("GRU_linear_before_reset", "GRU", [floats(t, n, i), floats(2, 3 * h, i), floats(2, 3 * h, h), floats(2, 6 * h)], outputs=2,
         constants=(1, 2, 3), hidden_size=h, direction="bidirectional", linear_before_reset=1)


def training_cases(floats, ints, random):
    scores, classes, weights = floats(4, 5, 3), random.integers(0, 5, (4, 3)), np.abs(floats(5))
    for reduction in ("none", "sum", "mean"):
        for operands in ([scores, classes], [scores, classes, weights]):
            for options in ({}, {"ignore_index": 2}):
                name = f"{reduction}_{len(operands)}_{len(options)}"
                case(f"nll_loss_{name}", "NegativeLogLikelihoodLoss", operands, reduction=reduction, **options)
                case(f"softmax_loss_{name}", "SoftmaxCrossEntropyLoss", operands, outputs=2, reduction=reduction, **options)
    case("layer_norm_moments", "LayerNormalization", [floats(3, 4, 5), floats(4, 5), floats(4, 5)], outputs=3, axis=1)
    case("batch_norm_training", "BatchNormalization", [floats(2, 3, 4), *(floats(3) for _ in range(3)), np.abs(floats(3))], opset=15, outputs=3,
         training_mode=1, momentum=0.7)
    case("dropout_training_without_loss", "Dropout", [scores, np.array(0, np.float32), np.array(True)], outputs=2)


def language_cases(floats, ints, random):
    q, k, v = floats(2, 6, 4, 8), floats(2, 2, 7, 8), floats(2, 2, 7, 5)
    for name, operands, options in (
            ("plain", [q, k, v], {}), ("causal", [q, k, v], {"is_causal": 1}), ("capped", [q, k, v], {"softcap": 1.5, "scale": 0.6}),
            ("bias", [q, k, v, floats(4, 7)], {}), ("mask", [q, k, v, random.integers(0, 4, (2, 1, 4, 7)) > 0], {}),
            ("past", [q, k, v, None, floats(2, 2, 3, 8), floats(2, 2, 3, 5)], {"is_causal": 1})):
        case(f"attention_{name}", "Attention", operands, opset=23, outputs=3 if name == "past" else 1, **options)
    rows = [floats(2, 4, 24), floats(2, 7, 8), floats(2, 7, 10)]
    case("attention_rows", "Attention", rows, opset=23, q_num_heads=6, kv_num_heads=2)
    for interleaved in (0, 1):
        for turned in (0, 4):
            table = [floats(9, (turned or 8) // 2), floats(9, (turned or 8) // 2)]
            case(f"rotary_{interleaved}_{turned}", "RotaryEmbedding", [q, *table, random.integers(0, 9, (2, 4))], opset=23, interleaved=interleaved,
                 rotary_embedding_dim=turned)
    rows = [floats(2, 4, 24), floats(2, 7, 24), floats(2, 7, 18)]
    mask = np.arange(7) < np.array([[7], [3]])
    for name, operands in (("plain", rows), ("bias", [*rows, floats(66)]), ("mask", [*rows, None, mask.astype(np.int32)]),
                           ("lengths", [*rows, None, ints(7, 3, dtype=np.int32)]), ("scores", [*rows, None, None, floats(1, 6, 4, 7)]),
                           ("past", [floats(2, 4, 24), floats(2, 4, 24), floats(2, 4, 24), None, None, None, floats(2, 6, 3, 4), floats(2, 6, 3, 4)])):
        case(f"multi_head_{name}", "MultiHeadAttention", operands, outputs=3 if name == "past" else 1, domain="com.microsoft", num_heads=6)
    case("multi_head_causal", "MultiHeadAttention", [rows[0], rows[0], rows[0]], domain="com.microsoft", num_heads=6, unidirectional=1)
    projection = [floats(2, 5, 8), floats(8, 36), floats(36)]
    for name, operands, options in (("plain", [], {}), ("mask", [(np.arange(5) < np.array([[5], [2]])).astype(np.int32)], {}), ("causal", [], {"unidirectional": 1}),
                                    ("lengths", [ints(5, 2, dtype=np.int32)], {}), ("sizes", [], {"qkv_hidden_sizes": [12, 12, 12]})):
        case(f"projected_attention_{name}", "Attention", projection + operands, constants=(1, 2), domain="com.microsoft", num_heads=3, **options)
    case("projected_attention_past", "Attention", projection + [None, floats(2, 2, 3, 4, 4)], outputs=2, constants=(1, 2), domain="com.microsoft", num_heads=3)
    grouped_cases(floats, ints, random)
    for bits in (4, 8):
        for points in (None, random.integers(0, 256, (5, -(-3 * bits // 8)), np.uint8)):
            case(f"matmul_{bits}_bits_{points is None}", "MatMulNBits",
                 [floats(2, 3, 40), random.integers(0, 256, (5, 3, 16 * bits // 8), np.uint8), floats(15), points], constants=(1, 2, 3), domain="com.microsoft", N=5,
                 K=40, bits=bits, block_size=16)
    for axes in ({"batch_axis": 1, "time_axis": 0}, {"batch_axis": 0, "time_axis": 1}):
        case(f"reverse_sequence_{axes['time_axis']}", "ReverseSequence", [floats(4, 4, 3), ints(4, 1, 2, 3)], opset=10, **axes)


def grouped_cases(floats, ints, random):
    table, turned = [floats(16, 8), floats(16, 8)], {"do_rotary": 1}

    def grouped(name, length, past, last, **options):
        batch = len(last)
        past_of = [floats(batch, 2, past, 16), floats(batch, 2, past, 16)]
        total = max(last) + 1
        case(f"grouped_{name}", "GroupQueryAttention",
             [floats(batch, length, 64), floats(batch, length, 32), floats(batch, length, 32), *past_of, ints(*last, dtype=np.int32), ints(total, dtype=np.int32),
              *(table if "do_rotary" in options else [])], outputs=3, constants=(6, 7, 8), domain="com.microsoft", num_heads=4, kv_num_heads=2, **options)

    grouped("prompt", 5, 0, [4, 4])
    grouped("prompt_turned", 5, 0, [4, 4], **turned)
    grouped("step", 1, 6, [6, 6], **turned)
    grouped("step_uneven", 1, 6, [6, 3], compared=1, rotary_interleaved=1, **turned)  # the caches' unused rows are anything
    grouped("step_into_larger_cache", 1, 9, [6, 3], compared=1, **turned)
    grouped("window", 6, 0, [5], local_window_size=3)
    grouped("capped", 1, 4, [4], softcap=2.0, scale=0.5)
    for name, where in (("rows", random.integers(0, 16, (2, 3))), ("offset", ints(4))):
        case(f"rotary_microsoft_{name}", "RotaryEmbedding", [floats(2, 3, 64), where, *table], domain="com.microsoft")
        case(f"rotary_microsoft_{name}_heads", "RotaryEmbedding", [floats(2, 4, 3, 16), where, *table], domain="com.microsoft", interleaved=1)


def einsum_cases(floats):
    for equation, shapes in {
            "bij,bjk->bik": [(2, 3, 4), (2, 4, 5)], "bhid,bhjd->bhij": [(2, 3, 4, 5), (2, 3, 6, 5)], "bchw,kc->bkhw": [(2, 3, 4, 5), (6, 3)],
            "i,j->ij": [(4,), (6,)], "bij->bj": [(2, 3, 4)], "ij->ji": [(3, 4)], "bii->bi": [(2, 3, 3)], "ii": [(3, 3)], "ij,jk": [(3, 4), (4, 5)],
            "...ij,...jk->...ik": [(2, 3, 3, 4), (2, 3, 4, 5)], "bhwc,hkc->bhwk": [(2, 3, 4, 5), (3, 6, 5)], "ij,jk,kl->il": [(2, 3), (3, 4), (4, 5)],
            "bd,bd->b": [(3, 4), (3, 4)], "abc,abc->": [(2, 3, 4)] * 2, "b i , b j -> b i j": [(2, 3), (2, 4)], "bn,anm,bm->ba": [(2, 3), (5, 3, 4), (2, 4)],
            "nhwc,hcw,w->n": [(2, 3, 4, 5), (3, 5, 4), (4,)], "bi,bi->b": [(2, 1), (2, 3)], "bi,ib->bi": [(2, 3), (1, 2)], "cd,cd->": [(1, 3), (2, 1)],
            "...k,...k->...": [(1, 4), (3, 4)]}.items():
        case(f"einsum {equation}", "Einsum", [floats(*shape) for shape in shapes], equation=equation)


def choosing_cases(floats, ints, random):
    x = floats(3, 4, 6)
    ties = random.integers(0, 4, (3, 4, 6))
    for axis, largest in ((-1, 1), (0, 0), (1, 1)):
        for values in (x, ties):
            case(f"topk_{axis}_{largest}_{values.dtype}", "TopK", [values, ints(2)], outputs=2, constants=(1,), axis=axis, largest=largest)
    case("topk_attribute", "TopK", [x], opset=9, outputs=2, k=3)
    for exclusive in (0, 1):
        for reverse in (0, 1):
            case(f"cumsum_{exclusive}{reverse}", "CumSum", [x, ints(-2)], constants=(1,), exclusive=exclusive, reverse=reverse)
    case("cumsum_integers", "CumSum", [ties, np.array(1)], constants=(1,))
    for upper in (0, 1):
        for k in (None, -1, 2, 9):
            case(f"trilu_{upper}_{k}", "Trilu", [x] + ([] if k is None else [np.array(k)]), constants=(1,), upper=upper)
    for axis in (-1, 0, 1):
        case(f"one_hot_{axis}", "OneHot", [ties - 2, np.array(5), np.array([-1, 3], np.float32)], constants=(1, 2), axis=axis)
    case("one_hot_floats", "OneHot", [ties.astype(np.float32), ints(5), ints(0, 1)], constants=(1, 2))
    case("eye_like", "EyeLike", [floats(4, 6)], k=1, dtype=7)
    case("hardmax", "Hardmax", [x], axis=1)
    case("hardmax_rows", "Hardmax", [x], opset=11, axis=1)
    case("shrink", "Shrink", [x], lambd=0.4, bias=0.2)
    case("cast_like", "CastLike", [x, ints(1, dtype=np.int32)])
    case("scatter", "Scatter", [x, ties[:1] % 3, x[:1]], opset=10)
    for mode in ("bilinear", "nearest", "bicubic"):
        for padding in ("zeros", "border", "reflection"):
            for align in (0, 1):
                case(f"grid_sample_{mode}_{padding}_{align}", "GridSample", [floats(2, 3, 5, 6), floats(2, 4, 7, 2)], mode=mode, padding_mode=padding,
                     align_corners=align)
    case("grid_sample_volume", "GridSample", [floats(2, 3, 4, 5, 6), floats(2, 3, 4, 5, 3)], opset=20, mode="linear")
    case("gather_nd", "GatherND", [floats(3, 4, 5), random.integers(-3, 3, (6, 2))], batch_dims=0)
    case("gather_nd_batch", "GatherND", [floats(3, 4, 5, 2), random.integers(-4, 4, (3, 6, 1))], batch_dims=1)
    case("gather_nd_two_batch_axes", "GatherND", [floats(2, 3, 4, 5), random.integers(0, 4, (2, 3, 6, 2))], batch_dims=2)
    for reduction in ("none", "add", "mul", "max", "min"):
        case(f"scatter_nd_{reduction}", "ScatterND", [floats(3, 4), np.array([[-1], [0]]), floats(2, 4)], opset=18, reduction=reduction)
    case("slice_to_nothing", "Slice", [floats(2, 6), np.array([4]), np.array([1]), np.array([1])], constants=(1, 2, 3))
    case("split_of_nothing", "Split", [floats(2, 6), np.array([0, 6])], opset=13, outputs=2, constants=(1,), axis=1)


def quantized_cases(floats, random):
    def bytes_of(*shape):
        return random.integers(0, 255, shape, np.uint8)

    def scale(value):
        return np.array(value, np.float32)

    zero, signed = np.array(120, np.uint8), np.array(0, np.int8)
    weights = random.integers(-63, 63, (4, 3, 3, 3), np.int8)  # more saturates in ONNX Runtime on some hosts
    steps = (random.random(4) * .01 + .001).astype(np.float32)
    bias = random.integers(-500, 500, 4, np.int32)
    case("qlinear_conv", "QLinearConv", [bytes_of(1, 3, 8, 9), scale(.02), zero, weights, steps, np.zeros(4, np.int8), scale(.05), zero, bias],
         constants=range(1, 9), exact=False, pads=[1, 1, 1, 1], strides=[2, 1])
    case("qlinear_matmul", "QLinearMatMul", [bytes_of(2, 5), scale(.02), zero, bytes_of(5, 4), scale(.01), zero, scale(.05), zero], constants=range(1, 8),
         exact=False)
    case("matmul_integer", "MatMulInteger", [bytes_of(2, 5), random.integers(-63, 63, (5, 4), np.int8), zero, signed], constants=(1, 2, 3))
    case("conv_integer", "ConvInteger", [bytes_of(1, 3, 6, 6), bytes_of(2, 3, 3, 3), zero], constants=(1, 2), pads=[1, 1, 1, 1])
    # sums beyond what a float holds
    case("matmul_integer_deep", "MatMulInteger", [bytes_of(2, 3000), bytes_of(3000, 4)], constants=(1,))
    case("matmul_integer_deep_batch", "MatMulInteger", [bytes_of(3, 2, 700), bytes_of(3, 700, 4), signed.astype(np.uint8)], constants=(2,))
    case("conv_integer_deep", "ConvInteger", [bytes_of(1, 300, 5, 5), bytes_of(2, 300, 3, 3)], constants=(1,), pads=[1, 1, 1, 1])
    case("conv_integer_deep_groups", "ConvInteger", [bytes_of(1, 600, 5, 5), bytes_of(2, 300, 3, 3)], constants=(1,), group=2)
    for name, x in (("mixed", floats(3, 7)), ("positive", abs(floats(3, 7))), ("zeros", np.zeros((3, 7), np.float32))):
        case(f"dynamic_quantize_{name}", "DynamicQuantizeLinear", [x], outputs=3, exact=False)
    ours = dict(domain="com.microsoft", exact=False)
    a, b = bytes_of(1, 4, 5, 5), bytes_of(1, 4, 5, 5)
    case("qlinear_add", "QLinearAdd", [a, scale(.02), zero, b, scale(.03), zero, scale(.05), zero], constants=(1, 2, 4, 5, 6, 7), **ours)
    case("qlinear_mul", "QLinearMul", [a, scale(.02), zero, b, scale(.03), zero, scale(.05), zero], constants=(1, 2, 4, 5, 6, 7), **ours)
    case("qlinear_sigmoid", "QLinearSigmoid", [a, scale(.02), zero, scale(1 / 256), np.array(0, np.uint8)], constants=range(1, 5), **ours)
    case("qlinear_leaky_relu", "QLinearLeakyRelu", [a, scale(.02), zero, scale(.02), zero], constants=range(1, 5), alpha=.1, **ours)
    case("qlinear_mean", "QLinearGlobalAveragePool", [a, scale(.02), zero, scale(.01), zero], constants=range(1, 5), **ours)
    case("qlinear_concat", "QLinearConcat", [scale(.05), zero, a, scale(.02), zero, b, scale(.03), zero], constants=(0, 1, 3, 4, 6, 7), axis=1, **ours)
    counts = random.integers(-500, 500, 4, np.int32)
    for name, b, step, options in (("plain", bytes_of(5, 4), scale(.01), {}), ("turned", bytes_of(4, 5), scale(.01), dict(transB=1, alpha=.5)),
                                   ("columns", random.integers(-63, 63, (5, 4), np.int8), steps, {})):
        point = zero if step.ndim == 0 else np.zeros(4, np.int8)
        a = [bytes_of(3, 5), scale(.02), zero, b, step, point]
        case(f"qgemm_{name}", "QGemm", [*a, counts, scale(.05), zero], constants=range(1, 9), **options, **ours)
        case(f"qgemm_{name}_floats", "QGemm", [*a, counts], constants=range(1, 7), **options, **ours)
    case("qgemm_alone", "QGemm", a, constants=range(1, 6), **ours)
    h = 9
    for name, d, each in (("forward", 1, ()), ("bidirectional", 2, ()), ("columns", 1, (4 * h,))):
        points = np.full((d, *each), 120, np.uint8)
        steps = (random.random((2, d, *each)) * .002 + .001).astype(np.float32)
        case(f"dynamic_lstm_{name}", "DynamicQuantizeLSTM",
             [floats(6, 1, 5), bytes_of(d, 5, 4 * h), bytes_of(d, h, 4 * h), floats(d, 8 * h), None, floats(d, 1, h), floats(d, 1, h), None, steps[0], points,
              steps[1], points], constants=(1, 2, 3, 8, 9, 10, 11), outputs=3, domain="com.microsoft", hidden_size=h,
             direction="bidirectional" if d == 2 else "forward")
    case("matmul_to_float", "MatMulIntegerToFloat", [bytes_of(3, 5), bytes_of(5, 4), scale(.02), scale(.03), zero, zero, floats(4)],
         constants=range(1, 7), domain="com.microsoft")


def fused_cases(floats):
    x, scale, bias = floats(2, 5, 8), floats(8), floats(8)
    ours = dict(domain="com.microsoft")
    case("gelu", "Gelu", [x], **ours)
    case("bias_gelu", "BiasGelu", [x, bias], constants=(1,), **ours)
    case("fast_gelu", "FastGelu", [x, bias], constants=(1,), **ours)
    case("quick_gelu", "QuickGelu", [x], alpha=1.5, **ours)
    case("fused_matmul", "FusedMatMul", [x, floats(2, 4, 8)], transB=1, alpha=.25, **ours)
    case("fused_matmul_transposed", "FusedMatMul", [x, floats(2, 5, 3)], transA=1, **ours)
    picture, kernel = floats(1, 3, 6, 6), floats(4, 3, 3, 3)
    for name, parameters in (("Relu", {}), ("Sigmoid", {}), ("Tanh", {}), ("LeakyRelu", dict(activation_params=[.2])), ("Clip", dict(activation_params=[-.5, 1.5])),
                             ("HardSigmoid", dict(activation_params=[.3, .4]))):
        case(f"fused_conv_{name}", "FusedConv", [picture, kernel, floats(4)], constants=(1, 2), activation=name, pads=[1, 1, 1, 1], **parameters, **ours)
    case("fused_conv_sum", "FusedConv", [picture, kernel, floats(4), floats(1, 4, 3, 3)], constants=(1, 2), activation="Relu", pads=[1, 1, 1, 1],
         strides=[2, 2], **ours)
    for name, parameters in (("Relu", {}), ("Softsign", {}), ("LeakyRelu", dict(activation_alpha=.2)), ("HardSigmoid", dict(activation_alpha=.3, activation_beta=.4))):
        case(f"fused_gemm_{name}", "FusedGemm", [floats(3, 5), floats(4, 5), floats(4)], constants=(1, 2), activation=name, transB=1, alpha=.5, **parameters, **ours)
    ids, segments, mask = np.array([[3, 1, 4], [1, 5, 0]], np.int32), np.array([[0, 0, 1], [0, 1, 1]], np.int32), np.array([[1, 1, 1], [1, 1, 0]], np.int32)
    tables, weights = [floats(6, 8), floats(5, 8)], [floats(8), floats(8)]
    case("embed_layer_norm", "EmbedLayerNormalization", [ids, segments, *tables, floats(2, 8), *weights, mask], outputs=3, constants=(2, 3, 4, 5, 6), epsilon=1e-5, **ours)
    case("embed_layer_norm_places", "EmbedLayerNormalization", [ids, None, *tables, None, *weights, None, np.array([[4, 2, 0], [1, 1, 3]], np.int32)],
         outputs=2, constants=(2, 3, 5, 6), **ours)
    for turned in (0, 1):
        a, b = floats(*((5, 2, 3, 4) if turned else (4, 2, 3, 5))), floats(*((6, 2, 3, 5) if turned else (5, 2, 3, 6)))
        case(f"fused_matmul_rows_first_{turned}", "FusedMatMul", [a, b], transBatchA=1, transBatchB=1, transA=turned, transB=turned, **ours)
    case("skip_layer_norm", "SkipLayerNormalization", [x, floats(2, 5, 8), scale, bias, floats(8)], constants=(2, 3, 4), epsilon=1e-5, **ours)
    case("skip_rms_norm_small", "SkipSimplifiedLayerNormalization", [x * 1e-3, floats(2, 5, 8) * 1e-3, scale], constants=(2,), **ours)
    case("skip_rms_norm", "SkipSimplifiedLayerNormalization", [x, floats(2, 5, 8), scale], constants=(2,), **ours)
    case("rms_norm", "SimplifiedLayerNormalization", [x, scale], constants=(1,), axis=-1, epsilon=1e-6)
    case("inverse", "Inverse", [floats(2, 3, 5, 5)], **ours)


def network(name, nodes, inputs, outputs=("y",), constants=None):
    """A case of several nodes, each (operator, inputs, outputs, attributes)."""
    helper = onnx.helper
    made = [helper.make_node(op, sources, results, **attributes) for op, sources, results, attributes in nodes]
    values = [helper.make_tensor_value_info(key, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape) for key, array in inputs.items()]
    initializers = [onnx.numpy_helper.from_array(np.array(array), key) for key, array in (constants or {}).items()]
    graph = helper.make_graph(made, "several", values, [helper.make_empty_tensor_value_info(key) for key in outputs], initializers)
    CASES.append(dict(name=name, exact=True, model=helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), feed=inputs))


def body(nodes, inputs, outputs):
    """A region; `inputs` and `outputs`: (name, element type, rank)."""
    helper = onnx.helper

    def values(specs):
        return [helper.make_tensor_value_info(key, kind, [None] * rank) for key, kind, rank in specs]

    made = [helper.make_node(op, sources, results, **attributes) for op, sources, results, attributes in nodes]
    return helper.make_graph(made, "body", values(inputs), values(outputs))


def control_cases(floats):
    f32, i64, boolean = 1, 7, 9
    # Half the extents, as interpolate(scale_factor=0.5, recompute_scale_factor=True) is exported.
    network("extents_in_floats",
            [("Shape", ["x"], ["shape"], {}), ("Slice", ["shape", "two", "four"], ["space"], {}), ("Cast", ["space"], ["wide"], {"to": f32}),
             ("Mul", ["wide", "half"], ["scaled"], {}), ("Floor", ["scaled"], ["floor"], {}), ("Cast", ["floor"], ["sizes"], {"to": i64}),
             ("Slice", ["shape", "zero", "two"], ["front"], {}), ("Concat", ["front", "sizes"], ["all"], {"axis": 0}),
             ("Resize", ["x", "", "", "all"], ["y"], {"mode": "linear"})],
            {"x": floats(1, 3, 9, 14)}, constants={"zero": [0], "two": [2], "four": [4], "half": np.float32(.5)})
    network("known_float_is_output",
            [("Shape", ["x"], ["shape"], {}), ("Cast", ["shape"], ["y"], {"to": f32})], {"x": floats(2, 3)})
    step = body([("Tanh", ["state"], ["bent"], {}), ("Cast", ["i"], ["turn"], {"to": f32}), ("Add", ["bent", "turn"], ["sum"], {}),
                 ("Mul", ["sum", "w"], ["next"], {}), ("Identity", ["on"], ["still"], {}), ("Identity", ["next"], ["row"], {})],
                [("i", i64, 0), ("on", boolean, 0), ("state", f32, 2)], [("still", boolean, 0), ("next", f32, 2), ("row", f32, 2)])
    network("loop", [("Loop", ["trips", "go", "x"], ["last", "rows"], {"body": step})], {"x": floats(2, 3)}, ("last", "rows"),
            {"trips": np.int64(4), "go": True, "w": floats(3)})
    network("loop_of_an_extent",
            [("Shape", ["x"], ["shape"], {}), ("Gather", ["shape", "zero"], ["trips"], {}), ("Loop", ["trips", "", "x"], ["last", "rows"], {"body": step})],
            {"x": floats(5, 3)}, ("last", "rows"), {"zero": np.int64(0), "w": floats(3)})
    # ends by its condition, on the third turn
    until = body([("Add", ["count", "one"], ["more"], {}), ("Less", ["more", "three"], ["on_again"], {}), ("Mul", ["state", "two"], ["next"], {})],
                 [("i", i64, 0), ("on", boolean, 0), ("count", i64, 0), ("state", f32, 2)],
                 [("on_again", boolean, 0), ("more", i64, 0), ("next", f32, 2)])
    network("loop_until", [("Loop", ["", "go", "start", "x"], ["count_of", "y"], {"body": until})], {"x": floats(2, 3)}, ("y", "count_of"),
            {"go": True, "start": np.int64(0), "one": np.int64(1), "three": np.int64(3), "two": np.float32(2)})
    cell = body([("MatMul", ["h", "w"], ["mixed"], {}), ("Add", ["mixed", "x_t"], ["sum"], {}), ("Tanh", ["sum"], ["h_next"], {}),
                 ("Identity", ["h_next"], ["y_t"], {})],
                [("h", f32, 2), ("x_t", f32, 2)], [("h_next", f32, 2), ("y_t", f32, 2)])
    # inner values that are called what a result is
    twice = body([("Tanh", ["s"], ["out"], {}), ("Identity", ["on"], ["still"], {}), ("Neg", ["out"], ["next"], {})],
                 [("i", i64, 0), ("on", boolean, 0), ("s", f32, 2)], [("still", boolean, 0), ("next", f32, 2)])
    network("loop_inner_name", [("Loop", ["trips", "", "x"], ["last"], {"body": twice}), ("Exp", ["last"], ["out.1"], {})], {"x": floats(2, 3)}, ("out.1",),
            {"trips": np.int64(2)})
    for backwards in (0, 1):
        network(f"scan_{backwards}",
                [("Scan", ["first", "x"], ["last", "rows"], {"body": cell, "num_scan_inputs": 1, "scan_input_axes": [1], "scan_output_axes": [1],
                                                             "scan_input_directions": [backwards], "scan_output_directions": [backwards]})],
                {"first": floats(2, 4), "x": floats(2, 5, 4)}, ("last", "rows"), {"w": floats(4, 4)})


def function_case(floats):
    """A call of a function that calls another one; an attribute is handed down, another has a default."""
    helper = onnx.helper

    def reference(name, kind, meant):
        return onnx.AttributeProto(name=name, type=kind, ref_attr_name=meant)

    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    leaky = helper.make_node("LeakyRelu", ["a"], ["b"])
    leaky.attribute.append(reference("alpha", 1, "slope"))
    soft = helper.make_node("Softmax", ["b"], ["c"])
    soft.attribute.append(reference("axis", 2, "along"))
    inner = helper.make_function("local", "Inner", ["a"], ["c"], [leaky, soft], opsets, ["slope"], [helper.make_attribute("along", 0)])
    call = helper.make_node("Inner", ["sum"], ["z"], domain="local")
    call.attribute.append(reference("slope", 1, "slope"))
    outer = helper.make_function("local", "Outer", ["x", "w"], ["z"], [helper.make_node("Add", ["x", "w"], ["sum"]), call], opsets, ["slope"])
    network("function", [("Outer", ["x", "x"], ["first"], {"domain": "local", "slope": .3}), ("Outer", ["first", "x"], ["y"], {"domain": "local", "slope": .1})],
            {"x": floats(3, 4)})
    model = CASES[-1]["model"]
    model.functions.extend([outer, inner])
    model.opset_import.append(opsets[1])


def function_name_case(floats):
    """Two calls of a function whose result is called what the network's is."""
    helper = onnx.helper
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    network("function_inner_name", [("F", ["x"], ["t"], {"domain": "local"}), ("F", ["t"], ["Y"], {"domain": "local"})], {"x": floats(3, 4)}, ("Y",))
    model = CASES[-1]["model"]
    model.functions.append(helper.make_function("local", "F", ["a"], ["Y"], [helper.make_node("Tanh", ["a"], ["Y"])], opsets))
    model.opset_import.append(opsets[1])


def network_of(entry):
    if "model" in entry:
        return entry["model"], entry["feed"]
    helper = onnx.helper
    names = ["" if array is None else f"in{i}" for i, array in enumerate(entry["inputs"])]
    results = [f"out{i}" for i in range(entry["outputs"])]
    node = helper.make_node(entry["op"], names, results, name="only", domain=entry["domain"], **entry["attributes"])
    inputs, initializers, feed = [], [], {}
    for i, array in enumerate(entry["inputs"]):
        if array is None:
            continue
        if i in entry["constants"]:
            initializers.append(onnx.numpy_helper.from_array(array, names[i]))
        else:
            inputs.append(helper.make_tensor_value_info(names[i], helper.np_dtype_to_tensor_dtype(array.dtype), array.shape))
            feed[names[i]] = array
    outputs = [helper.make_empty_tensor_value_info(name) for name in results]
    graph = helper.make_graph([node], "one", inputs, outputs, initializers)
    domains = [helper.make_opsetid("", entry["opset"])] + ([helper.make_opsetid(entry["domain"], 1)] if entry["domain"] else [])
    return helper.make_model(graph, opset_imports=domains, ir_version=8 if entry["opset"] < 20 else 9), feed


def typed(model, session):
    """The same network with the result types that ONNX Runtime found."""
    kinds = {"float": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "bool": 9}
    for value, found in zip(model.graph.output, session.get_outputs()):
        value.CopyFrom(onnx.helper.make_tensor_value_info(value.name, kinds[found.type[7:-1]], None))
    return model


def run_planish(planish, model, feed, names):
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/m.onnx"
        onnx.save(model, path)
        words = []
        for name, array in feed.items():
            np.save(f"{folder}/{name}.npy", array)
            words += ["--input", f"{name}={folder}/{name}.npy"]
        for call in ([planish, "build", path, "-o", f"{folder}/plan", "--tune", "off", "--threads", "2", "--quiet"],
                     [planish, "run", f"{folder}/plan", "--output-dir", folder, "--threads", "2", "--quiet", *words]):
            result = subprocess.run(call, capture_output=True, text=True, timeout=120)
            if result.returncode != 0:
                raise RuntimeError(result.stderr.strip())
        return [np.load(f"{folder}/{name}.npy") for name in names]


def difference(found, wanted, exact):
    """What is apart, or an empty string. Quantised results may be one step apart where float rounding meets a tie."""
    if found.shape != wanted.shape or found.dtype != wanted.dtype:
        return f"{found.dtype}{list(found.shape)} for {wanted.dtype}{list(wanted.shape)}"
    if wanted.dtype.kind != "f":
        apart = np.abs(found.astype(np.int64) - wanted.astype(np.int64))
        return "" if apart.size == 0 or apart.max() <= (0 if exact else 1) else f"{int((apart > 0).sum())} elements differ, by {apart.max()} at most"
    error = np.linalg.norm(found.astype(np.float64) - wanted) / max(np.linalg.norm(wanted), 1e-6)
    return "" if error <= LIMIT else f"relative L2 {error:.2e}"


def verdict(planish, entry):
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 4
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    model, feed = network_of(entry)
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"])
        names = [item.name for item in session.get_outputs()]
        wanted = session.run(None, feed)
        found = run_planish(planish, typed(model, session), feed, names)
    except Exception as error:  # one case's trouble must not hide the others
        return f"{type(error).__name__}: {error}"[:300]
    return "; ".join(text for text in (difference(f, w, entry["exact"]) for f, w in list(zip(found, wanted))[:entry.get("compared")]) if text)


def main():
    cases()
    chosen = [entry for entry in CASES if not sys.argv[2:] or any(word in entry["name"] for word in sys.argv[2:])]
    failed = 0
    for entry in chosen:
        text = verdict(sys.argv[1], entry)
        failed += bool(text)
        if text:
            print(f"FAIL {entry['name']}: {text}", flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    try:
        import numpy as np
        import onnx
        import onnxruntime
        from picture_cases import picture_cases
    except ImportError as error:
        print(f"SKIPPED: {error}; PLANISH_PYTHON names a Python with numpy, onnx and onnxruntime")
        sys.exit(0)
    sys.exit(main())
