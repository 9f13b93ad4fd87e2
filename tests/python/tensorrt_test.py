"""The Python module `tensorrt` as its users write it: parse, build, load, run, calibrate, refit, plugins, and what is refused."""
import copy
import gc
import io
import signal
import threading
import time
import unittest
import unittest.mock
from pathlib import Path

import numpy as np
import pycuda.autoinit  # noqa: F401
import pycuda.driver as cuda
from cuda import cudart

import planish
import tensorrt as trt

DEMO = Path(__file__).resolve().parents[2] / "demo"
RNG = np.random.default_rng(11)
LOGGER = trt.Logger(trt.Logger.ERROR)


def weights(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def config_of(builder):
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, 1 << 28)
    config.clear_flag(trt.BuilderFlag.TF32)
    return config


def built(make, prepare=None):
    """The engine of the network that `make` adds layers to."""
    builder = trt.Builder(LOGGER)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH))
    make(network)
    config = config_of(builder)
    if prepare:
        prepare(builder, config)
    plan = builder.build_serialized_network(network, config)
    assert plan is not None
    return trt.Runtime(LOGGER).deserialize_cuda_engine(plan)


def run(engine, **inputs):
    """Results by name, through named tensors on a stream."""
    context = engine.create_execution_context()
    stream = cuda.Stream()
    memory, results = [], {}
    for index in range(engine.num_io_tensors):
        name = engine.get_tensor_name(index)
        if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT:
            x = np.ascontiguousarray(inputs[name])
            context.set_input_shape(name, x.shape)
            memory.append(cuda.mem_alloc(x.nbytes))
            cuda.memcpy_htod_async(memory[-1], x, stream)
            memory.append(x)
            context.set_tensor_address(name, int(memory[-2]))
    assert context.infer_shapes() == []
    for index in range(engine.num_io_tensors):
        name = engine.get_tensor_name(index)
        if engine.get_tensor_mode(name) == trt.TensorIOMode.OUTPUT:
            host = cuda.pagelocked_empty(tuple(context.get_tensor_shape(name)), trt.nptype(engine.get_tensor_dtype(name)))
            device = cuda.mem_alloc(host.nbytes)
            context.set_tensor_address(name, int(device))
            results[name] = (host, device)
    assert context.execute_async_v3(stream.handle)
    for host, device in results.values():
        cuda.memcpy_dtoh_async(host, device, stream)
    stream.synchronize()
    return {name: host for name, (host, device) in results.items()}


class FromOnnx(unittest.TestCase):
    def plan_of(self, source, prepare=None):
        with trt.Builder(LOGGER) as builder, builder.create_network() as network, trt.OnnxParser(network, LOGGER) as parser:
            self.assertTrue(source(parser), [parser.get_error(i).desc() for i in range(parser.num_errors)])
            profile = builder.create_optimization_profile()
            profile.set_shape("image", (1, 1, 8, 8), (2, 1, 8, 8), (4, 1, 8, 8))
            self.assertEqual(profile.get_shape("image")[1], (2, 1, 8, 8))
            config = config_of(builder)
            config.add_optimization_profile(profile)
            if prepare:
                prepare(config)
            self.assertEqual(tuple(network.get_input(0).shape), (-1, 1, 8, 8))
            return builder.build_serialized_network(network, config)

    def test_a_model_from_bytes_or_a_file_to_its_answers(self):
        path = DEMO / "digits.onnx"
        plans = [self.plan_of(lambda parser: parser.parse(path.read_bytes())), self.plan_of(lambda parser: parser.parse_from_file(str(path)))]
        x = RNG.random((3, 1, 8, 8), dtype=np.float32)
        results = []
        for plan in plans:
            file = io.BytesIO()
            file.write(plan)
            self.assertEqual(len(file.getvalue()), plan.nbytes)
            with trt.Runtime(LOGGER) as runtime, runtime.deserialize_cuda_engine(file.getvalue()) as engine:
                self.assertEqual(engine.get_tensor_profile_shape("image", 0)[2], (4, 1, 8, 8))
                results.append(run(engine, image=x)["scores"])
        np.testing.assert_allclose(results[0], self.formula(x), rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(results[0], results[1], rtol=1e-5, atol=1e-5)

    def formula(self, x):
        """The same network by the package planish, one picture at a time."""
        context = planish.Context(planish.Engine(planish.build(DEMO / "digits.onnx", tune="off")))
        return np.concatenate([context.run(image=one[None])["scores"].copy() for one in x])

    def test_bindings_by_index(self):
        engine = trt.Runtime(LOGGER).deserialize_cuda_engine(self.plan_of(lambda parser: parser.parse_from_file(str(DEMO / "digits.onnx"))))
        self.assertEqual([name for name in engine], ["image", "scores"])
        self.assertTrue(engine.binding_is_input("image"))
        context = engine.create_execution_context()
        x = RNG.random((2, 1, 8, 8), dtype=np.float32)
        context.set_binding_shape(0, x.shape)
        y = np.empty(trt.volume(context.get_binding_shape(1)), trt.nptype(engine.get_binding_dtype(1)))
        self.assertTrue(context.execute_v2([x.ctypes.data, y.ctypes.data]))
        np.testing.assert_allclose(y.reshape(2, 10), run(engine, image=x)["scores"], rtol=1e-5, atol=1e-5)
        _, stream = cudart.cudaStreamCreate()
        again = np.empty_like(y)
        self.assertTrue(context.execute_async_v2(bindings=[x.ctypes.data, again.ctypes.data], stream_handle=stream))
        cudart.cudaStreamSynchronize(stream)
        np.testing.assert_array_equal(again, y)

    def test_a_batch_beside_shapes_that_say_it(self):
        lines = []

        class Collector(trt.ILogger):
            def __init__(self):
                trt.ILogger.__init__(self)

            def log(self, severity, message):
                lines.append((severity, message))

        collector = Collector()
        plan = self.plan_of(lambda parser: parser.parse_from_file(str(DEMO / "digits.onnx")))
        context = trt.Runtime(collector).deserialize_cuda_engine(plan).create_execution_context()
        x = RNG.random((2, 1, 8, 8), dtype=np.float32)
        context.set_binding_shape(0, x.shape)
        y = np.zeros((2, 10), np.float32)
        bindings = [x.ctypes.data, y.ctypes.data]
        for batch in (3, 0, -1):
            self.assertFalse(context.execute(batch, bindings))
            self.assertIn((trt.ILogger.ERROR, f"a batch of {batch} "), [(severity, text[text.find("a batch of"):][:len(f"a batch of {batch} ")]) for severity, text in lines])
        self.assertFalse(y.any())
        for batch in (1, 2):  # what samples give that do not mean it, and what the shapes say
            y[:] = 0
            self.assertTrue(context.execute(batch, bindings))
            np.testing.assert_allclose(y, self.formula(x), rtol=1e-4, atol=1e-4)

    def test_a_broken_model_is_an_error_with_words(self):
        network = trt.Builder(LOGGER).create_network()
        parser = trt.OnnxParser(network, trt.Logger(trt.Logger.INTERNAL_ERROR))
        self.assertFalse(parser.parse(b"no model"))
        self.assertGreater(parser.num_errors, 0)
        self.assertTrue(parser.get_error(0).desc())
        self.assertTrue(str(parser.get_error(0)))

    def test_calibration_writes_a_cache_and_reads_it(self):
        batches = [RNG.random((2, 1, 8, 8), dtype=np.float32) for _ in range(3)]

        class Calibrator(trt.IInt8EntropyCalibrator2):
            def __init__(self, cache=None):
                trt.IInt8EntropyCalibrator2.__init__(self)
                self.cache, self.at, self.device = cache, 0, cuda.mem_alloc(batches[0].nbytes)

            def get_batch_size(self):
                return 2

            def get_batch(self, names):
                assert names == ["image"]
                if self.at == len(batches):
                    return None
                cuda.memcpy_htod(self.device, batches[self.at])
                self.at += 1
                return [int(self.device)]

            def read_calibration_cache(self):
                return self.cache

            def write_calibration_cache(self, cache):
                self.cache = cache.tobytes()

        first = Calibrator()

        def prepare(calibrator):
            def into(config):
                config.set_flag(trt.BuilderFlag.INT8)
                config.int8_calibrator = calibrator
            return into

        parse = lambda parser: parser.parse_from_file(str(DEMO / "digits.onnx"))  # noqa: E731
        self.assertIsNotNone(self.plan_of(parse, prepare(first)))
        self.assertEqual(first.at, 3)
        self.assertIn(b"EntropyCalibration2", first.cache)
        second = Calibrator(first.cache)
        self.assertIsNotNone(self.plan_of(parse, prepare(second)))
        self.assertEqual(second.at, 0)

        class Failing(Calibrator):
            def get_batch(self, names):
                if self.at == 2:
                    raise OSError("the disk is gone")
                return super().get_batch(names)

        with unittest.mock.patch("sys.unraisablehook"):
            self.assertIsNone(self.plan_of(parse, prepare(Failing())))  # no plan of two of three batches


class Objects(unittest.TestCase):
    def test_what_nothing_stands_behind_is_not_made(self):
        for made_by_calls in (trt.ICudaEngine, trt.IExecutionContext, trt.INetworkDefinition, trt.ILayer, trt.ITensor):
            for make in (made_by_calls, lambda: made_by_calls.__new__(made_by_calls)):
                with self.assertRaises(TypeError):
                    make()
        for takes_arguments in (trt.Builder, trt.Runtime, trt.OnnxParser):
            with self.assertRaises(TypeError):
                takes_arguments.__new__(takes_arguments)
        self.assertEqual(len(trt.Dims.__new__(trt.Dims)), len(trt.Dims()))

        class Once(trt.ILogger):
            def __new__(cls, *words):
                return super().__new__(cls)

            def __init__(self, words):
                trt.ILogger.__init__(self)
                self.words = words

            def log(self, severity, message):
                self.words.append(message)

        words = []
        self.assertIsNone(trt.Runtime(Once(words)).deserialize_cuda_engine(b"no plan"))
        self.assertTrue(words)
        self.assertEqual(copy.deepcopy(trt.DataType.HALF), trt.DataType.HALF)

    def test_ctrl_c_ends_a_build(self):
        builder = trt.Builder(LOGGER)
        network = builder.create_network(0)
        x = network.add_input("x", trt.float32, (1, 8, 32, 32))
        for i in range(40):
            width = 16 + 4 * i
            x = network.add_convolution_nd(x, width, (3, 3), weights(width, x.shape[1], 3, 3), weights(width)).get_output(0)
            x = network.add_padding_nd(x, (1, 1), (1, 1)).get_output(0)
        network.mark_output(x)
        config = config_of(builder)
        config.builder_optimization_level = 5
        threading.Timer(0.3, signal.raise_signal, [signal.SIGINT]).start()
        ended = []
        with self.assertRaises(KeyboardInterrupt):
            builder.build_serialized_network(network, config)
            ended.append(True)
            time.sleep(5)
        self.assertFalse(ended)
        self.assertIsNone(config.progress_monitor)


class ByCalls(unittest.TestCase):
    def test_layers_and_their_properties(self):
        kernel, bias, matrix = weights(4, 3, 3, 3), weights(4), weights(4, 5)

        def make(network):
            x = network.add_input("x", trt.float32, (1, 3, 6, 6))
            conv = network.add_convolution_nd(x, 4, (3, 3), kernel, bias)
            conv.padding_nd, conv.name = (1, 1), "conv"
            self.assertEqual(tuple(conv.kernel_size_nd), (3, 3))
            np.testing.assert_array_equal(conv.kernel.numpy().reshape(kernel.shape), kernel)
            relu = network.add_activation(conv.get_output(0), trt.ActivationType.RELU)
            mean = network.add_reduce(relu.get_output(0), trt.ReduceOperation.AVG, 1 << 2 | 1 << 3, False)
            product = network.add_matrix_multiply(mean.get_output(0), trt.MatrixOperation.NONE,
                                                  network.add_constant((4, 5), matrix).get_output(0), trt.MatrixOperation.NONE)
            product.get_output(0).name = "y"
            network.mark_output(product.get_output(0))
            self.assertEqual(network.num_layers, 5)
            self.assertEqual(network[0].type, trt.LayerType.CONVOLUTION)
            plain = network.get_layer(1)
            plain.__class__ = trt.IActivationLayer
            self.assertEqual(plain.type, trt.ActivationType.RELU)

        engine = built(make)
        x = weights(1, 3, 6, 6)
        padded = np.pad(x[0], ((0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
        mean = np.maximum(np.einsum("chwij,ocij->ohw", windows, kernel) + bias[:, None, None], 0).mean((1, 2))
        np.testing.assert_allclose(run(engine, x=x)["y"][0], mean @ matrix, rtol=1e-4, atol=1e-4)

    def test_arrays_live_until_the_network_is_built(self):
        def make(network):
            x = network.add_input("x", trt.float32, (2, 3))
            # A transposed array, and one that nothing else refers to.
            factor = network.add_constant((2, 3), np.arange(6, dtype=np.float32).reshape(3, 2).T)
            gc.collect()
            scale = network.add_scale(x, trt.ScaleMode.UNIFORM, scale=np.array([3], np.float32))
            gc.collect()
            y = network.add_elementwise(scale.get_output(0), factor.get_output(0), trt.ElementWiseOperation.PROD)
            y.get_output(0).name = "y"
            network.mark_output(y.get_output(0))

        x = weights(2, 3)
        np.testing.assert_allclose(run(built(make), x=x)["y"], 3 * x * np.arange(6).reshape(3, 2).T, rtol=1e-6)

    def test_loops(self):
        def make(network):
            x = network.add_input("x", trt.float32, (4,))
            loop = network.add_loop()
            turns = network.add_constant((), np.array([5], np.int32)).get_output(0)
            loop.add_trip_limit(turns, trt.TripLimit.COUNT)
            state = loop.add_recurrence(x)
            twice = network.add_elementwise(state.get_output(0), state.get_output(0), trt.ElementWiseOperation.SUM)
            state.set_input(1, twice.get_output(0))
            last = loop.add_loop_output(state.get_output(0), trt.LoopOutput.LAST_VALUE)
            last.get_output(0).name = "y"
            network.mark_output(last.get_output(0))

        x = weights(4)
        np.testing.assert_allclose(run(built(make), x=x)["y"], 32 * x, rtol=1e-6)

    def test_results_of_unknown_size_go_to_an_allocator(self):
        def make(network):
            x = network.add_input("x", trt.float32, (2, 5))
            found = network.add_non_zero(x)
            found.get_output(0).name = "where"
            network.mark_output(found.get_output(0))

        class Allocator(trt.IOutputAllocator):
            def __init__(self):
                super().__init__()
                self.memory, self.shape = None, None

            def reallocate_output(self, name, memory, size, alignment):
                self.memory = cuda.mem_alloc(max(size, 1))
                return int(self.memory)

            def notify_shape(self, name, shape):
                self.shape = tuple(shape)

        engine = built(make)
        context, allocator, stream = engine.create_execution_context(), Allocator(), cuda.Stream()
        x = np.array([[0, 1, 0, 2, 0], [3, 0, 0, 0, 4]], np.float32)
        context.set_tensor_address("x", x.ctypes.data)
        self.assertTrue(context.set_output_allocator("where", allocator))
        self.assertTrue(context.execute_async_v3(stream.handle))
        stream.synchronize()
        self.assertEqual(allocator.shape, (2, 4))
        result = np.empty(allocator.shape, np.int32)
        cuda.memcpy_dtoh(result, allocator.memory)
        np.testing.assert_array_equal(result, np.array(np.nonzero(x)))

    def test_refitting(self):
        first, second = weights(3, 3), weights(3, 3)

        def make(network):
            x = network.add_input("x", trt.float32, (2, 3))
            constant = network.add_constant((3, 3), first)
            constant.name = "matrix"
            y = network.add_matrix_multiply(x, trt.MatrixOperation.NONE, constant.get_output(0), trt.MatrixOperation.NONE)
            y.get_output(0).name = "y"
            network.mark_output(y.get_output(0))

        engine = built(make, lambda builder, config: config.set_flag(trt.BuilderFlag.REFIT))
        x = weights(2, 3)
        np.testing.assert_allclose(run(engine, x=x)["y"], x @ first, rtol=1e-5, atol=1e-5)
        refitter = trt.Refitter(engine, LOGGER)
        self.assertIn("matrix", refitter.get_all()[0])
        self.assertTrue(refitter.set_weights("matrix", trt.WeightsRole.CONSTANT, second))
        self.assertEqual(refitter.get_missing()[0], [])
        self.assertTrue(refitter.refit_cuda_engine())
        np.testing.assert_allclose(run(engine, x=x)["y"], x @ second, rtol=1e-5, atol=1e-5)


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


class Memory(unittest.TestCase):
    def test_arrays_on_the_device(self):
        from pycuda import gpuarray
        stream, x = cuda.Stream(), weights(2, 3, 4)
        a = gpuarray.to_gpu(x)
        self.assertEqual((a.shape, a.dtype, a.size, a.nbytes, a.ndim, len(a)), (x.shape, x.dtype, 24, 96, 3, 2))
        np.testing.assert_array_equal(a.get(), x)
        b = a.copy().fill(7)
        self.assertNotEqual(a.ptr, b.ptr)
        b.set_async(2 * x, stream)
        self.assertIs(b.get_async(stream, found := cuda.pagelocked_empty(x.shape, x.dtype)), found)
        stream.synchronize()
        np.testing.assert_array_equal(found, 2 * x)
        np.testing.assert_array_equal(b.reshape(6, -1).get(), 2 * x.reshape(6, 4))
        self.assertEqual(gpuarray.zeros((0, 3), np.int32).get().shape, (0, 3))
        self.assertEqual(gpuarray.zeros((), np.int64).get(), 0)
        for wrong in (x[:1], x.astype(np.float64)):
            self.assertRaises(ValueError, a.set, wrong)
        self.assertRaises(ValueError, a.set_async, x.T)


class Words(unittest.TestCase):
    def test_dims_are_sequences(self):
        dims = trt.Dims((1, 3, 224, 224))
        self.assertEqual((len(dims), dims[1], tuple(dims[2:]), str(dims)), (4, 3, (224, 224), "(1, 3, 224, 224)"))
        self.assertEqual(trt.volume(dims), 3 * 224 * 224)
        self.assertEqual(dims, [1, 3, 224, 224])
        with self.assertRaises(ValueError):
            trt.Dims(range(9))

    def test_types(self):
        self.assertIs(trt.nptype(trt.float32), np.float32)
        self.assertEqual((trt.float16.itemsize, trt.DataType.INT64.itemsize), (2, 8))
        self.assertGreaterEqual(int(trt.__version__.split(".")[0]), 10)

    def test_a_logger_of_ones_own_is_told_why(self):
        class Collector(trt.ILogger):
            def __init__(self):
                trt.ILogger.__init__(self)
                self.lines = []

            def log(self, severity, message):
                self.lines.append((severity, message))

        collector = Collector()
        self.assertIsNone(trt.Runtime(collector).deserialize_cuda_engine(b"no plan at all"))
        self.assertTrue(any(severity == trt.ILogger.ERROR for severity, _ in collector.lines))

    def test_an_engine_outlives_what_made_it(self):
        def make(network):
            x = network.add_input("x", trt.float32, (2,))
            y = network.add_unary(x, trt.UnaryOperation.NEG)
            y.get_output(0).name = "y"
            network.mark_output(y.get_output(0))

        engine = built(make)
        gc.collect()
        inspector = engine.create_engine_inspector()
        self.assertTrue(inspector.get_engine_information(trt.LayerInformationFormat.JSON))
        np.testing.assert_array_equal(run(engine, x=np.array([1, -2], np.float32))["y"], [-1, 2])


if __name__ == "__main__":
    unittest.main()
