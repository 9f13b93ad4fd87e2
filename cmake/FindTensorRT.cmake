# find_package(TensorRT): the variables and targets that projects expect of it, for this implementation.
# The version asked for, or TensorRT_MAJOR (3 to 10, the default is 10), selects the interface that a program is written for.
#
#   TensorRT_FOUND, TensorRT_INCLUDE_DIR(S), TensorRT_LIBRARY, TensorRT_LIBRARIES, TensorRT_VERSION(_MAJOR, _MINOR,
#   _PATCH), TENSORRT_* of the same names; targets TensorRT::TensorRT, TensorRT::nvinfer, TensorRT::nvinfer_plugin,
#   TensorRT::nvonnxparser, TensorRT::nvparsers, TensorRT::nvcaffe_parser
#
# Projects that have not found a CUDA toolkit before get the headers of the one that comes with this implementation
# among the include directories, and its library as TensorRT::cudart.
if(NOT TensorRT_MAJOR)
  set(TensorRT_MAJOR 10)
  if(TensorRT_FIND_VERSION_MAJOR)
    set(TensorRT_MAJOR ${TensorRT_FIND_VERSION_MAJOR})
  endif()
endif()
set(TensorRT_layout 10)
if(TensorRT_MAJOR LESS 8)
  set(TensorRT_layout 7)
elseif(TensorRT_MAJOR LESS 10)
  set(TensorRT_layout 8)
endif()

get_filename_component(TensorRT_prefix ${CMAKE_CURRENT_LIST_DIR}/../../../.. ABSOLUTE)
set(TensorRT_hints ${TensorRT_ROOT} ${TENSORRT_ROOT} $ENV{TensorRT_ROOT} $ENV{TENSORRT_ROOT} ${TensorRT_prefix})
find_path(TensorRT_INCLUDE_DIR NvInfer.h HINTS ${TensorRT_hints} PATH_SUFFIXES include/tensorrt include)
set(TensorRT_LIBRARIES "")
set(TensorRT_INCLUDE_DIRS ${TensorRT_INCLUDE_DIR})
if(NOT CUDAToolkit_FOUND AND NOT CUDA_FOUND)
  find_path(TensorRT_CUDA_INCLUDE_DIR planish_small_floats.h HINTS ${TensorRT_hints} PATH_SUFFIXES include/cuda)
  find_library(TensorRT_cudart_LIBRARY cudart HINTS ${TensorRT_hints} NO_DEFAULT_PATH
    PATH_SUFFIXES lib/planish/tensorrt lib/${CMAKE_LIBRARY_ARCHITECTURE}/planish/tensorrt tensorrt)
  list(APPEND TensorRT_INCLUDE_DIRS ${TensorRT_CUDA_INCLUDE_DIR})
  if(TensorRT_cudart_LIBRARY AND NOT TARGET TensorRT::cudart)
    add_library(TensorRT::cudart SHARED IMPORTED)
    set_target_properties(TensorRT::cudart PROPERTIES IMPORTED_LOCATION ${TensorRT_cudart_LIBRARY}
      INTERFACE_INCLUDE_DIRECTORIES ${TensorRT_CUDA_INCLUDE_DIR})
  endif()
endif()
foreach(name nvinfer nvinfer_plugin nvonnxparser nvparsers nvcaffe_parser)
  find_library(TensorRT_${name}_LIBRARY ${name} HINTS ${TensorRT_hints}
    PATH_SUFFIXES lib/planish/tensorrt/${TensorRT_layout} lib/${CMAKE_LIBRARY_ARCHITECTURE}/planish/tensorrt/${TensorRT_layout}
      tensorrt/${TensorRT_layout})
  if(TensorRT_${name}_LIBRARY)
    list(APPEND TensorRT_LIBRARIES TensorRT::${name})
    if(NOT TARGET TensorRT::${name})
      add_library(TensorRT::${name} SHARED IMPORTED GLOBAL)
      set_target_properties(TensorRT::${name} PROPERTIES IMPORTED_LOCATION ${TensorRT_${name}_LIBRARY}
        INTERFACE_INCLUDE_DIRECTORIES "${TensorRT_INCLUDE_DIRS}"
        INTERFACE_COMPILE_DEFINITIONS NV_TENSORRT_MAJOR=${TensorRT_MAJOR})
    endif()
  endif()
endforeach()
set(TensorRT_LIBRARY ${TensorRT_nvinfer_LIBRARY})
# The last release of each major, as nvinfer/version.h has them.
set(TensorRT_releases 3.0.4 4.0.1 5.1.5 6.0.1 7.2.1 8.6.1 9.3.0 10.16.0)
list(FILTER TensorRT_releases INCLUDE REGEX "^${TensorRT_MAJOR}\\.")
set(TensorRT_VERSION ${TensorRT_releases})
string(REPLACE "." ";" TensorRT_releases "${TensorRT_VERSION}")
list(GET TensorRT_releases 0 TensorRT_VERSION_MAJOR)
list(GET TensorRT_releases 1 TensorRT_VERSION_MINOR)
list(GET TensorRT_releases 2 TensorRT_VERSION_PATCH)
set(TensorRT_VERSION_STRING ${TensorRT_VERSION})

include(FindPackageHandleStandardArgs)
set(TensorRT_reason "")
if(TensorRT_INCLUDE_DIR AND NOT TensorRT_LIBRARY)
  set(TensorRT_reason "programs of major ${TensorRT_MAJOR} need the libraries of layout ${TensorRT_layout}: configure planish with \
it in PLANISH_TENSORRT_LAYOUTS, build it and install it again")
endif()
find_package_handle_standard_args(TensorRT REQUIRED_VARS TensorRT_LIBRARY TensorRT_INCLUDE_DIR
  VERSION_VAR TensorRT_VERSION REASON_FAILURE_MESSAGE "${TensorRT_reason}")
if(TensorRT_FOUND AND NOT TARGET TensorRT::TensorRT)
  add_library(TensorRT::TensorRT INTERFACE IMPORTED)
  target_link_libraries(TensorRT::TensorRT INTERFACE TensorRT::nvinfer)
endif()
foreach(variable FOUND INCLUDE_DIR INCLUDE_DIRS LIBRARY LIBRARIES VERSION)
  set(TENSORRT_${variable} ${TensorRT_${variable}})
endforeach()
mark_as_advanced(TensorRT_INCLUDE_DIR TensorRT_LIBRARY)
