// Choice of kernels by the caller (7.1 to 10).
#ifndef PLANISH_TENSORRT_ALGORITHM_H
#define PLANISH_TENSORRT_ALGORITHM_H

#include "nvinfer/formats.h"

namespace nvinfer1 {

class IAlgorithmIOInfo : public INoCopy {
 public:
  virtual TensorFormat getTensorFormat() const = 0;
  virtual DataType getDataType() const = 0;
  virtual Dims getStrides() const = 0;
  virtual int64_t getVectorizedDim() const = 0;
  virtual int64_t getComponentsPerElement() const = 0;
};

class IAlgorithmVariant : public INoCopy {
 public:
  virtual int64_t getImplementation() const = 0;
  virtual int64_t getTactic() const = 0;
};

class IAlgorithmContext : public INoCopy {
 public:
  virtual char const* getName() const = 0;
  virtual Dims getDimensions(int32_t index, OptProfileSelector select) const = 0;
  virtual int32_t getNbInputs() const = 0;
  virtual int32_t getNbOutputs() const = 0;
};

class IAlgorithm : public INoCopy {
 public:
  virtual IAlgorithmIOInfo const& getAlgorithmIOInfo(int32_t index) const = 0;
  virtual IAlgorithmIOInfo const* getAlgorithmIOInfoByIndex(int32_t index) const = 0;
  virtual IAlgorithmVariant const& getAlgorithmVariant() const = 0;
  virtual float getTimingMSec() const = 0;
  virtual size_t getWorkspaceSize() const = 0;
};

// Implemented by callers.
class IAlgorithmSelector : public IVersionedInterface {
 public:
  InterfaceInfo getInterfaceInfo() const override { return InterfaceInfo{"IAlgorithmSelector", 1, 0}; }
  virtual int32_t selectAlgorithms(IAlgorithmContext const& context, IAlgorithm const* const* choices,
                                   int32_t nbChoices, int32_t* selection) = 0;
  virtual void reportAlgorithms(IAlgorithmContext const* const* algoContexts, IAlgorithm const* const* algoChoices,
                                int32_t nbAlgorithms) = 0;
};

}  // namespace nvinfer1

#endif
