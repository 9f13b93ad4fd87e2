"""Writing networks through onnx.helper: nodes in order, weights drawn from one seed, the same file everywhere."""
import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def start(main, description):
    """Command line of a network: main(path)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("out", help="the .onnx file to write")
    out = parser.parse_args().out
    if not Path(out).resolve().parent.is_dir():
        parser.error(f"{out}: there is no such folder")
    main(out)


class Net:
    def __init__(self, name, seed):
        self.name, self.random = name, np.random.RandomState(seed)  # RandomState: its stream never changes
        self.nodes, self.weights, self.inputs, self.counts = [], [], [], {}

    def input(self, name, shape, dtype=TensorProto.FLOAT):
        self.inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def constant(self, values, hint="constant"):
        name = self.fresh(hint)
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def normal(self, shape, deviation, hint="weight"):
        return self.constant((self.random.standard_normal(shape) * deviation).astype(np.float32), hint)

    def fresh(self, hint):
        self.counts[hint] = self.counts.get(hint, 0) + 1
        return f"{hint}_{self.counts[hint]}"

    def op(self, kind, *inputs, outputs=1, **attributes):
        node = self.fresh(kind)
        names = [node if outputs == 1 else f"{node}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, node, **attributes))
        return names[0] if outputs == 1 else names

    def conv(self, x, channels_in, channels, kernel=1, stride=1, groups=1, activation=None, gain=2.0):
        """Padded so that stride 1 keeps the extent; weights keep the variance of what they see."""
        fan_in = channels_in // groups * kernel * kernel
        weight = self.normal((channels, channels_in // groups, kernel, kernel), np.sqrt(gain / fan_in))
        bias = self.normal((channels,), 0.05, "bias")
        y = self.op("Conv", x, weight, bias, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[kernel // 2] * 4, group=groups)
        return activation(self, y) if activation else y

    def save(self, path, output, shape):
        result = helper.make_tensor_value_info("output", TensorProto.FLOAT, shape)
        self.nodes.append(helper.make_node("Identity", [output], ["output"], "output"))
        graph = helper.make_graph(self.nodes, self.name, self.inputs, [result], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="tools/models")
        onnx.checker.check_model(model)
        onnx.save(model, path)


def relu(net, x):
    return net.op("Relu", x)


def relu6(net, x):
    low, high = net.constant(np.float32(0), "low"), net.constant(np.float32(6), "high")
    return net.op("Clip", x, low, high)


def silu(net, x):
    return net.op("Mul", x, net.op("Sigmoid", x))
