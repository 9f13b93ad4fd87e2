// Names of interfaces by version, as major 10 spells them.
#ifndef PLANISH_TENSORRT_VERSIONS_H
#define PLANISH_TENSORRT_VERSIONS_H

#include "nvinfer/runtime.h"

namespace nvinfer1 {

namespace v_1_0 {
using nvinfer1::IDebugListener;
using nvinfer1::IErrorRecorder;
using nvinfer1::IGpuAllocator;
using nvinfer1::IGpuAsyncAllocator;
using nvinfer1::IOutputAllocator;
using nvinfer1::IPluginCapability;
using nvinfer1::IPluginCreator;
using nvinfer1::IPluginCreatorInterface;
using nvinfer1::IPluginCreatorV3One;
using nvinfer1::IPluginResource;
using nvinfer1::IPluginV3;
using nvinfer1::IPluginV3OneBuild;
using nvinfer1::IPluginV3OneCore;
using nvinfer1::IPluginV3OneRuntime;
using nvinfer1::IStreamReader;
using nvinfer1::IStreamReaderV2;
using nvinfer1::IStreamWriter;
}  // namespace v_1_0

namespace v_2_0 {
using IPluginV3OneBuild = nvinfer1::IPluginV3OneBuildV2;
}  // namespace v_2_0

}  // namespace nvinfer1

#endif
