#include "tensorrt/runtime/plugin_configure.h"

#include <memory>
#include <string>

#include "tensorrt/runtime/report.h"

namespace planish::tensorrt {
namespace {

using nvinfer1::Dims;
using nvinfer1::PluginTensorDesc;
using nvinfer1::TensorFormat;

PluginTensorDesc linear(const Dims& dims, nvinfer1::DataType type) {
  PluginTensorDesc desc{};
  desc.dims = dims;
  desc.type = type;
  desc.format = TensorFormat::kLINEAR;
  desc.scale = 1;
  return desc;
}

nvinfer1::DynamicPluginTensorDesc range_of(const PluginTensorDesc& shown) {
  nvinfer1::DynamicPluginTensorDesc desc{};
  desc.desc = shown;
  desc.min = desc.max = shown.dims;
  return desc;
}

// supportsFormatCombination of position i, given those before it.
template <class PluginKind>
bool takes_linear(PluginKind& plugin, const std::vector<PluginTensorDesc>& all, int32_t inputs) {
  for (size_t i = 0; i < all.size(); ++i)
    if (!plugin.supportsFormatCombination(static_cast<int32_t>(i), all.data(), inputs,
                                          static_cast<int32_t>(all.size()) - inputs))
      return false;
  return true;
}

void require_formats(nvinfer1::IPluginV2& plugin, const std::vector<PluginTensorDesc>& all, int32_t inputs) {
  bool takes = true;
  if (generation_of(plugin) == Generation::v2_dynamic)
    takes = takes_linear(static_cast<nvinfer1::IPluginV2DynamicExt&>(plugin), all, inputs);
  else if (generation_of(plugin) == Generation::v2_io)
    takes = takes_linear(static_cast<nvinfer1::IPluginV2IOExt&>(plugin), all, inputs);
  else
    takes = plugin.supportsFormat(nvinfer1::DataType::kFLOAT, TensorFormat::kLINEAR);
  if (!takes)
    throw Error(Code::unsupported, "plugin '" + answered(plugin.getPluginType(), "getPluginType") +
                                       "' does not take its operands' types in linear format");
}

}  // namespace

Generation generation_of(const nvinfer1::IPluginV2& plugin) {
  switch (static_cast<nvinfer1::PluginVersion>(static_cast<uint32_t>(plugin.getTensorRTVersion()) >> 24U)) {
    case nvinfer1::PluginVersion::kV2_EXT:
      return Generation::v2_ext;
    case nvinfer1::PluginVersion::kV2_IOEXT:
      return Generation::v2_io;
    case nvinfer1::PluginVersion::kV2_DYNAMICEXT:
    case nvinfer1::PluginVersion::kV2_DYNAMICEXT_PYTHON:
      return Generation::v2_dynamic;
    default:
      return Generation::v2;
  }
}

void configure(nvinfer1::IPluginV2& plugin, const ShownOperands& in, int32_t max_batch) {
  const auto inputs = static_cast<int32_t>(in.dims.size()), outputs = plugin.getNbOutputs();
  if (inputs == 0) throw Error(Code::unsupported, "a plugin without operands");
  std::vector<PluginTensorDesc> all;
  std::vector<Dims> out;
  std::vector<nvinfer1::DataType> types;
  const Generation kind = generation_of(plugin);
  for (size_t i = 0; i < in.dims.size(); ++i) all.push_back(linear(in.dims[i], in.types[i]));
  for (int32_t i = 0; i < outputs; ++i) {
    types.push_back(kind == Generation::v2
                        ? nvinfer1::DataType::kFLOAT
                        : static_cast<nvinfer1::IPluginV2Ext&>(plugin).getOutputDataType(i, in.types.data(), inputs));
    out.push_back(kind == Generation::v2_dynamic ? in.dims[0] : plugin.getOutputDimensions(i, in.dims.data(), inputs));
    all.push_back(linear(out.back(), types.back()));
  }
  require_formats(plugin, all, inputs);
  if (kind == Generation::v2_dynamic) {
    std::vector<nvinfer1::DynamicPluginTensorDesc> from, to;
    for (size_t i = 0; i < all.size(); ++i) (i < in.dims.size() ? from : to).push_back(range_of(all[i]));
    static_cast<nvinfer1::IPluginV2DynamicExt&>(plugin).configurePlugin(from.data(), inputs, to.data(), outputs);
  } else if (kind == Generation::v2_io) {
    static_cast<nvinfer1::IPluginV2IOExt&>(plugin).configurePlugin(all.data(), inputs, all.data() + inputs, outputs);
  } else if (kind == Generation::v2_ext) {
    const auto none = std::make_unique<bool[]>(all.size());
    static_cast<nvinfer1::IPluginV2Ext&>(plugin).configurePlugin(in.dims.data(), inputs, out.data(), outputs,
                                                                 in.types.data(), types.data(), none.get(), none.get(),
                                                                 TensorFormat::kLINEAR, max_batch);
  } else {
    plugin.configureWithFormat(in.dims.data(), inputs, out.data(), outputs, nvinfer1::DataType::kFLOAT,
                               TensorFormat::kLINEAR, max_batch);
  }
}

}  // namespace planish::tensorrt
