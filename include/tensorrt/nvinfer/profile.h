// Ranges of shapes that an engine is built for.
#ifndef PLANISH_TENSORRT_PROFILE_H
#define PLANISH_TENSORRT_PROFILE_H

#include "nvinfer/formats.h"

namespace nvinfer1 {

class IOptimizationProfile : public INoCopy {
 public:
  virtual bool setDimensions(char const* inputName, OptProfileSelector select, Dims const& dims) = 0;
  virtual Dims getDimensions(char const* inputName, OptProfileSelector select) const = 0;
  // Values of an input whose elements are extents.
  virtual bool setShapeValues(char const* inputName, OptProfileSelector select, int32_t const* values,
                              int32_t nbValues) = 0;
  virtual int32_t getNbShapeValues(char const* inputName) const = 0;
  virtual int32_t const* getShapeValues(char const* inputName, OptProfileSelector select) const = 0;
  virtual bool setShapeValuesV2(char const* inputName, OptProfileSelector select, int64_t const* values,
                                int32_t nbValues) = 0;
  virtual int64_t const* getShapeValuesV2(char const* inputName, OptProfileSelector select) const = 0;
  virtual bool setExtraMemoryTarget(float target) = 0;
  virtual float getExtraMemoryTarget() const = 0;
  virtual bool isValid() const = 0;
};

}  // namespace nvinfer1

#endif
