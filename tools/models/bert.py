#!/usr/bin/env python3
"""bert.py OUT.onnx: the encoder of BERT-base (12 layers of 768, 12 heads) on 128 tokens, GELU in its Erf form, seeded weights."""

import numpy as np
from onnx import TensorProto

from net import Net, start

TOKENS, WIDTH, HEADS, LAYERS, VOCABULARY = 128, 768, 12, 12, 30522


def dense(net, x, columns_in, columns):
    y = net.op("MatMul", x, net.normal((columns_in, columns), 0.02 if columns_in == WIDTH else 0.01))
    return net.op("Add", y, net.normal((columns,), 0.02, "bias"))


def layer_norm(net, x):
    scale = net.constant((1 + 0.1 * net.random.standard_normal(WIDTH)).astype(np.float32), "scale")
    return net.op("LayerNormalization", x, scale, net.normal((WIDTH,), 0.02, "shift"), epsilon=1e-12)


def heads_of(net, x, perm):
    shape = net.constant(np.array([0, 0, HEADS, WIDTH // HEADS], np.int64), "shape")
    return net.op("Transpose", net.op("Reshape", x, shape), perm=perm)


def attention(net, x, bias):
    query, key, value = (dense(net, x, WIDTH, WIDTH) for _ in range(3))
    scores = net.op("MatMul", heads_of(net, query, [0, 2, 1, 3]), heads_of(net, key, [0, 2, 3, 1]))
    scores = net.op("Div", scores, net.constant(np.float32(np.sqrt(WIDTH // HEADS)), "root"))
    weights = net.op("Softmax", net.op("Add", scores, bias), axis=-1)
    mixed = net.op("Transpose", net.op("MatMul", weights, heads_of(net, value, [0, 2, 1, 3])), perm=[0, 2, 1, 3])
    return dense(net, net.op("Reshape", mixed, net.constant(np.array([0, 0, WIDTH], np.int64), "shape")), WIDTH, WIDTH)


def gelu(net, x):
    inner = net.op("Erf", net.op("Div", x, net.constant(np.float32(np.sqrt(2)), "root_two")))
    return net.op("Mul", net.op("Mul", x, net.op("Add", inner, net.constant(np.float32(1), "one"))), net.constant(np.float32(0.5), "half"))


def main(path):
    net = Net("bert", 12)
    ids = net.input("input_ids", [1, TOKENS], TensorProto.INT64)
    mask = net.input("attention_mask", [1, TOKENS], TensorProto.INT64)
    # 0 where the mask is 1, a large negative number elsewhere; [1, 1, 1, tokens]
    present = net.op("Cast", net.op("Unsqueeze", mask, net.constant(np.array([1, 2], np.int64), "axes")), to=TensorProto.FLOAT)
    absent = net.op("Sub", net.constant(np.float32(1), "one"), present)
    bias = net.op("Mul", absent, net.constant(np.float32(-10000), "far"))
    words = net.op("Gather", net.normal((VOCABULARY, WIDTH), 0.05, "words"), ids)
    x = layer_norm(net, net.op("Add", words, net.normal((1, TOKENS, WIDTH), 0.05, "positions")))
    for _ in range(LAYERS):
        x = layer_norm(net, net.op("Add", attention(net, x, bias), x))
        x = layer_norm(net, net.op("Add", dense(net, gelu(net, dense(net, x, WIDTH, 4 * WIDTH)), 4 * WIDTH, WIDTH), x))
    net.save(path, x, [1, TOKENS, WIDTH])


if __name__ == "__main__":
    start(main, __doc__)
