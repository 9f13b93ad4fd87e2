#!/usr/bin/env python3
"""Train the bundled network: a small CNN on the 8x8 digits that scikit-learn ships.

train_demo.py FOLDER     writes digits.onnx, digits.txt (labels) and 20 pictures digit_NN_LABEL.png
Needs: numpy, scikit-learn, onnx, pillow. Seeded; plain NumPy training, about a minute.
"""
import argparse
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

RANDOM = np.random.default_rng(3)


def patches(x):
    """3x3 neighbourhoods of [N, C, H, W], zero padded: [N, H, W, C * 9]."""
    n, c, h, w = x.shape
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    taps = [padded[:, :, i:i + h, j:j + w] for i in range(3) for j in range(3)]
    return np.stack(taps, 2).reshape(n, c * 9, h, w).transpose(0, 2, 3, 1)


def scatter(gradient, shape):
    """Adjoint of patches."""
    n, c, h, w = shape
    taps = gradient.transpose(0, 3, 1, 2).reshape(n, c, 9, h, w)
    padded = np.zeros((n, c, h + 2, w + 2), np.float32)
    for k in range(9):
        padded[:, :, k // 3:k // 3 + h, k % 3:k % 3 + w] += taps[:, :, k]
    return padded[:, :, 1:-1, 1:-1]


def pool(x):
    n, c, h, w = x.shape
    return x.reshape(n, c, h // 2, 2, w // 2, 2).max((3, 5))


def pool_back(gradient, x, y):
    spread = np.repeat(np.repeat(gradient, 2, 2), 2, 3)
    return spread * (x == np.repeat(np.repeat(y, 2, 2), 2, 3))


def forward(p, x):
    a0 = patches(x)
    z1 = (a0 @ p["w1"] + p["b1"]).transpose(0, 3, 1, 2)
    r1 = np.maximum(z1, 0)
    m1 = pool(r1)
    a1 = patches(m1)
    z2 = (a1 @ p["w2"] + p["b2"]).transpose(0, 3, 1, 2)
    r2 = np.maximum(z2, 0)
    m2 = pool(r2)
    flat = m2.reshape(len(x), -1)
    return flat @ p["w3"] + p["b3"], (a0, z1, r1, m1, a1, z2, r2, m2, flat)


def gradients(p, x, labels):
    scores, (a0, z1, r1, m1, a1, z2, r2, m2, flat) = forward(p, x)
    probability = np.exp(scores - scores.max(1, keepdims=True))
    probability /= probability.sum(1, keepdims=True)
    probability[np.arange(len(x)), labels] -= 1
    d = probability / len(x)
    g = {"w3": flat.T @ d, "b3": d.sum(0)}
    d = pool_back((d @ p["w3"].T).reshape(m2.shape), r2, m2) * (z2 > 0)
    d = d.transpose(0, 2, 3, 1)
    g["w2"], g["b2"] = np.einsum("nhwk,nhwc->kc", a1, d), d.sum((0, 1, 2))
    d = pool_back(scatter(d @ p["w2"].T, m1.shape), r1, m1) * (z1 > 0)
    d = d.transpose(0, 2, 3, 1)
    g["w1"], g["b1"] = np.einsum("nhwk,nhwc->kc", a0, d), d.sum((0, 1, 2))
    return g


def train(x, labels):
    p = {"w1": RANDOM.standard_normal((9, 16)) * 0.3, "b1": np.zeros(16), "w2": RANDOM.standard_normal((144, 32)) * 0.1,
         "b2": np.zeros(32), "w3": RANDOM.standard_normal((128, 10)) * 0.1, "b3": np.zeros(10)}
    p = {k: v.astype(np.float32) for k, v in p.items()}
    first = {k: np.zeros_like(v) for k, v in p.items()}
    second = {k: np.zeros_like(v) for k, v in p.items()}
    step = 0
    for _ in range(30):
        order = RANDOM.permutation(len(x))
        for begin in range(0, len(x), 64):
            batch = order[begin:begin + 64]
            step += 1
            for k, g in gradients(p, x[batch], labels[batch]).items():
                first[k] = 0.9 * first[k] + 0.1 * g
                second[k] = 0.999 * second[k] + 0.001 * g * g
                p[k] -= 2e-3 * (first[k] / (1 - 0.9**step)) / (np.sqrt(second[k] / (1 - 0.999**step)) + 1e-8)
    return p


def conv_weights(w, channels):
    return np.ascontiguousarray(w.reshape(channels, 9, -1).transpose(2, 0, 1).reshape(-1, channels, 3, 3))


def to_onnx(p):
    weights = {"conv1.weight": conv_weights(p["w1"], 1), "conv1.bias": p["b1"], "conv2.weight": conv_weights(p["w2"], 16),
               "conv2.bias": p["b2"], "fc.weight": p["w3"], "fc.bias": p["b3"]}
    node = helper.make_node
    nodes = [
        node("Conv", ["image", "conv1.weight", "conv1.bias"], ["c1"], "conv1", pads=[1, 1, 1, 1]), node("Relu", ["c1"], ["r1"], "relu1"),
        node("MaxPool", ["r1"], ["p1"], "pool1", kernel_shape=[2, 2], strides=[2, 2]),
        node("Conv", ["p1", "conv2.weight", "conv2.bias"], ["c2"], "conv2", pads=[1, 1, 1, 1]), node("Relu", ["c2"], ["r2"], "relu2"),
        node("MaxPool", ["r2"], ["p2"], "pool2", kernel_shape=[2, 2], strides=[2, 2]), node("Flatten", ["p2"], ["f"], "flatten"),
        node("Gemm", ["f", "fc.weight", "fc.bias"], ["scores"], "fc"),
    ]
    graph = helper.make_graph(nodes, "digits", [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 8, 8])],
                              [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", 10])],
                              [numpy_helper.from_array(v.astype(np.float32), k) for k, v in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def main(folder):
    digits = load_digits()
    # Pictures have 8 bits: the network is trained on what a PNG can hold.
    pictures = np.round(digits.images * (255 / 16)).astype(np.uint8)
    x = (pictures.astype(np.float32) / 255)[:, None]
    train_x, test_x, train_y, test_y, _, test_pictures = train_test_split(x, digits.target, pictures, test_size=0.3, random_state=0)
    p = train(train_x, train_y)
    accuracy = (forward(p, test_x)[0].argmax(1) == test_y).mean()
    print(f"accuracy on {len(test_x)} digits it has not seen: {accuracy:.4f}")
    onnx.save(to_onnx(p), f"{folder}/digits.onnx")
    for i in range(20):
        Image.fromarray(test_pictures[i]).convert("RGB").save(f"{folder}/digit_{i:02}_{test_y[i]}.png")
    with open(f"{folder}/digits.txt", "w", encoding="ascii") as labels:
        labels.write("\n".join("zero one two three four five six seven eight nine".split()) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="it must exist")
    folder = parser.parse_args().folder
    if not os.path.isdir(folder):
        parser.error(f"{folder}: there is no such folder")
    main(folder)
