"""The Python package on networks of the repository: build, run, streams, calibration, and what is refused."""
import os
import signal
import tempfile
import threading
import time
import unittest
from pathlib import Path

import numpy as np

import planish

DEMO = Path(__file__).resolve().parents[2] / "demo"
RNG = np.random.default_rng(7)


def picture():
    return RNG.random((1, 1, 8, 8), dtype=np.float32)


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = DEMO / "digits.onnx"
        cls.plan = planish.build(cls.model, tune="off")
        cls.engine = planish.Engine(cls.plan)

    def refused(self, code, words, call):
        with self.assertRaises(planish.Error) as caught:
            call()
        self.assertEqual(caught.exception.code, code)
        for word in words:
            self.assertIn(word, str(caught.exception))

    def test_plans_are_equal_however_they_arrive(self):
        x = picture()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "digits.plan"
            self.plan.save(str(path))
            self.assertEqual(path.read_bytes(), bytes(self.plan))
            engines = [planish.Engine(path), planish.Engine(os.fspath(path)), planish.Engine(bytes(self.plan)), self.engine]
            results = [planish.Context(engine).run(image=x)["scores"] for engine in engines]
        for result in results[1:]:
            np.testing.assert_array_equal(results[0], result)

    def test_inputs_by_dict_by_name_and_copied(self):
        context = planish.Context(self.engine)
        wide = np.repeat(picture(), 2, axis=3)
        strided = wide[:, :, :, ::2]  # not dense
        self.assertFalse(strided.flags["C_CONTIGUOUS"])
        np.testing.assert_array_equal(context.run({"image": strided})["scores"], context.run(image=strided.copy())["scores"])

    def test_outputs_of_the_caller(self):
        context = planish.Context(self.engine)
        x, mine = picture(), np.zeros((1, 10), np.float32)
        self.assertIs(context.run({"image": x}, outputs={"scores": mine})["scores"], mine)
        np.testing.assert_array_equal(mine, context.run(image=x)["scores"])

    def test_results_outlive_their_context(self):
        context = planish.Context(self.engine)
        first = context.run(image=picture())["scores"]
        kept = first.copy()
        context.run(image=picture())
        del context
        np.testing.assert_array_equal(first, kept)

    def test_streams(self):
        context, x, scores = planish.Context(self.engine), picture(), np.zeros((1, 10), np.float32)
        context.bind("image", x)
        context.bind("scores", scores)
        stream = planish.Stream(self.engine)
        context.enqueue(stream)
        stream.synchronize()
        np.testing.assert_array_equal(scores, planish.Context(self.engine).run(image=x)["scores"])

    def test_streams_of_others_are_a_gpus(self):
        self.assertEqual(planish.Stream(self.engine).native, 0)
        self.refused("invalid_argument", ["the processor"], lambda: planish.Stream.adopt(self.engine, 0))
        self.refused("invalid_argument", ["cuda_stream"], lambda: planish.Stream.adopt(self.engine, "a stream"))

    def test_dynamic_shapes(self):
        # A batch that the model leaves open, from 1 to 4.
        plan = planish.build(dynamic_model(), {"x": ((1, 3), (2, 3), (4, 3))}, tune="off")
        engine = planish.Engine(plan)
        self.assertEqual(engine.range("x"), ((1, 3), (2, 3), (4, 3)))
        self.assertEqual(engine.bindings[0].shape, (-1, 3))
        context = planish.Context(engine)
        for rows in (1, 4, 3):
            x = RNG.random((rows, 3), dtype=np.float32)
            np.testing.assert_allclose(context.run(x=x)["y"], np.maximum(x, 0.5), rtol=0)
        self.refused("invalid_argument", ["'x'", "5", "4"], lambda: context.run(x=np.zeros((5, 3), np.float32)))

    def test_calibration_from_a_generator(self):
        network = planish.Network(self.model)
        table = planish.calibrate(network, (picture() for _ in range(16)), method="minmax")
        self.assertIn("image", table)
        quantised = planish.Context(planish.Engine(planish.build(network, tune="off", precision="fp32,int8", calibration=table)))
        exact, x = planish.Context(self.engine), picture()
        a, b = quantised.run(image=x)["scores"], exact.run(image=x)["scores"]
        self.assertGreater(np.abs(a - b).max(), 0)
        self.assertLess(np.linalg.norm(a - b) / np.linalg.norm(b), 0.1)
        self.refused("invalid_argument", ["lacks input 'image'"], lambda: planish.calibrate(network, [{"picture": x}]))
        with self.assertRaises(ZeroDivisionError):
            planish.calibrate(network, (1 // 0 for _ in range(3)))

    def test_progress_sees_cancels_and_raises(self):
        phases = []
        planish.build(self.model, tune="off", progress=lambda phase, done, total: phases.append(phase))
        self.assertTrue(phases)
        self.refused("cancelled", ["cancelled"], lambda: planish.build(self.model, progress=lambda *said: False))
        with self.assertRaises(KeyError):
            planish.build(self.model, progress=lambda *said: {}["nothing"])

    def test_arrays_that_are_not_aligned(self):
        x = picture()
        odd = np.frombuffer(bytearray(x.nbytes + 1), np.uint8)[1:].view(np.float32).reshape(x.shape)
        odd[...] = x
        context = planish.Context(self.engine)
        np.testing.assert_array_equal(context.run(image=odd)["scores"], context.run(image=x)["scores"])
        results = np.frombuffer(bytearray(41), np.uint8)[1:].view(np.float32).reshape(1, 10)
        self.refused("invalid_argument", ["'scores'", "4 bytes", "f32"], lambda: context.run(image=x, outputs={"scores": results}))

    def test_paths_of_any_bytes_but_nul(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(os.fsencode(folder), b"\xe9.plan")
            self.plan.save(path)
            self.assertEqual(len(planish.Engine(os.fsdecode(path)).bindings), 2)  # bytes are a plan's own
            for use in (planish.Engine, planish.build, self.plan.save, planish.load_plugins):
                self.refused("invalid_argument", ["NUL"], lambda: use(f"{folder}/a\0b"))
            self.assertEqual(os.listdir(os.fsencode(folder)), [b"\xe9.plan"])

    def test_ctrl_c_ends_a_build(self):
        threading.Timer(0.3, signal.raise_signal, [signal.SIGINT]).start()
        ended = []
        with self.assertRaises(KeyboardInterrupt):
            planish.build(many_products(), tune="full")
            ended.append(True)
            time.sleep(5)
        self.assertFalse(ended)

    def test_refusals_name_what_was_found(self):
        context, x = planish.Context(self.engine), picture()
        self.refused("not_found", ["'picture'", "'image'"], lambda: context.run(picture=x))
        self.refused("invalid_argument", ["'scores' is an output"], lambda: context.run(scores=x))
        self.refused("invalid_argument", ["'image'", "not given"], lambda: planish.Context(self.engine).run())
        self.refused("invalid_argument", ["float32", "float64"], lambda: context.run(image=x.astype(np.float64)))
        self.refused("invalid_argument", ["list"], lambda: context.run(image=[1, 2]))
        self.refused("invalid_argument", ["[1,1,8,8]", "[1,1,4,8]"], lambda: context.run(image=x[:, :, :4]))
        frozen = np.zeros((1, 10), np.float32)
        frozen.flags.writeable = False
        fresh = planish.Context(self.engine)
        self.refused("invalid_argument", ["'scores'"], lambda: fresh.bind("scores", frozen))
        self.refused("invalid_argument", ["(1, 10)", "(2, 10)"], lambda: fresh.bind("scores", np.zeros((2, 10), np.float32)))
        self.refused("invalid_plan", ["3 bytes"], lambda: planish.Engine(b"abc"))
        self.refused("not_found", ["nowhere.onnx"], lambda: planish.build("nowhere.onnx"))
        self.refused("invalid_argument", ["fp31", "bf16"], lambda: planish.build(self.model, precision="fp31"))
        self.refused("invalid_argument", ["int8", "table"], lambda: planish.build(self.model, precision="int8"))
        self.refused("invalid_argument", ["slow"], lambda: planish.build(self.model, tune="slow"))
        self.refused("invalid_argument", ["three"], lambda: planish.build(self.model, {"image": ((1,), (2,))}))


def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number, payload):
    """A field of the wire format: bytes, text or an integer."""
    if isinstance(payload, int):
        return varint(number << 3) + varint(payload)
    payload = payload.encode() if isinstance(payload, str) else payload
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def dynamic_model():
    """ONNX: y[N,3] = max(x[N,3], 0.5), written without a package for it."""
    def value(name):
        dims = field(1, field(2, "N")) + field(1, field(1, 3))
        return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))
    half = field(2, 1) + field(8, "half") + field(9, np.float32(0.5).tobytes())  # a scalar of floats
    node = field(1, "x") + field(1, "half") + field(2, "y") + field(4, "Max")
    graph = field(1, node) + field(2, "g") + field(5, half) + field(11, value("x")) + field(12, value("y"))
    return field(1, 8) + field(7, graph) + field(8, field(2, 17))


def many_products(count=40):
    """ONNX: products of matrices one after the other, each of another width, which take seconds to tune."""
    def value(name, width):
        dims = field(1, field(1, 32)) + field(1, field(1, width))
        return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))
    graph, widths = b"", [256 + 8 * i for i in range(count + 1)]
    for i in range(count):
        graph += field(1, field(1, f"x{i}") + field(1, f"w{i}") + field(2, f"x{i + 1}") + field(4, "MatMul"))
    for i, (rows, columns) in enumerate(zip(widths, widths[1:])):
        graph += field(5, field(1, rows) + field(1, columns) + field(2, 1) + field(8, f"w{i}") + field(9, bytes(4 * rows * columns)))
    graph += field(2, "g") + field(11, value("x0", widths[0])) + field(12, value(f"x{count}", widths[-1]))
    return field(1, 8) + field(7, graph) + field(8, field(2, 17))


if __name__ == "__main__":
    unittest.main()
