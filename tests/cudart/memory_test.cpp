// Memory and copies: what is accepted, what is refused, and with which code.

#include <cstring>
#include <numeric>

#include "support.h"

using namespace cudart_test;

TEST(CudaMemory, IsAlignedAndKnown) {
  for (const size_t bytes : {size_t{1}, size_t{255}, size_t{4096}, size_t{3} << 20}) {
    void* memory = nullptr;
    OK(cudaMalloc(&memory, bytes));
    EXPECT_EQ(0u, reinterpret_cast<uintptr_t>(memory) % 256);
    cudaPointerAttributes attributes{};
    OK(cudaPointerGetAttributes(&attributes, static_cast<char*>(memory) + bytes - 1));
    EXPECT_EQ(cudaMemoryTypeDevice, attributes.type);
    EXPECT_EQ(0, attributes.device);
    EXPECT_EQ(nullptr, attributes.hostPointer);
    OK(cudaMemset(memory, 1, bytes));
    OK(cudaFree(memory));
    OK(cudaPointerGetAttributes(&attributes, memory));
    EXPECT_EQ(cudaMemoryTypeUnregistered, attributes.type);
  }
}

TEST(CudaMemory, RefusesWhatIsNotThere) {
  void* memory = nullptr;
  char plain[8];
  REFUSED(cudaErrorInvalidValue, cudaMalloc(static_cast<void**>(nullptr), 8));
  REFUSED(cudaErrorMemoryAllocation, cudaMalloc(&memory, size_t{1} << 60));
  REFUSED(cudaErrorMemoryAllocation, cudaMalloc(&memory, ~size_t{0}));
  OK(cudaMalloc(&memory, 0));
  EXPECT_EQ(nullptr, memory);
  OK(cudaFree(nullptr));
  OK(cudaFreeHost(nullptr));
  REFUSED(cudaErrorInvalidValue, cudaFree(plain));
  OK(cudaMalloc(&memory, 8));
  REFUSED(cudaErrorInvalidValue, cudaFree(static_cast<char*>(memory) + 1));
  REFUSED(cudaErrorInvalidValue, cudaFreeHost(memory));
  OK(cudaFree(memory));
  REFUSED(cudaErrorInvalidValue, cudaFree(memory));
  OK(cudaMallocHost(&memory, 8));
  REFUSED(cudaErrorInvalidValue, cudaFree(memory));
  OK(cudaFreeHost(memory));
  REFUSED(cudaErrorInvalidValue, cudaFreeHost(memory));
  cudaGetLastError();
}

TEST(CudaMemory, CopiesAreChecked) {
  DeviceInts device(4);
  PinnedInts pinned(4);
  int plain[4] = {1, 2, 3, 4};
  OK(cudaMemcpy(device.data, plain, 16, cudaMemcpyHostToDevice));
  OK(cudaMemcpy(pinned.data, device.data, 16, cudaMemcpyDefault));
  EXPECT_EQ(4, pinned[3]);
  OK(cudaMemcpy(plain, nullptr, 0, cudaMemcpyHostToHost));
  REFUSED(cudaErrorInvalidValue, cudaMemcpy(device.data, plain, 20, cudaMemcpyHostToDevice));
  REFUSED(cudaErrorInvalidValue, cudaMemcpy(device.data + 1, plain, 16, cudaMemcpyHostToDevice));
  REFUSED(cudaErrorInvalidValue, cudaMemcpy(plain, device.data, 20, cudaMemcpyDeviceToHost));
  REFUSED(cudaErrorInvalidValue, cudaMemcpy(pinned.data, device.data, 20, cudaMemcpyDefault));
  REFUSED(cudaErrorInvalidValue, cudaMemcpy(plain, device.data, 16, cudaMemcpyHostToDevice));
  REFUSED(cudaErrorInvalidValue, cudaMemcpy(device.data, plain, 16, cudaMemcpyDeviceToHost));
  REFUSED(cudaErrorInvalidValue, cudaMemcpy(plain, plain, 16, cudaMemcpyDeviceToDevice));
  REFUSED(cudaErrorInvalidValue, cudaMemcpy(nullptr, plain, 4, cudaMemcpyHostToHost));
  REFUSED(cudaErrorInvalidValue, cudaMemcpy(device.data, nullptr, 4, cudaMemcpyHostToDevice));
  REFUSED(cudaErrorInvalidValue, cudaMemcpy(device.data, plain, ~size_t{0}, cudaMemcpyHostToDevice));
  REFUSED(cudaErrorInvalidMemcpyDirection, cudaMemcpy(device.data, plain, 4, static_cast<cudaMemcpyKind>(9)));
  REFUSED(cudaErrorInvalidValue, cudaMemset(plain, 0, 4));
  REFUSED(cudaErrorInvalidValue, cudaMemset(device.data, 0, 17));
  REFUSED(cudaErrorInvalidDevice, cudaMemcpyPeer(device.data, 0, device.data, 1, 4));
  cudaGetLastError();
}

// Rows and slices of every pitch against plain loops.
TEST(CudaMemory, RowsAndSlices) {
  for (const size_t width : {1, 3, 16})
    for (const size_t height : {1, 2, 5}) {
      const size_t to_pitch = width + 3, from_pitch = width + 1;
      std::vector<unsigned char> from(from_pitch * height), back(to_pitch * height, 0xee);
      std::iota(from.begin(), from.end(), static_cast<unsigned char>(1));
      void* device = nullptr;
      size_t pitch = 0;
      OK(cudaMallocPitch(&device, &pitch, width, height));
      EXPECT_EQ(0u, pitch % 512);
      OK(cudaMemcpy2D(device, pitch, from.data(), from_pitch, width, height, cudaMemcpyHostToDevice));
      OK(cudaMemcpy2D(back.data(), to_pitch, device, pitch, width, height, cudaMemcpyDeviceToHost));
      for (size_t y = 0; y < height; ++y)
        for (size_t x = 0; x < to_pitch; ++x)
          EXPECT_EQ(x < width ? from[y * from_pitch + x] : 0xee, back[y * to_pitch + x]);
      EXPECT_EQ(height > 1 ? cudaErrorInvalidPitchValue : cudaSuccess,
                cudaMemcpy2D(device, pitch, from.data(), width - 1, width, height, cudaMemcpyHostToDevice));
      REFUSED(cudaErrorInvalidValue,
              cudaMemcpy2D(device, pitch, from.data(), pitch, pitch, height + 1, cudaMemcpyHostToDevice));
      OK(cudaFree(device));
    }
  cudaGetLastError();
}

TEST(CudaMemory, ThreeDimensions) {
  const cudaExtent extent = make_cudaExtent(5, 3, 2);
  cudaPitchedPtr device{};
  OK(cudaMalloc3D(&device, extent));
  OK(cudaMemset3D(device, 0, extent));
  std::vector<unsigned char> host(5 * 3 * 2), back(5 * 3 * 2);
  std::iota(host.begin(), host.end(), static_cast<unsigned char>(0));
  cudaMemcpy3DParms copy{};
  copy.srcPtr = make_cudaPitchedPtr(host.data(), 5, 5, 3);
  copy.dstPtr = device;
  copy.extent = extent;
  copy.kind = cudaMemcpyHostToDevice;
  OK(cudaMemcpy3D(&copy));
  std::swap(copy.srcPtr, copy.dstPtr);
  copy.dstPtr.ptr = back.data();
  copy.kind = cudaMemcpyDeviceToHost;
  OK(cudaMemcpy3DAsync(&copy, nullptr));
  OK(cudaDeviceSynchronize());
  EXPECT_EQ(host, back);
  copy.srcArray = reinterpret_cast<cudaArray_t>(8);
  REFUSED(cudaErrorNotSupported, cudaMemcpy3D(&copy));
  OK(cudaFree(device.ptr));
}

TEST(CudaMemory, RegisteredMemoryIsPinned) {
  std::vector<int> host(1000, 1);
  void* device = nullptr;
  unsigned flags = 9;
  REFUSED(cudaErrorInvalidValue, cudaHostGetDevicePointer(&device, host.data(), 0));
  OK(cudaHostRegister(host.data(), 4000, cudaHostRegisterMapped));
  REFUSED(cudaErrorHostMemoryAlreadyRegistered, cudaHostRegister(host.data() + 10, 40, 0));
  REFUSED(cudaErrorHostMemoryAlreadyRegistered, cudaHostRegister(host.data() + 999, 400, 0));
  OK(cudaHostGetDevicePointer(&device, host.data(), 0));
  OK(cudaHostGetFlags(&flags, host.data()));
  EXPECT_EQ(host.data(), device);
  EXPECT_EQ(cudaHostRegisterMapped, static_cast<int>(flags));
  OK(cudaHostUnregister(host.data()));
  REFUSED(cudaErrorHostMemoryNotRegistered, cudaHostUnregister(host.data()));
  REFUSED(cudaErrorInvalidValue, cudaHostRegister(nullptr, 4, 0));
  cudaGetLastError();
}

TEST(CudaMemory, ManagedMemoryIsBoth) {
  int* shared = nullptr;
  OK(cudaMallocManaged(&shared, 16));
  *shared = 3;
  int plain = 0;
  OK(cudaMemcpy(&plain, shared, 4, cudaMemcpyDeviceToHost));
  EXPECT_EQ(3, plain);
  OK(cudaMemPrefetchAsync(shared, 16, 0, nullptr));
  OK(cudaMemAdvise(shared, 16, cudaMemAdviseSetReadMostly, 0));
  REFUSED(cudaErrorInvalidValue, cudaMemPrefetchAsync(shared, 17, 0, nullptr));
  REFUSED(cudaErrorInvalidDevice, cudaMemPrefetchAsync(shared, 16, 3, nullptr));
  OK(cudaFree(shared));
  cudaGetLastError();
}

// What a stream still uses stays until the stream is done with it.
TEST(CudaMemory, FreeingWaitsForStreams) {
  Stream stream;
  std::atomic<bool> freed{false}, wrong{false};
  DeviceInts unrelated(1);
  void* memory = nullptr;
  OK(cudaMalloc(&memory, 64));
  const std::function<void()> step = [&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    wrong = freed.load();
    std::memset(memory, 1, 64);
  };
  OK(launch(stream, step));
  OK(cudaFree(memory));
  freed = true;
  OK(cudaStreamSynchronize(stream));
  EXPECT_FALSE(wrong);
}

TEST(CudaMemory, StreamOrdered) {
  Stream stream;
  Gate gate;
  int *memory = nullptr, result = 0;
  OK(cudaMallocAsync(&memory, 4, stream));
  OK(cudaLaunchHostFunc(stream, Gate::wait, &gate));
  OK(cudaMemsetAsync(memory, 1, 4, stream));
  PinnedInts host(1);
  OK(cudaMemcpyAsync(host.data, memory, 4, cudaMemcpyDeviceToHost, stream));
  OK(cudaFreeAsync(memory, stream));
  REFUSED(cudaErrorInvalidValue, cudaFreeAsync(memory, stream));
  gate.open();
  OK(cudaStreamSynchronize(stream));
  result = host[0];
  EXPECT_EQ(0x01010101, result);
  cudaGetLastError();
}

TEST(CudaMemory, Pools) {
  cudaMemPool_t pool = nullptr, own = nullptr;
  OK(cudaDeviceGetDefaultMemPool(&pool, 0));
  unsigned long long threshold = 77, read = 0;
  OK(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &threshold));
  OK(cudaMemPoolGetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &read));
  EXPECT_EQ(77u, read);
  cudaMemPoolProps properties{};
  properties.allocType = cudaMemAllocationTypePinned;
  OK(cudaMemPoolCreate(&own, &properties));
  void* memory = nullptr;
  OK(cudaMallocFromPoolAsync(&memory, 100, own, nullptr));
  OK(cudaMemPoolGetAttribute(own, cudaMemPoolAttrUsedMemCurrent, &read));
  EXPECT_GE(read, 100u);
  OK(cudaFreeAsync(memory, nullptr));
  OK(cudaMemPoolTrimTo(own, 0));
  OK(cudaMemPoolDestroy(own));
  REFUSED(cudaErrorInvalidValue, cudaMemPoolDestroy(own));
  REFUSED(cudaErrorInvalidValue, cudaMemPoolDestroy(pool));
  REFUSED(cudaErrorInvalidDevice, cudaDeviceGetDefaultMemPool(&pool, 1));
  OK(cudaDeviceSynchronize());
  cudaGetLastError();
}

TEST(CudaDevices, AreOne) {
  int count = 0, device = 9, value = -1;
  OK(cudaGetDeviceCount(&count));
  OK(cudaGetDevice(&device));
  EXPECT_EQ(1, count);
  EXPECT_EQ(0, device);
  OK(cudaSetDevice(0));
  REFUSED(cudaErrorInvalidDevice, cudaSetDevice(1));
  cudaDeviceProp properties{};
  OK(cudaGetDeviceProperties(&properties, 0));
  EXPECT_NE('\0', properties.name[0]);
  EXPECT_GT(properties.totalGlobalMem, size_t{1} << 28);
  EXPECT_GT(properties.multiProcessorCount, 0);
  EXPECT_EQ(0, properties.major);
  REFUSED(cudaErrorInvalidDevice, cudaGetDeviceProperties(&properties, 1));
  REFUSED(cudaErrorInvalidValue, cudaGetDeviceProperties(nullptr, 0));
  OK(cudaDeviceGetAttribute(&value, cudaDevAttrMultiProcessorCount, 0));
  EXPECT_EQ(properties.multiProcessorCount, value);
  REFUSED(cudaErrorInvalidValue, cudaDeviceGetAttribute(&value, static_cast<cudaDeviceAttr>(5000), 0));
  REFUSED(cudaErrorInvalidDevice, cudaDeviceGetAttribute(&value, cudaDevAttrWarpSize, 2));
  size_t free = 0, total = 0;
  OK(cudaMemGetInfo(&free, &total));
  EXPECT_EQ(properties.totalGlobalMem, total);
  EXPECT_GT(free, 0u);
  EXPECT_LE(free, total);
  int runtime = 0, driver = 0;
  OK(cudaRuntimeGetVersion(&runtime));
  OK(cudaDriverGetVersion(&driver));
  EXPECT_EQ(CUDART_VERSION, runtime);
  EXPECT_GE(driver, runtime);
  EXPECT_EQ(1032u, sizeof(cudaDeviceProp));
  cudaGetLastError();
}

TEST(CudaDevices, KeepTheirSettings) {
  size_t value = 0;
  unsigned flags = 0;
  OK(cudaDeviceSetLimit(cudaLimitStackSize, 4096));
  OK(cudaDeviceGetLimit(&value, cudaLimitStackSize));
  EXPECT_EQ(4096u, value);
  REFUSED(cudaErrorUnsupportedLimit, cudaDeviceGetLimit(&value, static_cast<cudaLimit>(99)));
  OK(cudaSetDeviceFlags(cudaDeviceScheduleSpin));
  OK(cudaGetDeviceFlags(&flags));
  EXPECT_EQ(cudaDeviceScheduleSpin, static_cast<int>(flags));
  cudaGetLastError();
}

TEST(CudaKernels, AreRefused) {
  const auto kernel = [] {};
  static int symbol = 0;
  int blocks = 0;
  cudaFuncAttributes attributes{};
  REFUSED(cudaErrorNoKernelImageForDevice, cudaLaunchKernel(&kernel, dim3(1), dim3(1), nullptr, 0, nullptr));
  REFUSED(cudaErrorNoKernelImageForDevice, cudaGetLastError());
  REFUSED(cudaErrorNoKernelImageForDevice,
          cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, static_cast<const void*>(&kernel), 1, 0));
  REFUSED(cudaErrorNoKernelImageForDevice, cudaFuncGetAttributes(&attributes, static_cast<const void*>(&kernel)));
  REFUSED(cudaErrorInvalidSymbol, cudaMemcpyToSymbol(symbol, &blocks, 4));
  cudaGetLastError();
}
