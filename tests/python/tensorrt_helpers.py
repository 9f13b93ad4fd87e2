"""What the tests of the module `tensorrt` share."""
import numpy as np
import pycuda.autoinit  # noqa: F401
import pycuda.driver as cuda

import tensorrt as trt

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
