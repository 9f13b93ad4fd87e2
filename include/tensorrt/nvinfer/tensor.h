// A tensor of a network, and what all layers share.
#ifndef PLANISH_TENSORRT_TENSOR_H
#define PLANISH_TENSORRT_TENSOR_H

#include "nvinfer/formats.h"
#include "nvinfer/weights.h"

namespace nvinfer1 {

// Numbered as in the version compiled for; kinds that it had not come last.
#if PLANISH_TENSORRT_LAYOUT >= 10
enum class LayerType : int32_t {
  kCONVOLUTION = 0,
  kCAST = 1,
  kACTIVATION = 2,
  kPOOLING = 3,
  kLRN = 4,
  kSCALE = 5,
  kSOFTMAX = 6,
  kDECONVOLUTION = 7,
  kCONCATENATION = 8,
  kELEMENTWISE = 9,
  kPLUGIN = 10,
  kUNARY = 11,
  kPADDING = 12,
  kSHUFFLE = 13,
  kREDUCE = 14,
  kTOPK = 15,
  kGATHER = 16,
  kMATRIX_MULTIPLY = 17,
  kRAGGED_SOFTMAX = 18,
  kCONSTANT = 19,
  kIDENTITY = 20,
  kPLUGIN_V2 = 21,
  kSLICE = 22,
  kSHAPE = 23,
  kPARAMETRIC_RELU = 24,
  kRESIZE = 25,
  kTRIP_LIMIT = 26,
  kRECURRENCE = 27,
  kITERATOR = 28,
  kLOOP_OUTPUT = 29,
  kSELECT = 30,
  kFILL = 31,
  kQUANTIZE = 32,
  kDEQUANTIZE = 33,
  kCONDITION = 34,
  kCONDITIONAL_INPUT = 35,
  kCONDITIONAL_OUTPUT = 36,
  kSCATTER = 37,
  kEINSUM = 38,
  kASSERTION = 39,
  kONE_HOT = 40,
  kNON_ZERO = 41,
  kGRID_SAMPLE = 42,
  kNMS = 43,
  kREVERSE_SEQUENCE = 44,
  kNORMALIZATION = 45,
  kPLUGIN_V3 = 46,
  kSQUEEZE = 47,
  kUNSQUEEZE = 48,
  kCUMULATIVE = 49,
  kDYNAMIC_QUANTIZE = 50,
  kATTENTION_INPUT = 51,
  kATTENTION_OUTPUT = 52,
  kROTARY_EMBEDDING = 53,
  kKVCACHE_UPDATE = 54,
  kMOE = 55,
  kDIST_COLLECTIVE = 56,
  kFULLY_CONNECTED = 57,
  kRNN = 58,
  kRNN_V2 = 59,
};
template <>
constexpr int32_t EnumMax<LayerType>() {
  return 57;
}
#else
enum class LayerType : int32_t {
  kCONVOLUTION = 0,
  kFULLY_CONNECTED = 1,
  kACTIVATION = 2,
  kPOOLING = 3,
  kLRN = 4,
  kSCALE = 5,
  kSOFTMAX = 6,
  kDECONVOLUTION = 7,
  kCONCATENATION = 8,
  kELEMENTWISE = 9,
  kPLUGIN = 10,
#if PLANISH_TENSORRT_LAYOUT == 7
  kRNN = 11,
  kUNARY = 12,
  kPADDING = 13,
  kSHUFFLE = 14,
  kREDUCE = 15,
  kTOPK = 16,
  kGATHER = 17,
  kMATRIX_MULTIPLY = 18,
  kRAGGED_SOFTMAX = 19,
  kCONSTANT = 20,
  kRNN_V2 = 21,
  kIDENTITY = 22,
  kPLUGIN_V2 = 23,
  kSLICE = 24,
  kSHAPE = 25,
  kPARAMETRIC_RELU = 26,
  kRESIZE = 27,
  kTRIP_LIMIT = 28,
  kRECURRENCE = 29,
  kITERATOR = 30,
  kLOOP_OUTPUT = 31,
  kSELECT = 32,
  kFILL = 33,
  kQUANTIZE = 34,
#else
  kUNARY = 11,
  kPADDING = 12,
  kSHUFFLE = 13,
  kREDUCE = 14,
  kTOPK = 15,
  kGATHER = 16,
  kMATRIX_MULTIPLY = 17,
  kRAGGED_SOFTMAX = 18,
  kCONSTANT = 19,
  kRNN_V2 = 20,
  kIDENTITY = 21,
  kPLUGIN_V2 = 22,
  kSLICE = 23,
  kSHAPE = 24,
  kPARAMETRIC_RELU = 25,
  kRESIZE = 26,
  kTRIP_LIMIT = 27,
  kRECURRENCE = 28,
  kITERATOR = 29,
  kLOOP_OUTPUT = 30,
  kSELECT = 31,
  kFILL = 32,
  kQUANTIZE = 33,
  kDEQUANTIZE = 34,
#endif
  kCONDITION = 35,
  kCONDITIONAL_INPUT = 36,
  kCONDITIONAL_OUTPUT = 37,
  kSCATTER = 38,
  kEINSUM = 39,
  kASSERTION = 40,
  kONE_HOT = 41,
  kNON_ZERO = 42,
  kGRID_SAMPLE = 43,
  kNMS = 44,
  kREVERSE_SEQUENCE = 45,
  kNORMALIZATION = 46,
  kCAST = 47,
  kPLUGIN_V3 = 48,
  kSQUEEZE = 49,
  kUNSQUEEZE = 50,
  kCUMULATIVE = 51,
  kDYNAMIC_QUANTIZE = 52,
  kATTENTION_INPUT = 53,
  kATTENTION_OUTPUT = 54,
  kROTARY_EMBEDDING = 55,
  kKVCACHE_UPDATE = 56,
  kMOE = 57,
  kDIST_COLLECTIVE = 58,
#if PLANISH_TENSORRT_LAYOUT == 7
  kDEQUANTIZE = 59,
#else
  kRNN = 59,
#endif
};
template <>
constexpr int32_t EnumMax<LayerType>() {
  return PLANISH_TENSORRT_LAYOUT == 7 ? 34 : 48;
}
#endif

class ITensor : public INoCopy {
 public:
  virtual void setName(char const* name) = 0;
  virtual char const* getName() const = 0;
  virtual void setDimensions(Dims const& dimensions) = 0;  // of network inputs
  virtual Dims getDimensions() const = 0;                  // -1: dynamic
  virtual void setType(DataType type) = 0;
  virtual DataType getType() const = 0;
  virtual bool setDynamicRange(float min, float max) = 0;
  virtual float getDynamicRange() const = 0;
  virtual bool dynamicRangeIsSet() const = 0;
  virtual void resetDynamicRange() = 0;
  virtual float getDynamicRangeMin() const = 0;
  virtual float getDynamicRangeMax() const = 0;
  virtual bool isNetworkInput() const = 0;
  virtual bool isNetworkOutput() const = 0;
  virtual void setBroadcastAcrossBatch(bool broadcastAcrossBatch) = 0;
  virtual bool getBroadcastAcrossBatch() const = 0;
  virtual TensorLocation getLocation() const = 0;
  virtual void setLocation(TensorLocation location) = 0;
  virtual void setAllowedFormats(TensorFormats formats) = 0;
  virtual TensorFormats getAllowedFormats() const = 0;
  virtual bool isShapeTensor() const = 0;
  virtual bool isExecutionTensor() const = 0;
  // Dynamic extents of one name are equal.
  virtual void setDimensionName(int32_t index, char const* name) = 0;
  virtual char const* getDimensionName(int32_t index) const = 0;
};

class ILayer : public INoCopy {
 public:
  virtual LayerType getType() const = 0;
  virtual void setName(char const* name) = 0;
  virtual char const* getName() const = 0;
  virtual int32_t getNbInputs() const = 0;
  virtual ITensor* getInput(int32_t index) const = 0;
  virtual int32_t getNbOutputs() const = 0;
  virtual ITensor* getOutput(int32_t index) const = 0;
  virtual void setInput(int32_t index, ITensor& tensor) = 0;
  virtual void setPrecision(DataType dataType) = 0;
  virtual DataType getPrecision() const = 0;
  virtual bool precisionIsSet() const = 0;
  virtual void resetPrecision() = 0;
  virtual void setOutputType(int32_t index, DataType dataType) = 0;
  virtual DataType getOutputType(int32_t index) const = 0;
  virtual bool outputTypeIsSet(int32_t index) const = 0;
  virtual void resetOutputType(int32_t index) = 0;
  virtual void setMetadata(char const* metadata) = 0;
  virtual char const* getMetadata() const = 0;
  virtual bool setNbRanks(int32_t nbRanks) = 0;
  virtual int32_t getNbRanks() const = 0;
};

}  // namespace nvinfer1

#endif
