"""The module `tensorrt` as its users write it: parse, build, load, run, calibrate, and what is refused."""
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
import pycuda.driver as cuda
from cuda import cudart

import planish
import tensorrt as trt
from tensorrt_helpers import LOGGER, RNG, built, config_of, run, weights

DEMO = Path(__file__).resolve().parents[2] / "demo"


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
