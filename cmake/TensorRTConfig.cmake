# find_package(TensorRT) by -DTensorRT_DIR=…, this folder; the module beside it is for CMAKE_MODULE_PATH.
include(${CMAKE_CURRENT_LIST_DIR}/FindTensorRT.cmake)
