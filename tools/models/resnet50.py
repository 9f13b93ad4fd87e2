#!/usr/bin/env python3
"""resnet50.py OUT.onnx: the ResNet-50 v1.5 topology (stride in the 3x3), batch norm folded, seeded weights."""

from net import Net, relu, start


def bottleneck(net, x, channels_in, width, stride):
    y = net.conv(x, channels_in, width, activation=relu)
    y = net.conv(y, width, width, 3, stride, activation=relu)
    y = net.conv(y, width, 4 * width, gain=0.3)
    if stride != 1 or channels_in != 4 * width:
        x = net.conv(x, channels_in, 4 * width, stride=stride, gain=1.0)
    return relu(net, net.op("Add", y, x))


def main(path):
    net = Net("resnet50", 50)
    x = net.conv(net.input("input", [1, 3, 224, 224]), 3, 64, 7, 2, activation=relu)
    x = net.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = 64
    for width, blocks, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for i in range(blocks):
            x = bottleneck(net, x, channels, width, stride if i == 0 else 1)
            channels = 4 * width
    x = net.op("Flatten", net.op("GlobalAveragePool", x))
    net.save(path, net.op("Gemm", x, net.normal((1000, 2048), 0.02), net.normal((1000,), 0.05, "bias"), transB=1), [1, 1000])


if __name__ == "__main__":
    start(main, __doc__)
