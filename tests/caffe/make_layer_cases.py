#!/usr/bin/env python3
"""Writes layers.cases: what Caffe's layers give, for the unit tests of the importer.

  make_layer_cases.py [--check]   needs numpy; --check also holds each case that OpenCV knows against cv2.dnn (4.x)

What is expected is computed here, in loops and numpy, from Caffe's definitions; inputs and blobs are not stored but made
by value(), in the tests as well. A case in the file:
  case NAME
  input NAME KIND EXTENTS…      KIND: any, positive, ties
  blob LAYER KIND EXTENTS…      in the order of the layer's blobs
  text … end                    the layers; inputs are declared from the lines above
  expect BLOB EXTENTS…          and the values on the next line
"""
import itertools
import struct
import sys
from pathlib import Path

import numpy as np

CASES = []


def value(kind, seed, extents):
    i = np.arange(int(np.prod(extents, dtype=int)), dtype=np.int64)
    v = ((i * 37 + seed * 29) % 61 - 30) / 16
    if kind == "positive":
        v = np.abs(v) + 0.5
    if kind == "ties":
        v = (i * 5 + seed) % 4 - 1.0
    if kind == "unit":
        v = ((i * 37 + seed * 29) % 61) / 61
    return v.reshape(extents).astype(np.float32).astype(np.float64)


def case(name, inputs, text, blobs=(), cv=True):
    """inputs: {name: (kind, extents)}; blobs: [(layer, kind, extents)]. The function gives {blob: array}."""
    def add(function):
        arrays = [value(kind, n, extents) for n, (kind, extents) in enumerate(inputs.values())]
        weights = [value(kind, 10 + n, extents) for n, (_, kind, extents) in enumerate(blobs)]
        results = function(*arrays, *weights)
        CASES.append((name, inputs, text, blobs, results if isinstance(results, dict) else {"out": results}, cv))
        return function
    return add


def layer(kind, params="", bottoms=("x",), tops=("out",), name="layer"):
    ends = "".join(f' bottom: "{b}"' for b in bottoms) + "".join(f' top: "{t}"' for t in tops)
    return f'layer {{ name: "{name}" type: "{kind}"{ends} {params} }}\n'


X = {"x": ("any", (2, 4, 5, 6))}


# --- windows

def conv(x, w, b, stride, pad, dilation, group):
    n, c, h, ww = x.shape
    outs, per, kh, kw = w.shape
    oh = (h + 2 * pad[0] - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    ow = (ww + 2 * pad[1] - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    y = np.zeros((n, outs, oh, ow))
    for image, o, i, k in itertools.product(range(n), range(outs), range(oh), range(ow)):
        total = 0 if b is None else b[o]
        for q, r, s in itertools.product(range(per), range(kh), range(kw)):
            a, e = i * stride[0] - pad[0] + r * dilation[0], k * stride[1] - pad[1] + s * dilation[1]
            if 0 <= a < h and 0 <= e < ww:
                total += x[image, o // (outs // group) * per + q, a, e] * w[o, q, r, s]
        y[image, o, i, k] = total
    return y


def deconv(x, w, b, stride, pad, dilation, group):
    n, c, h, ww = x.shape
    _, per, kh, kw = w.shape
    size = lambda extent, k, a: stride[a] * (extent - 1) + dilation[a] * (k - 1) + 1 - 2 * pad[a]
    y = np.zeros((n, per * group, size(h, kh, 0), size(ww, kw, 1)))
    for image, q, i, k, o, r, s in itertools.product(range(n), range(c), range(h), range(ww), range(per), range(kh), range(kw)):
        a, e = i * stride[0] - pad[0] + r * dilation[0], k * stride[1] - pad[1] + s * dilation[1]
        if 0 <= a < y.shape[2] and 0 <= e < y.shape[3]:
            y[image, q // (c // group) * per + o, a, e] += x[image, q, i, k] * w[q, o, r, s]
    return y if b is None else y + b[None, :, None, None]


def pool(x, kernel, stride, pad, method, up=True):
    n, c, h, w = x.shape
    size = []
    for extent, k, s, p in zip((h, w), kernel, stride, pad):
        room = extent + 2 * p - k
        count = (-(-room // s) if up else room // s) + 1
        if any(pad) and (count - 1) * s >= extent + p:
            count -= 1
        size.append(count)
    y, mask = np.zeros((n, c, *size)), np.zeros((n, c, *size))
    for image, q, i, k in itertools.product(range(n), range(c), *map(range, size)):
        a, e = i * stride[0] - pad[0], k * stride[1] - pad[1]
        a_end, e_end = min(a + kernel[0], h + pad[0]), min(e + kernel[1], w + pad[1])
        count = (a_end - a) * (e_end - e)
        a, e, a_end, e_end = max(a, 0), max(e, 0), min(a_end, h), min(e_end, w)
        part = x[image, q, a:a_end, e:e_end]
        if method == "AVE":
            y[image, q, i, k] = part.sum() / count
        else:
            y[image, q, i, k] = part.max()
            row, column = np.unravel_index(part.argmax(), part.shape)
            mask[image, q, i, k] = (a + row) * w + e + column
    return y, mask


@case("convolution_per_axis", X, layer("Convolution", "convolution_param { num_output: 3 kernel_h: 3 kernel_w: 2 stride_h: 2 stride_w: 1 pad_h: 1 pad_w: 0 }"),
      [("layer", "any", (3, 4, 3, 2)), ("layer", "any", (3,))])
def _(x, w, b): return conv(x, w, b, (2, 1), (1, 0), (1, 1), 1)


@case("convolution_groups_dilated", X, layer("Convolution", "convolution_param { num_output: 6 kernel_size: 3 pad: 2 dilation: 2 group: 2 bias_term: false engine: CAFFE }"),
      [("layer", "any", (6, 2, 3, 3))])
def _(x, w): return conv(x, w, None, (1, 1), (2, 2), (2, 2), 2)


@case("convolution_lists", X, layer("Convolution", "convolution_param { num_output: 2 kernel_size: [2, 3] stride: [1, 2] pad: 1 pad: 0 }"),
      [("layer", "any", (2, 4, 2, 3)), ("layer", "any", (1, 1, 1, 2))])
def _(x, w, b): return conv(x, w, b.ravel(), (1, 2), (1, 0), (1, 1), 1)


@case("convolution_depthwise", X, layer("DepthwiseConvolution", "convolution_param { num_output: 4 kernel_size: 3 pad: 1 }"),
      [("layer", "any", (4, 1, 3, 3)), ("layer", "any", (4,))], cv=False)
def _(x, w, b): return conv(x, w, b, (1, 1), (1, 1), (1, 1), 4)


@case("deconvolution", X, layer("Deconvolution", "convolution_param { num_output: 3 kernel_size: 4 stride: 2 pad: 1 }"),
      [("layer", "any", (4, 3, 4, 4)), ("layer", "any", (3,))])
def _(x, w, b): return deconv(x, w, b, (2, 2), (1, 1), (1, 1), 1)


@case("deconvolution_groups", X, layer("Deconvolution", "convolution_param { num_output: 4 kernel_size: 2 stride: 2 group: 4 bias_term: false }"),
      [("layer", "any", (4, 1, 2, 2))])
def _(x, w): return deconv(x, w, None, (2, 2), (0, 0), (1, 1), 4)


@case("inner_product", X, layer("InnerProduct", "inner_product_param { num_output: 3 }"), [("layer", "any", (1, 1, 3, 120)), ("layer", "any", (3,))])
def _(x, w, b): return x.reshape(2, -1) @ w.reshape(3, 120).T + b


@case("inner_product_axis", X, layer("InnerProduct", "inner_product_param { num_output: 3 axis: -1 bias_term: false }"), [("layer", "any", (3, 6))])
def _(x, w): return x @ w.T


@case("inner_product_transposed", X, layer("InnerProduct", "inner_product_param { num_output: 3 transpose: true }"),
      [("layer", "any", (120, 3)), ("layer", "any", (3,))], cv=False)
def _(x, w, b): return x.reshape(2, -1) @ w + b


for method, text, args in (
        ("MAX", "kernel_size: 3 stride: 2", ((3, 3), (2, 2), (0, 0))), ("AVE", "kernel_size: 3 stride: 2 pad: 1", ((3, 3), (2, 2), (1, 1))),
        ("MAX", "kernel_h: 2 kernel_w: 3 stride_h: 2 stride_w: 3 pad_h: 1 pad_w: 1", ((2, 3), (2, 3), (1, 1))),
        ("AVE", "kernel_size: 2 stride: 2", ((2, 2), (2, 2), (0, 0)))):
    @case(f"pooling_{method}_{len(text)}", X, layer("Pooling", f"pooling_param {{ pool: {method} {text} }}"))
    def _(x): return pool(x, *args, method)[0]


@case("pooling_floor", X, layer("Pooling", "pooling_param { kernel_size: 3 stride: 2 round_mode: FLOOR }"), cv=False)
def _(x): return pool(x, (3, 3), (2, 2), (0, 0), "MAX", up=False)[0]


@case("pooling_mask", X, layer("Pooling", "pooling_param { kernel_size: 2 stride: 2 }", tops=("out", "mask")), cv=False)
def _(x): return dict(zip(("out", "mask"), pool(x, (2, 2), (2, 2), (0, 0), "MAX")))


@case("pooling_global", X, layer("Pooling", "pooling_param { pool: AVE global_pooling: true }"))
def _(x): return x.mean((2, 3), keepdims=True)


@case("pooling_global_max", X, layer("Pooling", "pooling_param { pool: MAX global_pooling: true }"))
def _(x): return x.max((2, 3), keepdims=True)


# --- elements

UNARY = {"ReLU": ("", lambda x: np.maximum(x, 0)), "ELU": ("elu_param { alpha: 0.5 }", lambda x: np.where(x > 0, x, 0.5 * np.expm1(x))),
         "Sigmoid": ("", lambda x: 1 / (1 + np.exp(-x))), "TanH": ("", np.tanh), "AbsVal": ("", np.abs), "BNLL": ("", lambda x: np.log1p(np.exp(x))),
         "Dropout": ("dropout_param { dropout_ratio: 0.25 }", lambda x: x), "Split": ("", lambda x: x)}
for kind, (param, function) in UNARY.items():
    @case(kind.lower(), X, layer(kind, param), cv=kind != "BNLL")
    def _(x): return function(x)


@case("relu_slope", X, layer("ReLU", "relu_param { negative_slope: 0.125 }"))
def _(x): return np.where(x > 0, x, x * 0.125)


@case("prelu", X, layer("PReLU"), [("layer", "any", (4,))])
def _(x, s): return np.where(x > 0, x, x * s[:, None, None])


@case("prelu_shared", X, layer("PReLU", "prelu_param { channel_shared: true }"), [("layer", "any", (1,))], cv=False)
def _(x, s): return np.where(x > 0, x, x * s)


P = {"x": ("positive", (2, 3, 2, 2))}


@case("power", P, layer("Power", "power_param { power: 0.5 scale: 2 shift: 1 }"))
def _(x): return (1 + 2 * x) ** 0.5


@case("power_linear", X, layer("Power", "power_param { scale: 0.5 shift: -1 }"))
def _(x): return 0.5 * x - 1


@case("exp", X, layer("Exp"), cv=False)
def _(x): return np.exp(x)


@case("exp_base", X, layer("Exp", "exp_param { base: 2 scale: 0.5 shift: 1 }"), cv=False)
def _(x): return 2 ** (1 + 0.5 * x)


@case("log", P, layer("Log"), cv=False)
def _(x): return np.log(x)


@case("log_base", P, layer("Log", "log_param { base: 10 scale: 2 shift: 0.5 }"), cv=False)
def _(x): return np.log10(0.5 + 2 * x)


@case("clip", X, layer("Clip", "clip_param { min: -0.5 max: 1 }"), cv=False)
def _(x): return np.clip(x, -0.5, 1)


@case("swish", X, layer("Swish", "swish_param { beta: 2 }"), cv=False)
def _(x): return x / (1 + np.exp(-2 * x))


@case("threshold", X, layer("Threshold", "threshold_param { threshold: 0.25 }"), cv=False)
def _(x): return (x > 0.25).astype(float)


# --- arithmetic

@case("scale", X, layer("Scale", "scale_param { bias_term: true }"), [("layer", "any", (4,)), ("layer", "any", (4,))])
def _(x, s, b): return x * s[:, None, None] + b[:, None, None]


@case("scale_axes", X, layer("Scale", "scale_param { axis: 2 num_axes: 2 }"), [("layer", "any", (5, 6))], cv=False)
def _(x, s): return x * s


@case("scale_scalar", X, layer("Scale", "scale_param { num_axes: 0 }"), [("layer", "any", ())], cv=False)
def _(x, s): return x * s


@case("scale_of_two", {**X, "y": ("any", (2, 4))}, layer("Scale", "scale_param { axis: 0 bias_term: true }", ("x", "y")), [("layer", "any", (2, 4))], cv=False)
def _(x, y, b): return x * y[:, :, None, None] + b[:, :, None, None]


@case("bias", X, layer("Bias"), [("layer", "any", (4,))], cv=False)
def _(x, b): return x + b[:, None, None]


@case("bias_of_two", {**X, "y": ("any", (6,))}, layer("Bias", "bias_param { axis: -1 }", ("x", "y")), cv=False)
def _(x, y): return x + y


THREE = {n: ("any", (2, 3, 2, 2)) for n in "xyz"}


@case("eltwise_sum", THREE, layer("Eltwise", "eltwise_param { operation: SUM coeff: 1 coeff: -2 coeff: 0.5 }", "xyz"))
def _(x, y, z): return x - 2 * y + 0.5 * z


@case("eltwise_prod", THREE, layer("Eltwise", "eltwise_param { operation: PROD }", "xyz"))
def _(x, y, z): return x * y * z


@case("eltwise_max", THREE, layer("Eltwise", "eltwise_param { operation: MAX }", "xyz"))
def _(x, y, z): return np.maximum(np.maximum(x, y), z)


@case("axpy", {"a": ("any", (2, 3, 1, 1)), "x": ("any", (2, 3, 2, 2)), "y": ("any", (2, 3, 2, 2))}, layer("Axpy", "", "axy"), cv=False)
def _(a, x, y): return a * x + y


# --- normalisation

@case("batch_norm", X, layer("BatchNorm", "batch_norm_param { eps: 0.001 }"), [("layer", "any", (4,)), ("layer", "positive", (4,)), ("layer", "positive", (1,))])
def _(x, m, v, f): return (x - (m / f)[:, None, None]) / np.sqrt((v / f)[:, None, None] + 0.001)


@case("batch_norm_of_batch", X, layer("BatchNorm", "batch_norm_param { use_global_stats: false }"),
      [("layer", "any", (4,)), ("layer", "positive", (4,)), ("layer", "positive", (1,))], cv=False)
def _(x, m, v, f): return (x - x.mean((0, 2, 3), keepdims=True)) / np.sqrt(x.var((0, 2, 3), keepdims=True) + 1e-5)


@case("lrn", X, layer("LRN", "lrn_param { local_size: 3 alpha: 0.5 beta: 0.75 k: 2 }"), cv=False)
def _(x):
    sums = sum(np.pad(x ** 2, ((0, 0), (1, 1), (0, 0), (0, 0)))[:, i:i + 4] for i in range(3))
    return x / (2 + 0.5 / 3 * sums) ** 0.75


@case("lrn_within", X, layer("LRN", "lrn_param { local_size: 3 alpha: 0.5 beta: 0.75 norm_region: WITHIN_CHANNEL }"), cv=False)
def _(x): return x * (1 + 0.5 * pool(x * x, (3, 3), (1, 1), (1, 1), "AVE")[0]) ** -0.75


def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


@case("softmax", X, layer("Softmax"))
def _(x): return softmax(x, 1)


@case("softmax_last", X, layer("Softmax", "softmax_param { axis: -1 }"))
def _(x): return softmax(x, 3)


@case("normalize", X, layer("Normalize", "norm_param { across_spatial: false channel_shared: false }"), [("layer", "any", (4,))])
def _(x, s): return x / np.sqrt((x * x).sum(1, keepdims=True) + 1e-10) * s[:, None, None]


@case("normalize_all", X, layer("Normalize"), [("layer", "any", (1,))], cv=False)
def _(x, s): return x / np.sqrt((x * x).sum((1, 2, 3), keepdims=True) + 1e-10) * s


@case("mvn", X, layer("MVN"))
def _(x): return (x - x.mean((2, 3), keepdims=True)) / (x.std((2, 3), keepdims=True) + 1e-9)


@case("mvn_mean", X, layer("MVN", "mvn_param { normalize_variance: false across_channels: true }"))
def _(x): return x - x.mean((1, 2, 3), keepdims=True)


# --- places

@case("concat", {"x": ("any", (2, 3, 2, 1)), "y": ("any", (2, 1, 2, 1))}, layer("Concat", "concat_param { axis: -3 }", "xy"))
def _(x, y): return np.concatenate([x, y], 1)


@case("concat_dim", {"x": ("any", (1, 3)), "y": ("any", (2, 3))}, layer("Concat", "concat_param { concat_dim: 0 }", "xy"), cv=False)
def _(x, y): return np.concatenate([x, y], 0)


@case("slice", X, layer("Slice", "slice_param { axis: 1 slice_point: 1 slice_point: 3 }", tops=("a", "b", "c")))
def _(x): return {"a": x[:, :1], "b": x[:, 1:3], "c": x[:, 3:]}


@case("slice_equal", X, layer("Slice", "slice_param { slice_dim: 3 }", tops=("a", "b")), cv=False)
def _(x): return {"a": x[..., :3], "b": x[..., 3:]}


@case("flatten", X, layer("Flatten"))
def _(x): return x.reshape(2, -1)


@case("flatten_middle", X, layer("Flatten", "flatten_param { axis: 1 end_axis: 2 }"))
def _(x): return x.reshape(2, 20, 6)


@case("reshape", X, layer("Reshape", "reshape_param { shape { dim: 0 dim: 2 dim: -1 dim: 3 } }"))
def _(x): return x.reshape(2, 2, 20, 3)


@case("reshape_axes", X, layer("Reshape", "reshape_param { shape { dim: 10 dim: 2 } axis: 1 num_axes: 2 }"), cv=False)
def _(x): return x.reshape(2, 10, 2, 6)


@case("reshape_insert", X, layer("Reshape", "reshape_param { shape { dim: 1 } axis: -1 num_axes: 0 }"), cv=False)
def _(x): return x.reshape(2, 4, 5, 6, 1)


@case("permute", X, layer("Permute", "permute_param { order: 0 order: 2 order: 3 order: 1 }"))
def _(x): return x.transpose(0, 2, 3, 1)


@case("permute_rest", X, layer("Permute", "permute_param { order: 2 }"), cv=False)
def _(x): return x.transpose(2, 0, 1, 3)


@case("shuffle_channel", X, layer("ShuffleChannel", "shuffle_channel_param { group: 2 }"))
def _(x): return x.reshape(2, 2, 2, 5, 6).transpose(0, 2, 1, 3, 4).reshape(2, 4, 5, 6)


@case("crop", {**X, "like": ("any", (2, 4, 3, 2))}, layer("Crop", "crop_param { axis: 2 offset: 1 offset: 3 }", ("x", "like")))
def _(x, like): return x[:, :, 1:4, 3:5]


@case("tile", {"x": ("any", (2, 3, 2))}, layer("Tile", "tile_param { axis: 1 tiles: 2 }"), cv=False)
def _(x): return np.tile(x, (1, 2, 1))


@case("silence", X, layer("ReLU") + layer("Silence", "", ("x",), (), "quiet"), cv=False)
def _(x): return np.maximum(x, 0)


@case("in_place", X, layer("Power", "power_param { shift: 1 }", ("x",), ("out",)) + layer("ReLU", "", ("out",), ("out",), "b") +
      layer("Power", "power_param { scale: 3 }", ("out",), ("out",), "c") + layer("Dropout", "", ("out",), ("out",), "d"))
def _(x): return 3 * np.maximum(x + 1, 0)


# --- reductions

for operation, function in (("SUM", lambda v: v.sum((1, 2, 3))), ("ASUM", lambda v: np.abs(v).sum((1, 2, 3))),
                            ("SUMSQ", lambda v: (v * v).sum((1, 2, 3))), ("MEAN", lambda v: v.mean((1, 2, 3)))):
    @case(f"reduction_{operation}", X, layer("Reduction", f"reduction_param {{ operation: {operation} axis: 1 coeff: 0.5 }}"), cv=False)
    def _(x): return 0.5 * function(x)


@case("reduction_all", X, layer("Reduction"), cv=False)
def _(x): return x.sum()


def best(rows, k):
    """Of rows the k best: Caffe orders pairs (value, place), so that of equal values the last comes first."""
    order = np.array([[i for _, i in sorted(((v, i) for i, v in enumerate(row)), reverse=True)[:k]] for row in rows])
    return order.astype(float), np.take_along_axis(rows, order, 1)


T = {"x": ("ties", (2, 3, 2, 2))}


@case("arg_max", T, layer("ArgMax", "argmax_param { top_k: 3 }"), cv=False)
def _(x): return best(x.reshape(2, -1), 3)[0].reshape(2, 1, 3, 1)


@case("arg_max_values", T, layer("ArgMax", "argmax_param { top_k: 2 out_max_val: true }"), cv=False)
def _(x):
    places, values = best(x.reshape(2, -1), 2)
    return np.stack([places, values], 1).reshape(2, 2, 2, 1)


@case("arg_max_axis", T, layer("ArgMax", "argmax_param { axis: 1 }"), cv=False)
def _(x): return best(x.transpose(0, 2, 3, 1).reshape(-1, 3), 1)[0].reshape(2, 2, 2, 1).transpose(0, 3, 1, 2)


@case("arg_max_axis_values", T, layer("ArgMax", "argmax_param { axis: -3 out_max_val: true top_k: 2 }"), cv=False)
def _(x): return best(x.transpose(0, 2, 3, 1).reshape(-1, 3), 2)[1].reshape(2, 2, 2, 2).transpose(0, 3, 1, 2)


# --- pictures

def interp(x, height, width):
    def axis(inside, outside):
        at = np.arange(outside) * ((inside - 1) / (outside - 1) if outside > 1 else 0)
        low = np.minimum(at.astype(int), inside - 1)
        return low, np.minimum(low + 1, inside - 1), at - low
    r0, r1, rf = axis(x.shape[2], height)
    c0, c1, cf = axis(x.shape[3], width)
    rows = x[:, :, r0] * (1 - rf)[:, None] + x[:, :, r1] * rf[:, None]
    return rows[..., c0] * (1 - cf) + rows[..., c1] * cf


@case("interp", X, layer("Interp", "interp_param { height: 9 width: 4 }"))
def _(x): return interp(x, 9, 4)


@case("interp_zoom", X, layer("Interp", "interp_param { zoom_factor: 2 pad_beg: -1 pad_end: -1 }"), cv=False)
def _(x): return interp(x[:, :, 1:-1, 1:-1], 5, 7)


@case("interp_shrink", X, layer("Interp", "interp_param { shrink_factor: 2 }"), cv=False)
def _(x): return interp(x, 3, 3)


@case("upsample", X, layer("Upsample", "upsample_param { scale: 2 }"), cv=False)
def _(x): return x.repeat(2, 2).repeat(2, 3)


@case("unpooling", X, layer("Pooling", "pooling_param { kernel_size: 2 stride: 2 }", ("x",), ("p", "mask"), "pool") +
      layer("Upsample", "upsample_param { upsample_h: 5 upsample_w: 6 }", ("p", "mask"), ("out",)), cv=False)
def _(x):
    values, places = pool(x, (2, 2), (2, 2), (0, 0), "MAX")
    y = np.zeros((2, 4, 30))
    for n, c in itertools.product(range(2), range(4)):
        for v, at in zip(values[n, c].ravel(), places[n, c].ravel()):
            y[n, c, int(at)] = v
    return y.reshape(2, 4, 5, 6)


# --- detectors

def prior_boxes(h, w, ih, iw, least, most, ratios, flip, clip, variances, step=0, offset=0.5):
    all_ratios = [1.0]
    for r in ratios:
        if all(abs(r - o) >= 1e-6 for o in all_ratios):
            all_ratios += [r, 1 / r] if flip else [r]
    boxes = []
    for i, k in itertools.product(range(h), range(w)):
        sx, sy = (step, step) if step else (iw / w, ih / h)
        x, y = (k + offset) * sx, (i + offset) * sy
        for n, s in enumerate(map(int, least)):
            sizes = [(s, s)] + ([(np.sqrt(s * int(most[n])),) * 2] if most else [])
            sizes += [(s * np.sqrt(r), s / np.sqrt(r)) for r in all_ratios if abs(r - 1) >= 1e-6]
            boxes += [[(x - a / 2) / iw, (y - b / 2) / ih, (x + a / 2) / iw, (y + b / 2) / ih] for a, b in sizes]
    boxes = np.array(boxes)
    boxes = np.clip(boxes, 0, 1) if clip else boxes
    spread = np.tile(variances * (4 if len(variances) == 1 else 1), len(boxes))
    return np.stack([boxes.ravel(), spread])[None]


CELLS = {"x": ("any", (1, 1, 2, 3)), "image": ("any", (1, 3, 20, 30))}


@case("prior_box", CELLS, layer("PriorBox", "prior_box_param { min_size: 4 max_size: 9 aspect_ratio: 2 aspect_ratio: 3 flip: true clip: true variance: 0.1 variance: 0.1 variance: 0.2 variance: 0.2 }", ("x", "image")))
def _(x, image): return prior_boxes(2, 3, 20, 30, [4], [9], [2, 3], True, True, [.1, .1, .2, .2])


@case("prior_box_steps", CELLS, layer("PriorBox", "prior_box_param { min_size: 4.9 min_size: 6 aspect_ratio: 2 flip: false step: 8 offset: 0.25 img_size: 40 }", ("x", "image")), cv=False)
def _(x, image): return prior_boxes(2, 3, 40, 40, [4.9, 6], [], [2], False, False, [.1], 8, 0.25)


def overlap(a, b, unit=0):
    w, h = min(a[2], b[2]) - max(a[0], b[0]) + unit, min(a[3], b[3]) - max(a[1], b[1]) + unit
    area = lambda v: (v[2] - v[0] + unit) * (v[3] - v[1] + unit)
    return w * h / (area(a) + area(b) - w * h) if w > 0 and h > 0 else 0


def suppress(boxes, scores, order, threshold, unit=0):
    kept = []
    for i in order:
        if all(overlap(boxes[i], boxes[k], unit) <= threshold for k in kept):
            kept.append(i)
    return kept


@case("detection_output", {"loc": ("any", (2, 12 * 4)), "conf": ("unit", (2, 12 * 3)), "cells": ("any", (1, 1, 2, 3)), "image": ("any", (1, 3, 20, 30))},
      layer("PriorBox", "prior_box_param { min_size: 6 max_size: 9 variance: 0.1 variance: 0.1 variance: 0.2 variance: 0.2 }", ("cells", "image"), ("priors",), "boxes") +
      layer("DetectionOutput", "detection_output_param { num_classes: 3 share_location: true background_label_id: 0 nms_param { nms_threshold: 0.3 top_k: 8 } "
            "variance_encoded_in_target: false code_type: CENTER_SIZE keep_top_k: 7 confidence_threshold: 0.4 }", ("loc", "conf", "priors")))
def _(loc, conf, cells, image):
    priors = prior_boxes(2, 3, 20, 30, [6], [9], [], True, False, [.1, .1, .2, .2])[0]
    rows = []
    for n in range(2):
        p, v, code = priors[0].reshape(-1, 4), priors[1].reshape(-1, 4), loc[n].reshape(-1, 4)
        size = p[:, 2:] - p[:, :2]
        centre = (p[:, :2] + p[:, 2:]) / 2 + v[:, :2] * code[:, :2] * size
        half = np.exp(v[:, 2:] * code[:, 2:]) * size / 2
        boxes, found = np.hstack([centre - half, centre + half]), []
        for label in (1, 2):
            scores = conf[n].reshape(-1, 3)[:, label]
            order = [i for i in np.argsort(-scores, kind="stable") if scores[i] > 0.4][:8]
            found += [(n, label, scores[i], *boxes[i]) for i in suppress(boxes, scores, order, 0.3)]
        found = sorted(found, key=lambda d: -d[2])[:7]
        rows += sorted(found, key=lambda d: d[1])
    return np.array(rows)[None, None]


@case("detection_output_counted", {"loc": ("any", (2, 12 * 4)), "conf": ("unit", (2, 12 * 3)), "cells": ("any", (1, 1, 2, 3)), "image": ("any", (1, 3, 20, 30))},
      layer("PriorBox", "prior_box_param { min_size: 6 max_size: 9 variance: 0.1 variance: 0.1 variance: 0.2 variance: 0.2 }", ("cells", "image"), ("priors",), "boxes") +
      layer("DetectionOutput", "detection_output_param { num_classes: 3 nms_param { nms_threshold: 0.3 top_k: 8 } "
            "code_type: CENTER_SIZE keep_top_k: 9 confidence_threshold: 0.4 }", ("loc", "conf", "priors"), ("out", "count")), cv=False)
def _(loc, conf, cells, image):
    """TensorRT's two tops: rows of an image by score, empty ones behind them; coordinates within the picture."""
    priors = prior_boxes(2, 3, 20, 30, [6], [9], [], True, False, [.1, .1, .2, .2])[0]
    rows, counts = np.zeros((2, 1, 9, 7)), np.zeros((2, 1, 1, 1))
    rows[..., 1] = -1
    for n in range(2):
        rows[n, ..., 0] = n
        p, v, code = priors[0].reshape(-1, 4), priors[1].reshape(-1, 4), loc[n].reshape(-1, 4)
        size = p[:, 2:] - p[:, :2]
        centre = (p[:, :2] + p[:, 2:]) / 2 + v[:, :2] * code[:, :2] * size
        half = np.exp(v[:, 2:] * code[:, 2:]) * size / 2
        boxes, found = np.hstack([centre - half, centre + half]), []
        for label in (1, 2):
            scores = conf[n].reshape(-1, 3)[:, label]
            order = [i for i in np.argsort(-scores, kind="stable") if scores[i] > 0.4][:8]
            found += [(scores[i], label, i) for i in suppress(boxes, scores, order, 0.3)]
        found = sorted(found, key=lambda d: -d[0])[:9]
        counts[n] = len(found)
        for k, (score, label, i) in enumerate(found):
            rows[n, 0, k, 1:] = [label, score, *np.clip(boxes[i], 0, 1)]
    return {"out": rows, "count": counts}


@case("detection_output_nothing", {"loc": ("any", (2, 8)), "conf": ("unit", (2, 4)), "priors": ("unit", (1, 2, 8))},
      layer("DetectionOutput", "detection_output_param { num_classes: 2 confidence_threshold: 2 code_type: CORNER }", ("loc", "conf", "priors")), cv=False)
def _(loc, conf, priors): return np.array([[0, -1, -1, -1, -1, -1, -1], [1, -1, -1, -1, -1, -1, -1.0]])[None, None]


@case("proposal", {"scores": ("unit", (1, 6, 2, 3)), "deltas": ("unit", (1, 12, 2, 3)), "info": ("positive", (1, 3))},
      layer("Power", "power_param { scale: 0 shift: 60 }", ("info",), ("size",), "size") +
      layer("Proposal", "proposal_param { feat_stride: 16 base_size: 16 min_size: 0 ratio: 0.5 ratio: 1 ratio: 2 scale: 1 pre_nms_topn: 12 post_nms_topn: 5 nms_thresh: 0.5 }",
            ("scores", "deltas", "size")), cv=False)
def _(scores, deltas, info):
    anchors = []
    for r in (0.5, 1, 2):
        w = np.round(np.sqrt(256 / r))
        h = np.round(w * r)
        anchors.append([7.5 - (w - 1) / 2, 7.5 - (h - 1) / 2, 7.5 + (w - 1) / 2, 7.5 + (h - 1) / 2])
    boxes, ranks = [], []
    for i, k, a in itertools.product(range(2), range(3), range(3)):
        base = np.array(anchors[a]) + [k * 16, i * 16, k * 16, i * 16]
        w, h = base[2] - base[0] + 1, base[3] - base[1] + 1
        d = deltas[0, 4 * a:4 * a + 4, i, k]
        x, y = base[0] + w / 2 + d[0] * w, base[1] + h / 2 + d[1] * h
        boxes.append(np.clip([x - np.exp(d[2]) * w / 2, y - np.exp(d[3]) * h / 2, x + np.exp(d[2]) * w / 2, y + np.exp(d[3]) * h / 2], 0, 59))
        ranks.append(scores[0, 3 + a, i, k])
    order = np.argsort(-np.array(ranks), kind="stable")[:12]
    return np.array([[0, *boxes[i]] for i in suppress(boxes, ranks, order, 0.5, 1)[:5]])


@case("roi_pooling", {**X, "rois": ("positive", (3, 5))}, layer("Power", "power_param { scale: 0.5 shift: -0.25 }", ("rois",), ("regions",), "small") +
      layer("Slice", "slice_param { axis: 1 slice_point: 1 }", ("regions",), ("first", "rest"), "cut") +
      layer("Power", "power_param { scale: 0 shift: 1 }", ("first",), ("second_picture",), "one") +
      layer("Concat", "concat_param { axis: 1 }", ("second_picture", "rest"), ("boxes",), "join") +
      layer("ROIPooling", "roi_pooling_param { pooled_h: 2 pooled_w: 2 spatial_scale: 2 }", ("x", "boxes")), cv=False)
def _(x, rois):
    y = np.zeros((3, 4, 2, 2))
    away = lambda v: int(np.floor(abs(v) + 0.5) * np.sign(v))
    for n, roi in enumerate(rois * 0.5 - 0.25):
        x1, y1, x2, y2 = (away(v * 2) for v in roi[1:])
        w, h = max(x2 - x1 + 1, 1) / 2, max(y2 - y1 + 1, 1) / 2
        for i, k in itertools.product(range(2), range(2)):
            rows = slice(*np.clip([int(np.floor(i * h)) + y1, int(np.ceil((i + 1) * h)) + y1], 0, 5))
            columns = slice(*np.clip([int(np.floor(k * w)) + x1, int(np.ceil((k + 1) * w)) + x1], 0, 6))
            part = x[1][:, rows, columns]
            y[n, :, i, k] = part.max((1, 2)) if part.size else 0
    return y


@case("regions_one_by_one", {"scores": ("unit", (1, 4, 2, 3)), "deltas": ("unit", (1, 8, 2, 3)), "x": ("any", (1, 2, 2, 3)), "info": ("positive", (1, 1, 1, 3))},
      layer("Power", "power_param { scale: 0 shift: 40 }", ("info",), ("facts",), "facts") +
      layer("RPROI", "roi_pooling_param { pooled_h: 2 pooled_w: 2 spatial_scale: 0.0625 } region_proposal_param { feature_stride: 16 prenms_top: 10 nms_max_out: 4 "
            "anchor_ratio_count: 1 anchor_scale_count: 2 iou_threshold: 0.6 min_box_size: 0.25 anchor_ratio: 1 anchor_scale: 1 anchor_scale: 0.5 }",
            ("scores", "deltas", "x", "facts"), ("rois", "pooled"), "regions") +
      layer("InnerProduct", "inner_product_param { num_output: 3 }", ("pooled",), ("product",)) +
      layer("Softmax", "", ("product",), ("out",), "softmax"), [("layer", "any", (3, 8)), ("layer", "any", (3,))], cv=False)
def _(scores, deltas, x, info, w, b):
    boxes, ranks = [], []
    for a, i, k in itertools.product(range(2), range(2), range(3)):
        d, side = deltas[0, 4 * a:4 * a + 4, i, k], (16, 8)[a]
        middle = np.array([k, i]) * 16 + 7.5 + d[:2] * side
        box = np.clip([*(middle - np.exp(d[2:]) * side / 2), *(middle + np.exp(d[2:]) * side / 2)], 0, 39)
        boxes.append(box)
        ranks.append(scores[0, 2 + a, i, k] if (box[2:] - box[:2] + 1 >= 10).all() else -1)
    order = [i for i in np.argsort(-np.array(ranks), kind="stable") if ranks[i] >= 0][:10]
    kept = [boxes[i] for i in suppress(boxes, ranks, order, 0.6, 1)[:4]]
    rois = np.zeros((4, 4))
    rois[:len(kept)] = kept
    pooled = np.zeros((4, 2, 2, 2))
    for n, roi in enumerate(rois):
        x1, y1, x2, y2 = (int(np.floor(v / 16 + 0.5)) for v in roi)
        h, w2 = (y2 - y1 + 1) / 2, (x2 - x1 + 1) / 2
        for i, k in itertools.product(range(2), range(2)):
            part = x[0][:, int(np.floor(i * h)) + y1:int(np.ceil((i + 1) * h)) + y1, int(np.floor(k * w2)) + x1:int(np.ceil((k + 1) * w2)) + x1]
            pooled[n, :, i, k] = part.max((1, 2)) if part.size else 0
    return {"rois": rois[None, None], "out": softmax(pooled.reshape(4, 8) @ w.T + b, 1)[None, :, :, None, None]}


# --- writing and checking

def field(number, wire, content):
    return bytes([*varint(number << 3 | wire)]) + content


def varint(n):
    while n > 127:
        yield n & 127 | 128
        n >>= 7
    yield n


def sized(number, content):
    return field(number, 2, bytes([*varint(len(content))]) + content)


def caffemodel(blobs):
    layers = {}
    for n, (name, kind, extents) in enumerate(blobs):
        shape = sized(7, b"".join(field(1, 0, bytes([*varint(e)])) for e in extents))
        data = value(kind, 10 + n, extents).astype("<f4").tobytes()
        layers.setdefault(name, []).append(sized(7, shape + sized(5, data)))
    return b"".join(sized(100, sized(1, name.encode()) + b"".join(parts)) for name, parts in layers.items())


def header(inputs):
    return "".join(f'input: "{n}" input_shape {{ {" ".join(f"dim: {e}" for e in extents)} }}\n' for n, (_, extents) in inputs.items())


def check():
    import cv2
    for name, inputs, text, blobs, results, cv in CASES:
        if not cv:
            continue
        try:
            look(cv2, name, inputs, text, blobs, results)
        except cv2.error as error:
            print(f"{name}: OpenCV refuses: {error.err}")
    print(sum(c[-1] for c in CASES), "cases looked at with OpenCV")


def look(cv2, name, inputs, text, blobs, results):
    net = cv2.dnn.readNetFromCaffe(bytearray((header(inputs) + text).encode()), bytearray(caffemodel(blobs) or sized(100, sized(1, b"none"))))
    for n, (blob, (kind, extents)) in enumerate(inputs.items()):
        net.setInput(value(kind, n, extents).astype(np.float32), blob)
    found_all = net.forward(net.getUnconnectedOutLayersNames()) if len(results) > 1 else [net.forward()]
    for (blob, wanted), found in zip(results.items(), found_all):
        far = np.abs(found.ravel() - np.ravel(wanted)).max() if found.size == np.size(wanted) else np.inf
        if far > 1e-4 * max(1, np.abs(wanted).max()):
            print(f"{name} {blob}: OpenCV has {found.shape} for {np.shape(wanted)}, far {far}")


def write(path):
    lines = []
    words = lambda items: " ".join(map(str, items))
    for name, inputs, text, blobs, results, _ in CASES:
        lines.append(f"case {name}")
        lines += [f"input {n} {kind} {words(extents)}".rstrip() for n, (kind, extents) in inputs.items()]
        lines += [f"blob {n} {kind} {words(extents)}".rstrip() for n, kind, extents in blobs]
        lines += ["text", text.rstrip("\n"), "end"]
        for blob, wanted in results.items():
            lines += [f"expect {blob} {words(np.shape(wanted))}".rstrip(), words(f"{v:.6g}" for v in np.ravel(wanted))]
    path.write_text("\n".join(lines) + "\n")
    print(len(CASES), "cases,", path.stat().st_size, "bytes")


if __name__ == "__main__":
    write(Path(__file__).resolve().parent / "layers.cases")
    if "--check" in sys.argv:
        check()
