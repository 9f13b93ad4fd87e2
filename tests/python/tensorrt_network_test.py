"""Networks by calls of the module `tensorrt`: layers and their properties, control flow, weights that change."""
import gc
import unittest

import numpy as np
import pycuda.driver as cuda

import tensorrt as trt
from tensorrt_helpers import LOGGER, built, run, weights


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


if __name__ == "__main__":
    unittest.main()
