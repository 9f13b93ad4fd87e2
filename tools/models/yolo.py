#!/usr/bin/env python3
"""yolo.py OUT.onnx: a detector of YOLO shape: SiLU backbone with cross-stage blocks, spatial pyramid pooling, top-down and
bottom-up necks, a box and class head on three strides. 640x640, 16 to 256 channels, seeded weights."""

import numpy as np

from net import Net, silu, start

CLASSES = 80


def conv(net, x, channels_in, channels, kernel=1, stride=1):
    return net.conv(x, channels_in, channels, kernel, stride, activation=silu, gain=2.6)


def cross_stage(net, x, channels_in, channels, depth, residual):
    """Half of the channels pass through `depth` bottlenecks; every intermediate result is concatenated."""
    half = channels // 2
    parts = net.op("Split", conv(net, x, channels_in, channels), net.constant(np.array([half, half], np.int64), "sizes"), outputs=2, axis=1)
    for _ in range(depth):
        y = conv(net, conv(net, parts[-1], half, half, 3), half, half, 3)
        parts.append(net.op("Add", parts[-1], y) if residual else y)
    return conv(net, net.op("Concat", *parts, axis=1), half * (2 + depth), channels)


def pyramid_pool(net, x, channels):
    x = conv(net, x, channels, channels // 2)
    parts = [x]
    for _ in range(3):
        parts.append(net.op("MaxPool", parts[-1], kernel_shape=[5, 5], pads=[2, 2, 2, 2], strides=[1, 1]))
    return conv(net, net.op("Concat", *parts, axis=1), channels * 2, channels)


def double(net, x):
    scales = net.constant(np.array([1, 1, 2, 2], np.float32), "scales")
    return net.op("Resize", x, "", scales, mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")


def head(net, x, channels, cells):
    boxes = net.conv(conv(net, conv(net, x, channels, 64, 3), 64, 64, 3), 64, 4, gain=1.0)
    classes = net.op("Sigmoid", net.conv(conv(net, conv(net, x, channels, 80, 3), 80, 80, 3), 80, CLASSES, gain=1.0))
    return net.op("Reshape", net.op("Concat", boxes, classes, axis=1), net.constant(np.array([1, 4 + CLASSES, cells], np.int64), "shape"))


def main(path):
    net = Net("yolo", 8)
    x = conv(net, conv(net, net.input("images", [1, 3, 640, 640]), 3, 16, 3, 2), 16, 32, 3, 2)
    x = cross_stage(net, x, 32, 32, 1, True)
    p3 = cross_stage(net, conv(net, x, 32, 64, 3, 2), 64, 64, 2, True)
    p4 = cross_stage(net, conv(net, p3, 64, 128, 3, 2), 128, 128, 2, True)
    p5 = pyramid_pool(net, cross_stage(net, conv(net, p4, 128, 256, 3, 2), 256, 256, 1, True), 256)
    n4 = cross_stage(net, net.op("Concat", double(net, p5), p4, axis=1), 384, 128, 1, False)
    n3 = cross_stage(net, net.op("Concat", double(net, n4), p3, axis=1), 192, 64, 1, False)
    m4 = cross_stage(net, net.op("Concat", conv(net, n3, 64, 64, 3, 2), n4, axis=1), 192, 128, 1, False)
    m5 = cross_stage(net, net.op("Concat", conv(net, m4, 128, 128, 3, 2), p5, axis=1), 384, 256, 1, False)
    heads = [head(net, x, c, cells) for x, c, cells in ((n3, 64, 6400), (m4, 128, 1600), (m5, 256, 400))]
    net.save(path, net.op("Concat", *heads, axis=2), [1, 4 + CLASSES, 8400])


if __name__ == "__main__":
    start(main, __doc__)
