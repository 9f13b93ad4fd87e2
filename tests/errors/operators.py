#!/usr/bin/env python3
"""One node that is wrong, refused by name: operators.py PLANISH

A row: operator, operands, attributes, what the message says behind the node's name (* stands for anything). Operands are
inputs of these extents; W(…) is a constant of zeros or of the given elements; None is left out. Without a
message the network is accepted.
"""
import fnmatch
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from wire import FLOAT, INT64, UINT8, block, model, node, number, tensor, value

INT32, INT8, BOOL, DOUBLE, INT4 = 6, 3, 9, 11, 22
PACKED = {FLOAT: "f", INT64: "q", INT32: "i", INT8: "b", UINT8: "B", BOOL: "?", DOUBLE: "d"}


class X:
    """An input."""

    def __init__(self, *extents, dtype=FLOAT):
        self.extents, self.dtype = extents, dtype


class W(X):
    """A constant."""

    def __init__(self, *extents, of=None, dtype=FLOAT):
        count = 1
        for extent in extents:
            count *= extent
        super().__init__(*extents, dtype=dtype)
        self.elements = of if of is not None else [0] * count


def ints(*elements):
    return W(len(elements), of=elements, dtype=INT64)


def attribute(name, content):
    if isinstance(content, str):
        return block(1, name) + block(4, content) + number(20, 3)
    if isinstance(content, bytes):
        return block(1, name) + block(6, content) + number(20, 5)
    if isinstance(content, int):
        return block(1, name) + number(3, content) + number(20, 2)
    if content and isinstance(content[0], str):
        return block(1, name) + b"".join(block(9, c) for c in content) + number(20, 8)
    return block(1, name) + b"".join(number(8, c) for c in content) + number(20, 7)


def body(inputs, outputs):
    """A region that hands values on."""
    return block(2, "body") + b"".join(block(11, value(i, [])) for i in inputs) + b"".join(block(12, value(o, [])) for o in outputs)


# X, W, R, then scales and zero points of W and R
BYTES_LSTM = [X(2, 1, 3), W(1, 3, 16, dtype=UINT8), W(1, 4, 16, dtype=UINT8), None, None, None, None, None, W(1), W(1, dtype=UINT8), W(1), W(1, dtype=UINT8)]
PICTURE, KERNEL = X(1, 4, 6, 6), W(8, 4, 3, 3)
LSTM = [X(3, 2, 4), W(1, 20, 4), W(1, 20, 5)]
STATE = [W(1, 40), None, W(1, 2, 5), W(1, 2, 5)]
SCALE, ZERO = W(of=[0.5]), W(dtype=UINT8)
GROUPED = [X(1, 1, 64), X(1, 1, 32), X(1, 1, 32), X(1, 2, 4, 16), X(1, 2, 4, 16), X(1, dtype=INT32), W(of=[5], dtype=INT32)]
TWO_RESULTS = ("Split", "AveragePool", "MaxPool")
ROWS = [
    # what is written or read lies inside the data
    ("ScatterElements", [X(3, 4), X(2, 3, dtype=INT64), X(2, 3)], {"axis": 1}, None),
    ("ScatterElements", [X(3, 4), X(2, 3, dtype=INT64), X(2, 5)], {}, "operand 2 ('updates') is f32[2,5]; [2,3] is accepted"),
    ("ScatterElements", [X(3, 4), X(5, 3, dtype=INT64), X(5, 3)], {"axis": 1}, "indices [5,3] into [3,4] along axis 1: 5 where at most 3 is accepted"),
    ("ScatterElements", [X(3, 4), W(1, 1, of=[7], dtype=INT64), X(1, 1)], {}, "index 7 into an extent of 3"),
    ("ScatterElements", [X(3, 4), X(6, dtype=INT64), X(6)], {}, "operand 1 ('indices') is i64[6]; rank 2 is accepted"),
    ("ScatterElements", [X(3, 4), X(2, 3), X(2, 3)], {}, "operand 1 ('indices') is f32[2,3]; accepted: i32, i64"),
    ("ScatterElements", [X(3, 4), X(2, 3, dtype=INT64), X(2, 3)], {"reduction": "FOO"}, "attribute 'reduction' is 'FOO'; accepted: none, add, mul, max, min"),
    ("ScatterND", [X(3, 4, 5), X(2, 2, dtype=INT64), X(2, 5)], {}, None),
    ("ScatterND", [X(3, 4, 5), X(2, 2, dtype=INT64), X(2, 9)], {}, "operand 2 ('updates') is f32[2,9]; [2,5] is accepted"),
    ("ScatterND", [X(3, 4, 5), X(2, 4, dtype=INT64), X(2)], {}, "indices [2,4] into [3,4,5]: a last extent of 1 to 3 is accepted"),
    ("ScatterND", [X(3, 4, 5), X(2, 2, dtype=INT64), X(2, 5, dtype=DOUBLE)], {}, "operands 0 and 2 differ in type: f32[3,4,5] and f64[2,5]"),
    ("GatherElements", [X(3, 4), X(5, 2, dtype=INT64)], {"axis": 1}, "indices [5,2] into [3,4] along axis 1: 5 where at most 3 is accepted"),
    ("GatherND", [X(3, 4), X(2, 3, dtype=INT64)], {}, "indices [2,3] into [3,4]: a last extent of 1 to 2 is accepted"),
    ("GatherND", [X(3, 4), X(2, 1, dtype=INT64)], {"batch_dims": 1}, "indices [2,1] into [3,4] in 1 batch axes"),
    ("Gather", [X(3, 4), ints(1, 4)], {"axis": 1}, "index 4 into an extent of 4"),
    ("Gather", [X(3, 4), ints(1)], {"axis": 2}, "axis 2 of a tensor of rank 2"),
    ("ArgMax", [X(3, 0)], {"axis": 1}, "f32[3,0] has no element along axis 1; at least one is accepted"),
    # scales, biases, weights, states
    ("LayerNormalization", [X(2, 3, 4), W(4), W(1)], {}, None),
    ("LayerNormalization", [X(2, 3, 4), W(5)], {}, "operand 1 ('scale') is f32[5]; what repeats to [4] is accepted"),
    ("LayerNormalization", [X(2, 3, 4), W(3, 4)], {}, "operand 1 ('scale') is f32[3,4]; what repeats to [4] is accepted"),
    ("LayerNormalization", [X(2, 3, 4), W(4), W(3)], {}, "operand 2 ('B') is f32[3]; what repeats to [4] is accepted"),
    ("RMSNormalization", [X(2, 3, 4), W(8)], {}, "operand 1 ('scale') is f32[8]; what repeats to [4] is accepted"),
    ("BatchNormalization", [PICTURE, W(4), W(4), W(4), W(4)], {}, None),
    ("BatchNormalization", [PICTURE, W(3), W(4), W(4), W(4)], {}, "operand 1 ('scale') is f32[3]; [4] is accepted"),
    ("BatchNormalization", [PICTURE, W(4), W(4), W(4), W(1, 4)], {}, "operand 4 ('var') is f32[1,4]; [4] is accepted"),
    ("LSTM", LSTM + STATE, {"hidden_size": 5}, None),
    ("LSTM", LSTM, {"hidden_size": 6}, "attribute 'hidden_size' is 6, the weights f32[1,20,5] have 5"),
    ("LSTM", LSTM, {"direction": "sideways"}, "attribute 'direction' is 'sideways'; accepted: forward, reverse, bidirectional"),
    ("LSTM", LSTM, {"direction": "bidirectional"}, "operand 1 ('W') is f32[1,20,4]; [2,20,4] is accepted"),
    ("LSTM", [X(3, 2, 4), W(1, 20, 7), W(1, 20, 5)], {}, "operand 1 ('W') is f32[1,20,7]; [1,20,4] is accepted"),
    ("LSTM", [X(3, 2, 4), W(1, 24, 4), W(1, 24, 5)], {}, "operand 1 ('W') is f32[1,24,4]; [1,20,4] is accepted"),
    ("LSTM", LSTM + [W(1, 20)], {}, "operand 3 ('B') is f32[1,20]; [1,40] is accepted"),
    ("LSTM", LSTM + [None, W(3, dtype=INT32)], {}, "operand 4 ('sequence_lens') is i32[3]; [2] is accepted"),
    ("LSTM", LSTM + [None, None, W(1, 3, 5)], {}, "operand 5 ('initial_h') is f32[1,3,5]; [1,2,5] is accepted"),
    ("LSTM", LSTM + [None, None, None, W(1, 2)], {}, "operand 6 ('initial_c') is f32[1,2]; [1,2,5] is accepted"),
    ("LSTM", LSTM + STATE + [W(1, 5)], {}, "operand 7 ('P') is f32[1,5]; [1,15] is accepted"),
    ("LSTM", LSTM, {"activations": ["Sigmoid"]}, "1 activations; 3 are accepted"),
    ("GRU", [X(3, 2, 4), W(1, 15, 4), W(1, 15, 5)], {"activations": ["Sigmoid", "Sine"]}, "activation 'Sine'; those of ONNX are accepted"),
    ("GRU", [X(3, 2, 4), W(1, 15, 4), W(1, 15, 5)], {"activations": ["Tanh"]}, "1 activations; 2 are accepted"),
    ("RNN", [X(3, 2, 4), W(1, 5, 4), W(1, 5, 5)], {"layout": 2}, "attribute 'layout' is 2; 0 and 1 are accepted"),
    ("LSTM", LSTM, {"layout": 1, "input_forget": 1}, None),
    # attention
    ("Attention", [X(1, 3, 8), X(1, 5, 8), X(1, 5, 8)], {"q_num_heads": 2, "kv_num_heads": 2}, None),
    ("Attention", [X(1, 3, 8), X(1, 5, 8), X(1, 5, 8)], {"kv_num_heads": 2}, "attribute 'q_num_heads' is 0; a divisor of 8 is accepted"),
    ("Attention", [X(1, 3, 8), X(1, 5, 8), X(1, 5, 8)], {"q_num_heads": 2, "kv_num_heads": 4}, "4 heads of keys for 2 of queries; a divisor is accepted"),
    ("Attention", [X(8), X(8), X(8)], {}, "operand 0 is f32[8]; rank 3 to 4 is accepted"),
    ("Attention", [X(1, 2, 3, 4), X(1, 2, 5, 4), X(1, 2, 5, 4), None, X(1, 2, 6, 4)], {}, "one of past_key and past_value is missing"),
    ("RotaryEmbedding", [X(1, 3, 8), X(9, 2), X(9, 2), X(1, 3, dtype=INT64)], {}, "attribute 'num_heads' is 0; operands of rank 3 need 1 and more"),
    ("RotaryEmbedding", [X(1, 2, 3, 8), X(9, 4), X(9, 4), X(1, 3, dtype=INT64)], {"rotary_embedding_dim": 3}, "3 of 8 elements turned; an even number is accepted"),
    ("TensorScatter", [X(2, 4, 5), X(2, 1, 5)], {"mode": "sparse"}, "attribute 'mode' is 'sparse'; linear and circular are accepted"),
    ("CausalConvWithState", [X(2, 4, 8), W(4, 1, 3)], {"activation": "relu"}, "attribute 'activation' is 'relu'; none, silu and swish are accepted"),
    ("LinearAttention", [X(2, 3, 8), X(2, 3, 8), X(2, 3, 8)], {"q_num_heads": 2, "kv_num_heads": 2, "update_rule": "linear"}, None),
    ("LinearAttention", [X(2, 3, 8), X(2, 3, 8), X(2, 3, 8)], {"q_num_heads": 2, "kv_num_heads": 2}, "operand 4 ('decay') is missing; the rule 'gated_delta' needs it"),
    ("LinearAttention", [X(2, 3, 8), X(2, 3, 8), X(2, 3, 8)], {"q_num_heads": 2, "kv_num_heads": 3}, "3 heads of keys for 2 of queries; a divisor is accepted"),
    ("com.microsoft::MultiHeadAttention", [X(2, 4, 6, 3, 5)], {"num_heads": 6}, None),
    ("com.microsoft::MultiHeadAttention", [X(2, 4, 24), X(2, 7, 6, 2, 4)], {"num_heads": 6}, None),
    ("com.microsoft::MultiHeadAttention", [X(2, 4, 24), X(2, 7, 24), X(2, 7, 24)], {}, "attribute 'num_heads' is 0; 1 and more is accepted"),
    ("com.microsoft::Attention", [X(2, 4, 8), W(8, 36)], {"num_heads": 3, "qkv_hidden_sizes": [12, 12, 13]}, "attribute 'qkv_hidden_sizes' does not add up to 36"),
    ("com.microsoft::GroupQueryAttention", GROUPED, {"num_heads": 4, "kv_num_heads": 2}, None),
    ("com.microsoft::GroupQueryAttention", GROUPED, {"num_heads": 4, "kv_num_heads": 3}, "3 heads of keys for 4 of queries; a divisor is accepted"),
    ("com.microsoft::GroupQueryAttention", GROUPED[:6] + [X(dtype=INT32)], {"num_heads": 4, "kv_num_heads": 2}, "operand 6 is computed from data; one known element is accepted"),
    ("com.microsoft::GroupQueryAttention", GROUPED[:4] + [None] + GROUPED[5:], {"num_heads": 4, "kv_num_heads": 2}, "one of both caches is missing"),
    ("com.microsoft::Inverse", [X(2, 3, 3)], {}, None),
    ("com.microsoft::Inverse", [X(2, 3, 4)], {}, "operand 0 is f32[2,3,4]; square matrices are accepted"),
    ("com.microsoft::MatMulNBits", [X(2, 40), W(5, 3, 8, dtype=UINT8), W(15)], {"N": 5, "K": 40, "block_size": 16}, None),
    ("com.microsoft::MatMulNBits", [X(2, 40), W(5, 3, 7, dtype=UINT8), W(15)], {"N": 5, "K": 40, "block_size": 16}, "operand 1 is u8[5,3,7]; 5 rows of 24 bytes are accepted"),
    ("com.microsoft::MatMulNBits", [X(2, 40), W(5, 3, 8, dtype=UINT8), W(15)], {"N": 5, "K": 40}, "attribute 'block_size' is 0; 1 and more is accepted"),
    ("com.microsoft::MatMulNBits", [X(2, 40), W(5, 3, 8, dtype=UINT8), W(15)], {"N": 5, "K": 40, "block_size": 16, "bits": 3}, "attribute 'bits' is 3; 2, 4 and 8 are accepted"),
    # losses
    ("NegativeLogLikelihoodLoss", [X(3, 5), X(3, dtype=INT64)], {"reduction": "max"}, "attribute 'reduction' is 'max'; none, sum and mean are accepted"),
    ("SoftmaxCrossEntropyLoss", [X(5), X(1, dtype=INT64)], {}, "operand 0 is f32[5]; rank 2 to 10 is accepted"),
    # random numbers, sequences
    ("RandomNormal", [], {"shape": [2, 3], "dtype": 7}, "attribute 'dtype' is i64; floats of 16 bits and more are accepted"),
    ("SequenceAt", [X(3), ints(0)], {}, "operand 0 is no sequence whose elements are known at import"),
    ("ReverseSequence", [X(3, 4), X(4, dtype=INT64)], {"batch_axis": 2}, "batch_axis 2 and time_axis 0; 0 and 1 are accepted"),
    # windows
    ("Conv", [PICTURE, KERNEL, W(8)], {"auto_pad": "SAME_UPPER"}, None),
    ("Conv", [PICTURE, KERNEL], {"auto_pad": "FOO"}, "attribute 'auto_pad' is 'FOO'; accepted: NOTSET, SAME_UPPER, SAME_LOWER, VALID"),
    ("Conv", [PICTURE, KERNEL], {"kernel_shape": [3]}, "attribute 'kernel_shape' has 1 elements, 2 are accepted"),
    ("Conv", [PICTURE, KERNEL], {"strides": [1 << 40, 1]}, "attribute 'strides' holds 1099511627776, 1 to 2147483647 is accepted"),
    ("Conv", [PICTURE, W(8, 4, 3, 3, dtype=DOUBLE)], {}, "operands 0 and 1 differ in type: *"),
    ("Conv", [PICTURE, W(7, 2, 3, 3)], {"group": 2}, "7 filters in 2 groups; a multiple of the groups is accepted"),
    ("Conv", [PICTURE, KERNEL, W(7)], {}, "a bias of [7] for 8 filters"),
    ("ConvTranspose", [PICTURE, W(4, 2, 3, 3)], {"strides": [2, 2], "output_padding": [1, 1]}, None),
    ("ConvTranspose", [PICTURE, W(4, 0, 3, 3)], {}, "weights [4,0,3,3] without filters"),
    ("ConvTranspose", [PICTURE, W(4, 2, 3, 3)], {"group": 3}, "4 channels in 3 groups; a multiple of the groups is accepted"),
    ("ConvTranspose", [PICTURE, W(4, 2, 3, 3)], {"output_padding": [1, 1, 1]}, "attribute 'output_padding' has 3 elements, 2 are accepted"),
    ("ConvTranspose", [PICTURE, W(4, 2, 3, 3)], {"strides": [2, 2], "output_padding": [2, 0]}, "an output_padding of 2; less than the stride or dilation of 2 is accepted"),
    ("MaxPool", [PICTURE], {"kernel_shape": [2, 2], "pads": [1, 1, 1, 1]}, None),
    ("MaxPool", [PICTURE], {"kernel_shape": [2, 2], "pads": [2, 0, 0, 0]}, "a pad of 2 for a kernel of 2; less than the kernel is accepted"),
    ("MaxPool", [PICTURE], {"kernel_shape": [0, 2]}, "attribute 'kernel_shape' holds 0, 1 to 2147483647 is accepted"),
    ("MaxPool", [PICTURE], {"kernel_shape": [2, 2], "dilations": [1]}, "attribute 'dilations' has 1 elements, 2 are accepted"),
    ("MaxPool", [PICTURE], {"kernel_shape": [2, 2], "ceil_mode": 3}, "attribute 'ceil_mode' is 3; 0 and 1 are accepted"),
    ("AveragePool", [PICTURE], {"kernel_shape": [2, 2]}, "2 results asked for; up to 1 are accepted"),
    ("MaxPool", [PICTURE], {"kernel_shape": [2, 2], "storage_order": 2}, "attribute 'storage_order' is 2; 0 and 1 are accepted"),
    ("AveragePool", [X(1, 4, 6, 6, dtype=INT64)], {"kernel_shape": [2, 2]}, "operand 0 is i64[1,4,6,6]; accepted: floats"),
    # products
    ("Gemm", [X(2, 3), W(3, 4), W(2, 1)], {}, None),
    ("Gemm", [X(1, 3), W(3, 4), W(2, 1)], {}, "operand 2 ('C') is f32[2,1]; what repeats to [1,4] is accepted"),
    ("MatMul", [X(2, 3), W(3, 4, dtype=DOUBLE)], {}, "operands 0 and 1 differ in type: f32[2,3] and f64[3,4]"),
    # elements moved
    ("Slice", [X(5, 6), ints(1, 0), ints(4, 5), ints(1, -1)], {}, "axis 1 is named twice"),
    ("Slice", [X(5, 6), ints(1, 0), ints(4), ints(0, 1)], {}, "2 starts, 1 ends, 2 axes and 2 steps; equally many are accepted"),
    ("Slice", [X(5, 6), ints(1), ints(4), ints(0), ints(0)], {}, "a step of 0; forwards and backwards are accepted"),
    ("Unsqueeze", [X(5, 6), ints(0, -4)], {}, "axis 0 is named twice"),
    ("Split", [X(6, 4), ints(2, 4)], {}, None),
    ("Split", [X(6, 4), ints(2, 5)], {}, "parts of 7 for an extent of 6"),
    ("Split", [X(6, 4), ints(-1, 7)], {}, "part 0 has an extent of -1; 0 and more are accepted"),
    ("Split", [X(7, 4)], {}, "an extent of 7 in 2 equal parts"),
    ("Tile", [X(2, 3), ints(2, -1)], {}, "-1 repeats along axis 1; 0 and more are accepted"),
    ("Tile", [X(2, 3), ints(2)], {}, "1 repeats for f32[2,3]"),
    ("Expand", [X(2, 3), ints(2, 4)], {}, "shapes [2,3] and [2,4] do not broadcast (3 against 4)"),
    ("Transpose", [X(2, 3)], {"perm": [0, 0]}, "perm has 2 axes; each of the 2 of [2,3] once is accepted"),
    ("Concat", [X(2, 3), X(2, 4)], {"axis": 0}, "concat of [2,3] and [2,4] along 0: 3 against 4"),
    ("Concat", [X(2, 3), X(2, 3)], {}, "attribute 'axis' is missing"),
    ("Pad", [X(3, 4), ints(1, 0, -1, 1)], {"mode": "edge"}, None),
    ("Pad", [X(3, 4), ints(-4, 0, 4, 0)], {}, "pads of -4 and 4 cut more than the extent of 3"),
    ("Pad", [X(3, 4), ints(3, 0, 0, 0)], {"mode": "reflect"}, "pads of 3 and 0 for an extent of 3 in mode 'reflect'"),
    ("Pad", [X(3, 4), ints(1, 0, 0, 0), W(2)], {}, "operand 2 ('constant_value') is f32[2]; one element is accepted"),
    ("DepthToSpace", [X(1, 6, 3, 3)], {"blocksize": 2}, "axis 1 of f32[1,6,3,3]: multiples of 4 are accepted"),
    ("DepthToSpace", [X(1, 8, 3, 3)], {}, "attribute 'blocksize' is 0; 1 to 4096 is accepted"),
    ("SpaceToDepth", [X(1, 2, 4, 5)], {"blocksize": 2}, "axis 3 of f32[1,2,4,5]: multiples of 2 are accepted"),
    ("Resize", [PICTURE, None, None, ints(1, 4, 0, 6)], {}, "a size of 0 for an extent of 6; 1 and more are accepted"),
    ("Resize", [PICTURE, None, W(4, of=[1, 1, 0, 1])], {}, "a scale of 0; above 0 and up to 1e6 is accepted"),
    ("Resize", [PICTURE, None, W(3, of=[1, 1, 2])], {}, "3 scales for 4 axes"),
    ("Resize", [PICTURE, None, None, ints(1, 4, 8)], {}, "3 sizes for 4 axes"),
    ("Resize", [PICTURE], {}, "neither scales nor sizes; one of them is accepted"),
    ("Resize", [PICTURE, None, W(4, of=[1, 1, 2, 2])], {"nearest_mode": "FOO"}, "attribute 'nearest_mode' is 'FOO'; accepted: round_prefer_floor, round_prefer_ceil, floor, ceil"),
    ("Resize", [PICTURE, None, None, ints(1, 4, 3, 3)], {"coordinate_transformation_mode": "tf_crop_and_resize"}, "operand 1 ('roi') is missing for tf_crop_and_resize"),
    ("Resize", [PICTURE, W(4), None, ints(1, 4, 3, 3)], {"coordinate_transformation_mode": "tf_crop_and_resize"}, "operand 1 ('roi') is f32[4]; [8] is accepted"),
    ("Resize", [PICTURE, None, None, ints(3, 3)], {"axes": [2, 3], "keep_aspect_ratio_policy": "not_larger"}, None),
    ("Resize", [PICTURE, None, None, ints(3, 3)], {"axes": [2, 3], "keep_aspect_ratio_policy": "FOO"}, "attribute 'keep_aspect_ratio_policy' is 'FOO'; accepted: stretch, not_larger, not_smaller"),
    ("Resize", [X(1, 0, 6, 6), None, None, ints(1, 4, 3, 3)], {"keep_aspect_ratio_policy": "not_larger"}, "an extent of 0 has no aspect ratio to keep"),
    # windows put back, regions
    ("LpPool", [PICTURE], {"kernel_shape": [2, 2], "p": 3}, None),
    ("LpPool", [PICTURE], {"kernel_shape": [2, 2], "p": 0}, "attribute 'p' is 0; 1 and more is accepted"),
    ("GlobalLpPool", [PICTURE], {"p": 0}, "attribute 'p' is 0; 1 and more is accepted"),
    ("GlobalLpPool", [X(3, 4)], {}, "operand 0 is f32[3,4]; rank 3 and more is accepted"),
    ("Col2Im", [X(1, 8, 9), ints(4, 4), ints(2, 2)], {}, None),
    ("Col2Im", [X(1, 9, 9), ints(4, 4), ints(2, 2)], {}, "[1,9,9] of blocks of 4 elements; a multiple of them along axis 1 is accepted"),
    ("Col2Im", [X(1, 8, 8), ints(4, 4), ints(2, 2)], {}, "8 blocks; 9 of them make the picture"),
    ("Col2Im", [X(1, 8, 9), ints(4, 4), ints(2)], {}, "a block of 1 axes in a picture of 2"),
    ("Col2Im", [X(1, 8, 9), ints(4, 4), ints(2, 0)], {}, "a block of 0 elements; 1 to 2147483647 is accepted"),
    ("Col2Im", [X(1, 8, 9), ints(4, 1), ints(2, 2)], {}, "a window of 2 does not fit into 1 with padding 0 and 0"),
    ("MaxUnpool", [X(1, 2, 2, 2), X(1, 2, 2, 2, dtype=INT64)], {"kernel_shape": [2, 2]}, None),
    ("MaxUnpool", [X(1, 2, 2, 2), X(1, 2, 2, dtype=INT64)], {"kernel_shape": [2, 2]}, "operand 1 ('I') is i64[1,2,2]; [1,2,2,2] is accepted"),
    ("MaxUnpool", [X(1, 2, 2, 2), X(1, 2, 2, 2, dtype=INT64), ints(1, 2, 5)], {"kernel_shape": [2, 2]}, "3 extents for a result of rank 4"),
    ("MaxUnpool", [X(1, 2, 2, 2), X(1, 2, 2, 2, dtype=INT64)], {"kernel_shape": [2]}, "kernel_shape has 1 elements, 2 are accepted"),
    ("DeformConv", [PICTURE, W(8, 4, 3, 3), X(1, 18, 4, 4), W(8), X(1, 9, 4, 4)], {}, None),
    ("DeformConv", [PICTURE, W(8, 4, 3, 3), X(1, 9, 4, 4)], {}, "operand 2 ('offset') is f32[1,9,4,4]; [1,18,4,4] is accepted"),
    ("DeformConv", [PICTURE, W(8, 4, 3, 3), X(1, 18, 4, 4), None, X(1, 18, 4, 4)], {}, "operand 4 ('mask') is f32[1,18,4,4]; [1,9,4,4] is accepted"),
    ("DeformConv", [PICTURE, W(8, 4, 3, 3), X(1, 18, 4, 4), W(4)], {}, "operand 3 ('B') is f32[4]; [8] is accepted"),
    ("DeformConv", [PICTURE, W(8, 4, 3, 3), X(1, 54, 4, 4)], {"offset_group": 3}, "8 filters of 4 channels in 1 groups with offsets of 3 groups"),
    ("RoiAlign", [PICTURE, X(3, 4), X(3, dtype=INT64)], {"output_height": 2}, None),
    ("RoiAlign", [PICTURE, X(3, 5), X(3, dtype=INT64)], {}, "operand 1 ('rois') is f32[3,5]; [3,4] is accepted"),
    ("RoiAlign", [PICTURE, X(3, 4), X(2, dtype=INT64)], {}, "operand 2 ('batch_indices') is i64[2]; [3] is accepted"),
    ("RoiAlign", [PICTURE, X(3, 4), X(3, dtype=INT64)], {"mode": "sum"}, "attribute 'mode' is 'sum'; accepted: avg, max"),
    ("RoiAlign", [PICTURE, X(3, 4), X(3, dtype=INT64)], {"output_width": 0}, "0 bins along an axis; 1 to 65536 are accepted"),
    ("RoiAlign", [PICTURE, X(3, 4), X(3, dtype=INT64)], {"sampling_ratio": -1}, "attribute 'sampling_ratio' is -1; 0 to 10000 is accepted"),
    ("RoiAlign", [X(1, 2, 0, 4), X(3, 4), X(3, dtype=INT64)], {}, "operand 0 ('X') is [1,2,0,4]; pictures are empty"),
    ("MaxRoiPool", [PICTURE, X(3, 5)], {"pooled_shape": [2, 2]}, None),
    ("MaxRoiPool", [PICTURE, X(3, 5)], {"pooled_shape": [2]}, "attribute 'pooled_shape' has 1 elements, 2 are accepted"),
    ("CenterCropPad", [X(5, 6), ints(4)], {"axes": [1]}, None),
    ("CenterCropPad", [X(5, 6), ints(4)], {"axes": [2]}, "axis 2 of a tensor of rank 2"),
    # signals, grids, matrices
    ("DFT", [X(2, 8, 1)], {}, None),
    ("DFT", [X(2, 8, 3)], {}, "operand 0 ('input') is f32[2,8,3]; a last extent of 1 or 2 is accepted"),
    ("DFT", [X(2, 8, 2)], {"onesided": 1}, "onesided=1 for f32[2,8,2]; real signals, of a last extent of 1, are accepted"),
    ("DFT", [X(2, 8, 1)], {"axis": 2}, "axis 2; the last one holds real and imaginary parts"),
    ("DFT", [X(2, 8, 1), ints(0)], {}, "a transform of length 0; 1 and more is accepted"),
    ("STFT", [X(2, 40, 1), W(of=[8], dtype=INT64), W(16)], {}, None),
    ("STFT", [X(40), W(of=[8], dtype=INT64), W(16)], {}, "operand 0 is f32[40]; ranks 2 and 3 are accepted"),
    ("MelWeightMatrix", [ints(8), ints(64), ints(8000), X(), X()], {}, None),
    ("MelWeightMatrix", [ints(-8), ints(64), ints(8000), X(), X()], {}, "-8 filters over a transform of 64"),
    ("MelWeightMatrix", [ints(8), ints(64), X(), X(), X()], {}, "operand 2 ('sample_rate') is f32[]; accepted: i32, i64"),
    ("HannWindow", [ints(8)], {"output_datatype": 9}, "attribute 'output_datatype' is element type 9 of ONNX"),
    ("AffineGrid", [X(2, 2, 3), ints(2, 1, 4, 5)], {}, None),
    ("AffineGrid", [X(2, 3, 3), ints(2, 1, 4, 5)], {}, "operand 0 ('theta') is f32[2,3,3]; [2,2,3] is accepted"),
    ("AffineGrid", [X(2, 2, 3), ints(2, 1, 4)], {}, "operand 1 ('size') has 3 elements; 4 and 5 are accepted"),
    ("Det", [X(2, 3, 3)], {}, None),
    ("Det", [X(2, 3, 4)], {}, "operand 0 ('X') is f32[2,3,4]; square matrices are accepted"),
    # elementwise, types, shapes
    ("Sin", [X(2, dtype=INT64)], {}, "operand 0 is i64[2]; accepted: floats"),
    ("Not", [X(2)], {}, "operand 0 is f32[2]; accepted: bool"),
    ("Where", [X(2), X(2), X(2)], {}, "operand 0 is f32[2]; accepted: bool"),
    ("Where", [X(2, dtype=BOOL), X(2), X(2, dtype=DOUBLE)], {}, "operands 1 and 2 differ in type: f32[2] and f64[2]"),
    ("Equal", [X(2), X(2, dtype=INT64)], {}, "operands 0 and 1 differ in type: f32[2] and i64[2]"),
    ("Mod", [X(2), X(2)], {}, "operands are f32[2]; with fmod=0 integers are accepted"),
    ("BitShift", [X(2, dtype=UINT8), X(2, dtype=UINT8)], {"direction": "UP"}, "attribute 'direction' is 'UP'; accepted: LEFT, RIGHT"),
    ("Clip", [X(2), W(2)], {}, "operand 1 ('min') is f32[2]; one element is accepted"),
    ("Cast", [X(2)], {"to": 99}, "attribute 'to' is element type 99 of ONNX"),
    ("Mul", [ints(1 << 62), ints(1 << 62)], {}, None),
    ("Tile", [X(2, 3), ints(1 << 40, 1 << 20)], {}, "result 0 would be f32[2199023255552,3145728]; up to 10^15 elements are accepted"),
    ("Div", [ints(4), ints(0)], {}, "an integer division by zero"),
    ("Range", [W(of=[1], dtype=INT64), W(of=[9], dtype=INT64), W(of=[0], dtype=INT64)], {}, "a delta of 0; other steps are accepted"),
    ("Range", [W(of=[1]), W(of=[9]), W(of=[0])], {}, "from 1 to 9 in steps of 0; a finite count is accepted"),
    ("ReduceSum", [X(2, 3), ints(2)], {}, "axis 2 of a tensor of rank 2"),
    ("ReduceSum", [X(2, 3), ints(1)], {"keepdims": 3}, "attribute 'keepdims' is 3; 0 and 1 are accepted"),
    ("ReduceSum", [X(2, 3), ints(1), X(2)], {}, "3 operands; up to 2 are accepted"),
    ("QuantizeLinear", [X(2, 3), W(3, of=[1, 1, 1]), W(3, dtype=INT8)], {}, None),
    ("QuantizeLinear", [X(2, 3), W(2, of=[1, 1]), W(2, dtype=INT8)], {}, "2 scales for an extent of 3 on axis 1"),
    ("QuantizeLinear", [X(2, 3), W(3, of=[1, 1, 1]), W(2, dtype=INT8)], {}, "operand 2 ('zero_point') is i8[2]; [3] is accepted"),
    ("QuantizeLinear", [X(2, 3), SCALE, W()], {}, "operand 2 ('zero_point') is f32[]; accepted: integers, narrow types"),
    ("QuantizeLinear", [X(2), W(of=[float("inf")]), ZERO], {}, "a scale of inf; finite ones other than 0 are accepted"),
    ("QuantizeLinear", [X(2), W(of=[1e-40]), ZERO], {}, "a scale of 9.99994610111476e-41; normal numbers are accepted"),
    ("QuantizeLinear", [X(2, 3), W(3, of=[1, 1e-40, 1]), W(3, dtype=INT8)], {}, "a scale of 9.99994610111476e-41; normal numbers are accepted"),
    ("DequantizeLinear", [X(2, dtype=UINT8), W(of=[1e-40]), ZERO], {}, None),
    ("DequantizeLinear", [X(2, dtype=UINT8), W(of=[float("-inf")]), ZERO], {}, "a scale of -inf; finite ones other than 0 are accepted"),
    ("DequantizeLinear", [X(2, dtype=UINT8), W(of=[0]), ZERO], {}, "a scale of 0; finite ones other than 0 are accepted"),
    ("DequantizeLinear", [X(2, dtype=UINT8), SCALE, W(of=[256], dtype=INT32)], {}, "operands 0 and 2 differ in type: u8[2] and i32[]"),
    ("DequantizeLinear", [X(2, dtype=INT8), SCALE, W(of=[-129], dtype=INT32)], {}, "operands 0 and 2 differ in type: i8[2] and i32[]"),
    ("QuantizeLinear", [X(2, 6), W(2, 3, of=[1] * 6)], {"block_size": 2}, None),
    ("QuantizeLinear", [X(2, 5), W(2, 2, of=[1] * 4)], {"block_size": 2}, "operand 1 ('scale') is f32[2,2]; [2,3] is accepted"),
    ("QuantizeLinear", [X(2, 6), W(2, 3, of=[1] * 6)], {"block_size": -2}, "attribute 'block_size' is -2; 0 and more are accepted"),
    ("QuantizeLinear", [X(2), SCALE, ZERO], {"output_dtype": 3}, "attribute 'output_dtype' is i8; the zero point's type, u8, is accepted"),
    ("QuantizeLinear", [X(2), SCALE], {"output_dtype": 22}, None),
    ("QuantizeLinear", [X(2), SCALE], {"output_dtype": 1}, "attribute 'output_dtype' is f32; integers and narrow types are accepted"),
    ("DequantizeLinear", [X(2, dtype=INT4), SCALE], {}, None),
    ("Add", [X(2, dtype=INT4), X(2, dtype=INT4)], {}, "operand 0 is i4[2]; accepted: floats, integers"),
    ("Cast", [X(2)], {"to": 17, "round_mode": "odd"}, "attribute 'round_mode' is 'odd'; accepted: up, down, nearest"),
    ("BitCast", [X(2)], {"to": 7}, "f32[2] read as i64; types of as many bits are accepted"),
    ("DequantizeLinear", [X(2, dtype=INT8), SCALE, W(dtype=UINT8)], {}, "operands 0 and 2 differ in type: i8[2] and u8[]"),
    ("DequantizeLinear", [X(2, 3, dtype=INT8), W(3, of=[1, 1, 1])], {"axis": 2}, "axis 2 of a tensor of rank 2"),
    ("If", [X(2)], {}, "the condition is f32[2]; one bool is accepted"),
    ("EyeLike", [X(4, 6)], {"dtype": 16}, None),
    ("EyeLike", [X(4, 6)], {"dtype": 8}, "attribute 'dtype' is element type 8 of ONNX"),
    # loops
    ("Loop", [ints(), None, X(2)], {"body": body("ios", "os")}, "the trip count is i64[0]; one i64 is accepted"),
    ("Loop", [W(of=[3], dtype=INT32), None, X(2)], {"body": body("ios", "os")}, "the trip count is i32[]; one i64 is accepted"),
    ("Loop", [None, W(0, dtype=BOOL), X(2)], {"body": body("ios", "os")}, "the condition is bool[0]; one bool is accepted"),
    ("Loop", [ints(1), None, X(2)], {"body": body("ios", "os")}, None),
    ("Scan", [X(1, 4), X(3, 4)], {"num_scan_inputs": 1, "body": body("st", "s")}, None),
    ("Scan", [X(1, 4), X(3, 4)], {"num_scan_inputs": 1, "body": body("st", "")}, "a body of 0 outputs carries 1 values"),
    ("Scan", [X(3, 4), X(2, 4)], {"num_scan_inputs": 2, "body": body("st", "s")}, "sequences of 3 and 2 elements"),
    # einsum
    ("Einsum", [X(1, 2, 6), X(1, 3, 4)], {"equation": "bij,bij->b"}, "equation 'bij,bij->b' has extents of 2 and 3 under 'i'"),
    ("Einsum", [X(1, 3)], {"equation": "ii->i"}, "equation 'ii->i' has extents of 1 and 3 under 'i'"),
    ("Einsum", [X(2, 4), X(3, 4)], {"equation": "...i,...i->i"}, "equation '...i,...i->i' has extents of 2 and 3 under an ellipsis"),
    ("Einsum", [X(2, 3)], {"equation": "0i->0i"}, "equation '0i->0i' holds more than letters, commas, ellipses and an arrow"),
    # products with an activation
    ("com.microsoft::FusedConv", [PICTURE, KERNEL, W(8)], {"activation": "Softplus"}, None),
    ("com.microsoft::FusedConv", [PICTURE, KERNEL], {"activation": "Mish"}, "activation 'Mish'; Clip, Elu, * are accepted"),
    ("com.microsoft::FusedConv", [PICTURE, KERNEL], {"activation": "Clip"}, "0 parameters of activation 'Clip'; 2 are accepted"),
    ("com.microsoft::FusedConv", [PICTURE, KERNEL, W(8), X(1, 8, 3, 3)], {"activation": "Relu"}, "*shapes [1,8,4,4] and [1,8,3,3] do not broadcast*"),
    ("com.microsoft::FusedGemm", [X(2, 3), W(3, 4), None, X(2, 4)], {"activation": "Relu"}, "4 operands; up to 3 are accepted"),
    ("com.microsoft::EmbedLayerNormalization", [X(2, 3, dtype=INT32), None, W(6, 8), W(5, 8), None, W(8), W(8)], {}, None),
    ("com.microsoft::EmbedLayerNormalization", [X(2, 3, dtype=INT32), X(2, 3, dtype=INT32), W(6, 8), W(5, 8), None, W(8), W(8)], {}, "operand 4 is missing"),
    ("com.microsoft::EmbedLayerNormalization", [X(2, 3, dtype=INT32), None, W(6, 8), W(5, 8), None, W(8), W(8)], {"mask_index_type": 2}, None),
    ("com.microsoft::EmbedLayerNormalization", [X(6, dtype=INT32), None, W(6, 8), W(5, 8), None, W(8), W(8)], {}, "operand 0 is i32[6]; rank 2 is accepted"),
    # quantised parts
    ("com.microsoft::DynamicQuantizeLSTM", BYTES_LSTM, {"hidden_size": 4}, None),
    ("com.microsoft::DynamicQuantizeLSTM", BYTES_LSTM[:9], {"hidden_size": 4}, "9 operands; 11 or 12 are accepted"),
    ("com.microsoft::DynamicQuantizeLSTM", BYTES_LSTM[:8] + [None] + BYTES_LSTM[9:], {"hidden_size": 4}, "operand 8 is missing"),
    ("com.microsoft::DynamicQuantizeLSTM", BYTES_LSTM[:8] + [W(1, 1, 16)] + BYTES_LSTM[9:], {"hidden_size": 4}, "operand 8 is f32[1,1,16]; [1] and [1,16] are accepted"),
    ("com.microsoft::DynamicQuantizeLSTM", BYTES_LSTM[:9] + [W(3, dtype=UINT8)] + BYTES_LSTM[10:], {"hidden_size": 4}, "operand 9 is u8[3]; [1] and [1,16] are accepted"),
    ("com.microsoft::DynamicQuantizeLSTM", BYTES_LSTM[:1] + [W(3, 16, dtype=UINT8)] + BYTES_LSTM[2:], {"hidden_size": 4}, "operand 1 is u8[3,16]; rank 3 is accepted"),
    ("com.microsoft::QGemm", [X(2, 3, dtype=UINT8), SCALE, ZERO, X(3, 4, dtype=UINT8), SCALE, ZERO, W(4, dtype=INT32), SCALE, ZERO], {}, None),
    ("com.microsoft::QGemm", [X(2, 3, dtype=UINT8), SCALE, ZERO, X(5, 4, dtype=UINT8), SCALE, ZERO], {}, "*(gemm)*[2,3]*[5,4]*"),
    ("com.microsoft::QGemm", [X(2, 3, dtype=UINT8), SCALE, ZERO, X(3, 4, dtype=UINT8), None, ZERO], {}, "*operand 1 ('scale') is missing"),
    ("com.microsoft::QLinearConcat", [SCALE, ZERO, X(2, dtype=UINT8), SCALE, ZERO, None, SCALE, ZERO], {"axis": 0}, "operand 5 is missing"),
    ("com.microsoft::QLinearConcat", [SCALE, ZERO, X(2, dtype=UINT8), SCALE], {"axis": 0}, "operand 4 is missing"),
]


def single_node(op, operands, attributes):
    names = ["" if operand is None else f"i{i}" for i, operand in enumerate(operands)]
    present = [(name, operand) for name, operand in zip(names, operands) if operand is not None]
    inputs = [value(name, x.extents, x.dtype) for name, x in present if not isinstance(x, W)]
    weights = [tensor(name, x.dtype, x.extents, struct.pack(f"<{len(x.elements)}{PACKED[x.dtype]}", *x.elements))
               for name, x in present if isinstance(x, W)]
    outputs = ["y", "z"] if op in TWO_RESULTS else ["y"]
    domain, _, kind = op.rpartition("::")
    it = node(kind, names, outputs, "it", [attribute(*a) for a in attributes.items()], domain)
    return model([it], inputs, [value(name, []) for name in outputs], weights, 23 if op == "RMSNormalization" else 18)


def check(planish, folder, op, operands, attributes, expected):
    (folder / "net.onnx").write_bytes(single_node(op, operands, attributes))
    command = [planish, "build", "net.onnx", "-o", "net.plan", "--quiet", "--tune", "off"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    pattern = "" if expected is None else f"planish: net.onnx: importing node 'it' ({op}, opset *): *{expected}".replace("[", "[[]")
    if result.returncode != (expected is not None) or not fnmatch.fnmatchcase(result.stderr.rstrip("\n"), pattern):
        return f"{op} {attributes}: exit status {result.returncode}\n  {result.stderr.strip()}\nexpected:\n  {expected}"
    return None


def main():
    planish = str(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        problems = [problem for row in ROWS if (problem := check(planish, Path(folder), *row))]
    print("\n".join(problems) or f"{len(ROWS)} networks of one node")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
