#!/usr/bin/env python3
"""mobilenet_v2.py OUT.onnx: the MobileNetV2 topology, ReLU6 as Clip, batch norm folded, seeded weights."""

from net import Net, relu6, start


def inverted_residual(net, x, channels_in, channels, stride, expansion):
    hidden = channels_in * expansion
    y = net.conv(x, channels_in, hidden, activation=relu6) if expansion > 1 else x
    y = net.conv(y, hidden, hidden, 3, stride, groups=hidden, activation=relu6)
    y = net.conv(y, hidden, channels, gain=1.0)
    return net.op("Add", x, y) if stride == 1 and channels_in == channels else y


def main(path):
    net = Net("mobilenet_v2", 2)
    x = net.conv(net.input("input", [1, 3, 224, 224]), 3, 32, 3, 2, activation=relu6)
    channels_in = 32
    for expansion, channels, blocks, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                                                (6, 160, 3, 2), (6, 320, 1, 1)):
        for i in range(blocks):
            x = inverted_residual(net, x, channels_in, channels, stride if i == 0 else 1, expansion)
            channels_in = channels
    x = net.conv(x, 320, 1280, activation=relu6)
    x = net.op("Flatten", net.op("GlobalAveragePool", x))
    net.save(path, net.op("Gemm", x, net.normal((1000, 1280), 0.03), net.normal((1000,), 0.05, "bias"), transB=1), [1, 1000])


if __name__ == "__main__":
    start(main, __doc__)
