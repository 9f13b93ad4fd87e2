#pragma once
// Pictures as network inputs, by a recipe such as
//   resize=256,crop=224,mean=123.675:116.28:103.53,std=58.395:57.12:57.375,order=rgb,layout=nchw
// Values are 0…255 before (x - mean) / std.

#include <array>
#include <string>

#include "cli/picture.h"
#include "tensor/tensor.h"

namespace planish::cli {

struct ImageRecipe {
  int resize = 0;                             // short side, 0: none
  int stretch_height = 0, stretch_width = 0;  // stretch=HxW: both sides, whatever the aspect
  int crop = 0;                               // centre square
  int block = 1;                              // each block of so many pixels a side becomes its mean, rounded half up
  std::array<float, 3> mean{0, 0, 0};
  std::array<float, 3> std{1, 1, 1};
  float scale = 1;  // applied before mean and std
  bool bgr = false;
  bool channels_last = false;
  bool gray = false;  // one channel, ITU-R 601 luma
};

ImageRecipe parse_image_recipe(const std::string& text);  // Error(invalid_argument) lists the keys

// Bilinear with antialiasing when shrinking (the filter covers the source area), as Pillow's BILINEAR.
Picture resize(const Picture& picture, int height, int width);
Tensor apply(const ImageRecipe& recipe, Picture picture);  // f32 [1,C,H,W] or [1,H,W,C]

}  // namespace planish::cli
