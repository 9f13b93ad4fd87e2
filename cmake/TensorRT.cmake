# The libraries of TensorRT's interface: nvinfer over planish, nvinfer_lean over planish_runtime, parsers over nvinfer.
# One set a layout in memory (include/tensorrt/nvinfer/version.h), in tensorrt/<layout>/: 7 serves programs of majors 3
# to 7, 8 those of 8 and 9.
set(PLANISH_TENSORRT_LAYOUTS 10 CACHE STRING "Layouts of TensorRT's interface to build: 7, 8, 10")

include(GNUInstallDirs)
file(GLOB tensorrt_runtime_sources CONFIGURE_DEPENDS src/tensorrt/runtime/*.cpp)
file(GLOB tensorrt_build_sources CONFIGURE_DEPENDS src/tensorrt/build/*.cpp)
set(tensorrt_version_7 7.2.1)
set(tensorrt_version_8 8.6.1)
set(tensorrt_version_10 10.16.0)
set(tensorrt_other_majors_7 3 4 5 6)
set(tensorrt_other_majors_8 9)
set(tensorrt_other_majors_10 "")

function(planish_tensorrt_objects target layout)
  add_library(${target} OBJECT ${ARGN})
  target_link_libraries(${target} PUBLIC planish_flags)
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR}/include/tensorrt ${CMAKE_SOURCE_DIR}/include/cuda)
  target_compile_definitions(${target} PUBLIC NV_TENSORRT_MAJOR=${layout})
  if(PLANISH_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 16)
  endif()
endfunction()

function(planish_tensorrt_library name layout)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  set(target ${name}_${layout})
  add_library(${target} SHARED ${ARG_SOURCES})
  target_link_libraries(${target} PRIVATE planish_flags ${ARG_LINKS} ${CMAKE_DL_LIBS})
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/include/tensorrt
    INTERFACE $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include/tensorrt> $<INSTALL_INTERFACE:include/tensorrt>)
  target_compile_definitions(${target} PRIVATE NV_TENSORRT_MAJOR=${layout})
  planish_sanitized_library(${target})
  target_link_options(${target} PRIVATE -Wl,--exclude-libs,ALL -Wl,--gc-sections
    -Wl,--version-script=${CMAKE_SOURCE_DIR}/cmake/tensorrt.map)
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name} SOVERSION ${layout} VERSION ${tensorrt_version_${layout}}
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tensorrt/${layout} INSTALL_RPATH "$ORIGIN;$ORIGIN/../../..")
  # Files named after the other majors of the layout, for build files that name them.
  foreach(major IN LISTS tensorrt_other_majors_${layout})
    set(link ${CMAKE_BINARY_DIR}/tensorrt/${layout}/lib${name}.so.${major})
    add_custom_command(TARGET ${target} POST_BUILD COMMAND ${CMAKE_COMMAND} -E create_symlink lib${name}.so.${layout} ${link})
    install(FILES ${link} DESTINATION ${CMAKE_INSTALL_LIBDIR}/planish/tensorrt/${layout} COMPONENT tensorrt)
  endforeach()
endfunction()

foreach(layout IN LISTS PLANISH_TENSORRT_LAYOUTS)
  planish_tensorrt_objects(tensorrt_runtime_${layout} ${layout} ${tensorrt_runtime_sources})
  planish_tensorrt_objects(tensorrt_build_${layout} ${layout} ${tensorrt_build_sources})
  # Records and calls of the library: but for enqueue nothing here takes time, so nothing is optimised.
  target_compile_options(tensorrt_runtime_${layout} PRIVATE $<$<CONFIG:Release>:-O2>)
  target_compile_options(tensorrt_build_${layout} PRIVATE $<$<CONFIG:Release>:-O0>)
  planish_tensorrt_library(nvinfer ${layout} LINKS planish
    SOURCES $<TARGET_OBJECTS:tensorrt_runtime_${layout}> $<TARGET_OBJECTS:tensorrt_build_${layout}>)
  planish_tensorrt_library(nvinfer_lean ${layout} LINKS planish_runtime
    SOURCES $<TARGET_OBJECTS:tensorrt_runtime_${layout}>)
  planish_tensorrt_library(nvonnxparser ${layout} LINKS nvinfer_${layout} SOURCES src/tensorrt/parsers/onnx.cpp)
  planish_tensorrt_library(nvinfer_plugin ${layout} LINKS nvinfer_${layout} SOURCES src/tensorrt/parsers/plugins.cpp)
  planish_tensorrt_library(nvcaffe_parser ${layout} LINKS nvinfer_${layout} SOURCES src/tensorrt/parsers/caffe.cpp)
  planish_tensorrt_library(nvparsers ${layout} LINKS nvinfer_${layout}
    SOURCES src/tensorrt/parsers/caffe.cpp src/tensorrt/parsers/uff.cpp)
  set_target_properties(nvinfer_${layout} nvinfer_lean_${layout} PROPERTIES LINKER_LANGUAGE CXX)
  install(TARGETS nvinfer_${layout} nvinfer_lean_${layout} nvonnxparser_${layout} nvinfer_plugin_${layout}
    nvcaffe_parser_${layout} nvparsers_${layout} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/planish/tensorrt/${layout} COMPONENT tensorrt)
  # A tree of TensorRT's own form, ROOT/include and ROOT/lib.
  install(CODE "set(root \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/planish/tensorrt/${layout}\")
file(RELATIVE_PATH headers \${root} \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_INCLUDEDIR}/tensorrt\")
file(CREATE_LINK \${headers} \${root}/include SYMBOLIC)
file(CREATE_LINK . \${root}/lib SYMBOLIC)" COMPONENT tensorrt)
endforeach()
install(DIRECTORY include/tensorrt DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT tensorrt)
install(FILES cmake/FindTensorRT.cmake cmake/TensorRTConfig.cmake cmake/TensorRTConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/planish/tensorrt COMPONENT tensorrt)

# pkg-config --cflags --libs nvinfer, a file a layout beside its libraries: PKG_CONFIG_PATH=…/tensorrt/7/pkgconfig.
function(planish_tensorrt_pkgconfig folder destination)
  foreach(layout IN LISTS PLANISH_TENSORRT_LAYOUTS)
    set(PLANISH_TENSORRT_LAYOUT ${layout})
    set(PLANISH_TENSORRT_VERSION ${tensorrt_version_${layout}})
    planish_pc_prefix(${PLANISH_PC_LIBRARIES}/${layout}/pkgconfig)
    configure_file(cmake/nvinfer.pc.in ${folder}/${layout}/pkgconfig/nvinfer.pc @ONLY)
    if(destination)
      install(FILES ${folder}/${layout}/pkgconfig/nvinfer.pc DESTINATION ${destination}/${layout}/pkgconfig COMPONENT tensorrt)
    endif()
  endforeach()
endfunction()

# planish-config --cflags --libs [--major N], of the build tree and of an installation.
set(PLANISH_TENSORRT_LIBRARIES_DIR ${CMAKE_BINARY_DIR}/tensorrt)
set(PLANISH_LIBRARIES_DIR ${CMAKE_BINARY_DIR})
set(PLANISH_HEADERS_DIR ${CMAKE_SOURCE_DIR}/include)
set(PLANISH_CUDA_HEADERS_DIR ${CMAKE_SOURCE_DIR}/include/cuda)
configure_file(cmake/planish-config.in ${CMAKE_BINARY_DIR}/bin/planish-config @ONLY)
set(PLANISH_PC_LIBRARIES tensorrt)
set(PLANISH_PC_OWN_LIBRARIES .)
set(PLANISH_PC_HEADERS ${CMAKE_SOURCE_DIR}/include)
planish_tensorrt_pkgconfig(${CMAKE_BINARY_DIR}/tensorrt "")
set(PLANISH_TENSORRT_LIBRARIES_DIR "$prefix/${CMAKE_INSTALL_LIBDIR}/planish/tensorrt")
set(PLANISH_LIBRARIES_DIR "$prefix/${CMAKE_INSTALL_LIBDIR}")
set(PLANISH_HEADERS_DIR "$prefix/${CMAKE_INSTALL_INCLUDEDIR}")
set(PLANISH_CUDA_HEADERS_DIR "$prefix/${CMAKE_INSTALL_INCLUDEDIR}/cuda")
configure_file(cmake/planish-config.in ${CMAKE_BINARY_DIR}/install/planish-config @ONLY)
set(PLANISH_PC_LIBRARIES ${CMAKE_INSTALL_LIBDIR}/planish/tensorrt)
set(PLANISH_PC_OWN_LIBRARIES ${CMAKE_INSTALL_LIBDIR})
set(PLANISH_PC_HEADERS "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
planish_tensorrt_pkgconfig(${CMAKE_BINARY_DIR}/install ${PLANISH_PC_LIBRARIES})
install(PROGRAMS ${CMAKE_BINARY_DIR}/install/planish-config DESTINATION bin COMPONENT tensorrt)
