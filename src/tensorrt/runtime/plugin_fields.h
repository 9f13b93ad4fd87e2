#pragma once
// Fields of a creator of the interface, from attributes and back.

#include <deque>
#include <string>
#include <vector>

#include "NvInferRuntime.h"
#include "planish/attributes.hpp"

namespace planish::tensorrt {

// The attributes as fields; data lie here. Where the creator declares fields, those that it declares, in the integer
// or float type that it declares them with (else 32 bits); where it declares none, all of them.
class FieldList {
 public:
  FieldList(const Attributes& attributes, const nvinfer1::PluginFieldCollection* declared);
  FieldList(const FieldList&) = delete;
  FieldList& operator=(const FieldList&) = delete;
  nvinfer1::PluginFieldCollection collection{0, nullptr};

 private:
  void add(const Attribute& attribute, nvinfer1::PluginFieldType declared);
  std::deque<std::string> names_, data_;
  std::vector<nvinfer1::PluginField> list_;
};

// Numbers become lists; many of them, a tensor. Error: a field without data, or of a type that holds no numbers.
Attributes attributes_of(const nvinfer1::PluginFieldCollection& fields);

}  // namespace planish::tensorrt
