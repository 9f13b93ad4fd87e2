"""Plugins and tactics that programs of Python choose: those that ship, those of their own, selectors, edited timing caches."""
import io
import unittest

import numpy as np

import tensorrt as trt
from tensorrt_helpers import LOGGER, built, config_of, run, weights


class Doubled(trt.IPluginV3, trt.IPluginV3OneCore, trt.IPluginV3OneBuild, trt.IPluginV3OneRuntime):
    """y = factor * x, by numpy over the addresses."""

    def __init__(self, factor):
        trt.IPluginV3.__init__(self)
        trt.IPluginV3OneCore.__init__(self)
        trt.IPluginV3OneBuild.__init__(self)
        trt.IPluginV3OneRuntime.__init__(self)
        self.factor = factor
        self.num_outputs = 1
        self.plugin_name, self.plugin_version, self.plugin_namespace = "Doubled", "1", ""

    def get_capability_interface(self, type):
        return self

    def get_output_data_types(self, types):
        return [types[0]]

    def get_output_shapes(self, inputs, shape_inputs, builder):
        shape = trt.DimsExprs(len(inputs[0]))
        for axis in range(len(inputs[0])):
            shape[axis] = inputs[0][axis]
        return [shape]

    def supports_format_combination(self, pos, descriptions, num_inputs):
        return descriptions[pos].desc.type == trt.float32 and descriptions[pos].desc.format == trt.TensorFormat.LINEAR

    def configure_plugin(self, inputs, outputs):
        pass

    def on_shape_change(self, inputs, outputs):
        pass

    def get_fields_to_serialize(self):
        return trt.PluginFieldCollection([trt.PluginField("factor", np.array([self.factor], np.float32), trt.PluginFieldType.FLOAT32)])

    def attach_to_context(self, context):
        return self.clone()

    def clone(self):
        return Doubled(self.factor)

    def enqueue(self, input_desc, output_desc, inputs, outputs, workspace, stream):
        size = trt.volume(input_desc[0].dims) * 4
        x = np.frombuffer((__import__("ctypes").c_char * size).from_address(inputs[0]), np.float32)
        y = np.frombuffer((__import__("ctypes").c_char * size).from_address(outputs[0]), np.float32)
        y[:] = self.factor * x


class DoubledCreator(trt.IPluginCreatorV3One):
    def __init__(self):
        trt.IPluginCreatorV3One.__init__(self)
        self.name, self.plugin_version, self.plugin_namespace = "Doubled", "1", ""
        self.field_names = trt.PluginFieldCollection([trt.PluginField("factor", np.array([], np.float32), trt.PluginFieldType.FLOAT32)])

    def create_plugin(self, name, fields, phase):
        return Doubled(float(fields[0].data[0]))


class Plugins(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        assert trt.init_libnvinfer_plugins(LOGGER, "")

    def test_the_registry_has_those_that_ship(self):
        names = {creator.name for creator in trt.get_plugin_registry().plugin_creator_list}
        self.assertTrue({"EfficientNMS_TRT", "BatchedNMS_TRT", "Region_TRT"} <= names)

    def test_one_that_ships_in_a_network(self):
        creator = trt.get_plugin_registry().get_plugin_creator("LReLU_TRT", "1")
        plugin = creator.create_plugin("leaky", trt.PluginFieldCollection(
            [trt.PluginField("negSlope", np.array([0.25], np.float32), trt.PluginFieldType.FLOAT32)]))

        def make(network):
            x = network.add_input("x", trt.float32, (1, 2, 3, 3))
            y = network.add_plugin_v2([x], plugin)
            y.get_output(0).name = "y"
            network.mark_output(y.get_output(0))

        x = weights(1, 2, 3, 3)
        np.testing.assert_allclose(run(built(make), x=x)["y"], np.where(x > 0, x, 0.25 * x), rtol=1e-6)

    def test_one_of_python_in_a_plan(self):
        registry = trt.get_plugin_registry()
        self.assertTrue(registry.register_creator(DoubledCreator(), ""))

        def make(network):
            x = network.add_input("x", trt.float32, (2, 3))
            y = network.add_plugin_v3([x], [], Doubled(2.5))
            y.get_output(0).name = "y"
            network.mark_output(y.get_output(0))

        x = weights(2, 3)
        np.testing.assert_allclose(run(built(make), x=x)["y"], 2.5 * x, rtol=1e-6)


class Tactics(unittest.TestCase):
    """Kernels that the program chooses, by a selector and by editing a timing cache."""

    def build(self, prepare):
        builder = trt.Builder(LOGGER)
        network = builder.create_network()
        x = network.add_input("x", trt.float32, (1, 32, 20, 20))
        y = network.add_convolution_nd(x, 32, (3, 3), weights(32, 32, 3, 3))
        y.name = "conv"
        network.mark_output(y.get_output(0))
        config = config_of(builder)
        prepare(config)
        return builder.build_serialized_network(network, config)

    def test_a_selector_is_asked_and_told(self):
        class Slowest(trt.IAlgorithmSelector):
            def __init__(self):
                trt.IAlgorithmSelector.__init__(self)
                self.chosen, self.told = {}, {}

            def select_algorithms(self, context, choices):
                slowest = max(range(len(choices)), key=lambda i: choices[i].timing_msec)
                self.chosen[context.name] = choices[slowest].algorithm_variant.tactic
                io = choices[slowest].get_algorithm_io_info(0)
                assert (io.dtype, tuple(io.strides)) == (trt.float32, (12800, 400, 20, 1)), (io.dtype, io.strides)
                assert [tuple(shape) for shape in context.get_shape(1)] == [(1, 32, 18, 18)] * 3
                return [slowest]

            def report_algorithms(self, contexts, choices):
                for context, choice in zip(contexts, choices):
                    self.told[context.name] = choice.algorithm_variant.tactic

        selector = Slowest()

        def prepare(config):
            config.algorithm_selector = selector

        self.assertIsNotNone(self.build(prepare))
        self.assertEqual(list(selector.chosen), ["conv"])
        self.assertEqual(selector.told, selector.chosen)

    def test_a_timing_cache_is_edited(self):
        caches = []

        def prepare(config):
            config.set_flag(trt.BuilderFlag.EDITABLE_TIMING_CACHE)
            caches.append(config.create_timing_cache(b""))
            self.assertTrue(config.set_timing_cache(caches[-1], ignore_mismatch=False))

        self.assertIsNotNone(self.build(prepare))
        cache = caches[0]
        (key,) = cache.queryKeys()
        self.assertEqual(str(trt.TimingCacheKey.parse(str(key))), str(key))
        value = cache.query(key)
        self.assertGreater(value.timingMSec, 0)
        self.assertTrue(cache.update(key, trt.TimingCacheValue(value.tacticHash, 7.0)))
        self.assertEqual(cache.query(key).timingMSec, 7.0)
        self.assertFalse(cache.update(key, trt.TimingCacheValue(1, 7.0)))
        self.assertRaises(ValueError, trt.TimingCacheKey.parse, "0x12")


if __name__ == "__main__":
    unittest.main()
