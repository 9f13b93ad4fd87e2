# The folder is the registry: sources are globbed, and a REGISTRY folder gets gen/<folder>.inc with one
# PLANISH_ROW(stem) for each file directly in it (registry.cpp apart; files in its subfolders are helpers).

set(PLANISH_SOURCE_DIR ${CMAKE_CURRENT_SOURCE_DIR}/src)
set(PLANISH_GEN_DIR ${CMAKE_BINARY_DIR}/include)
file(MAKE_DIRECTORY ${PLANISH_GEN_DIR}/gen)

add_library(planish_flags INTERFACE)
target_include_directories(planish_flags INTERFACE ${PLANISH_SOURCE_DIR} ${PLANISH_GEN_DIR}
  ${CMAKE_CURRENT_SOURCE_DIR}/include)
# The three warnings are false alarms of g++ 12 inside the standard library at -O3. Cold halves of functions may be empty,
# and lld 14 then takes such a half's entry in the table of exceptions for that of the function behind it.
target_compile_options(planish_flags INTERFACE -Wall -Wextra -Wno-missing-field-initializers
  $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow;-Wno-restrict;-Wno-array-bounds;-fno-reorder-blocks-and-partition>)
target_compile_definitions(planish_flags INTERFACE PLANISH_VERSION="${PROJECT_VERSION}")
if(PLANISH_WERROR)
  target_compile_options(planish_flags INTERFACE -Werror)
endif()
if(PLANISH_SANITIZE)
  target_compile_options(planish_flags INTERFACE -fsanitize=${PLANISH_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(planish_flags INTERFACE -fsanitize=${PLANISH_SANITIZE})
endif()
# What links a library that is sanitized needs the sanitizer's runtime, whatever it is compiled with.
function(planish_sanitized_library target)
  if(PLANISH_SANITIZE)
    target_link_options(${target} INTERFACE -fsanitize=${PLANISH_SANITIZE})
  endif()
endfunction()
find_program(PLANISH_LLD ld.lld)
if(PLANISH_LLD)
  target_link_options(planish_flags INTERFACE -fuse-ld=lld)
endif()
find_program(PLANISH_CCACHE ccache)
if(PLANISH_CCACHE)
  # A precompiled header is a hit when what it was made of is.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${PLANISH_CCACHE})
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endif()

# What is deployed and runs but once: its bytes count.
set(PLANISH_SMALL $<$<CONFIG:Release>:-Os>)

# What nearly every file of the library includes, read once. Builds without unity do without, and so find missing includes.
set(PLANISH_COMMON_HEADERS <algorithm> <array> <cmath> <cstring> <functional> <map> <memory> <optional> <set> <span>
  <string> <vector> ${PLANISH_SOURCE_DIR}/base/error.h)
if(PLANISH_UNITY)
  foreach(header common_header common_header_small)
    file(CONFIGURE OUTPUT ${header}.cpp CONTENT "")
    add_library(${header} OBJECT ${CMAKE_CURRENT_BINARY_DIR}/${header}.cpp)
    target_link_libraries(${header} PRIVATE planish_flags)
    target_precompile_headers(${header} PRIVATE ${PLANISH_COMMON_HEADERS})
  endforeach()
  target_compile_options(common_header_small PRIVATE ${PLANISH_SMALL})
endif()

function(planish_write_registry folder target)
  file(GLOB files CONFIGURE_DEPENDS ${PLANISH_SOURCE_DIR}/${folder}/*.cpp)
  set(rows "")
  foreach(file IN LISTS files)
    get_filename_component(stem ${file} NAME_WE)
    if(NOT stem STREQUAL "registry")
      string(APPEND rows "PLANISH_ROW(${stem})\n")
    endif()
  endforeach()
  file(CONFIGURE OUTPUT ${PLANISH_GEN_DIR}/gen/${target}.inc CONTENT "${rows}")
endfunction()

# planish_folder(<folder> LINKS <targets> [REGISTRY] [FILES_ONLY] [SMALL] [FLATBUFFERS <schema>])
# FILES_ONLY: not the subfolders, which are targets of their own. SMALL: compiled for size.
function(planish_folder folder)
  cmake_parse_arguments(ARG "REGISTRY;FILES_ONLY;SMALL" "FLATBUFFERS" "LINKS" ${ARGN})
  string(REPLACE "/" "_" target ${folder})
  if(ARG_FILES_ONLY)
    file(GLOB sources CONFIGURE_DEPENDS ${PLANISH_SOURCE_DIR}/${folder}/*.cpp)
  else()
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PLANISH_SOURCE_DIR}/${folder}/*.cpp)
  endif()
  if(ARG_REGISTRY)
    planish_write_registry(${folder} ${target})
  endif()
  if(NOT sources)
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE planish_flags ${ARG_LINKS})
    return()
  endif()
  add_library(${target} OBJECT ${sources})
  target_link_libraries(${target} PUBLIC planish_flags ${ARG_LINKS})
  set(common_header common_header)
  if(ARG_SMALL)
    target_compile_options(${target} PRIVATE ${PLANISH_SMALL})
    set(common_header common_header_small)
  endif()
  if(PLANISH_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 12)
    target_precompile_headers(${target} REUSE_FROM ${common_header})
  endif()
  if(ARG_FLATBUFFERS)
    set(schema ${PLANISH_SOURCE_DIR}/${ARG_FLATBUFFERS})
    get_filename_component(stem ${schema} NAME_WE)
    set(header ${PLANISH_GEN_DIR}/gen/${stem}_generated.h)
    add_custom_command(OUTPUT ${header} DEPENDS ${schema}
      COMMAND ${FLATC} --cpp --cpp-std c++17 --scoped-enums -o ${PLANISH_GEN_DIR}/gen ${schema})
    target_sources(${target} PRIVATE ${header})
  endif()
endfunction()

# kernels/cpu: the same sources once per instruction set, in a namespace of its own. Each level is linked into
# one object in which only the register_ functions stay visible: an inline function of a header that a high
# level compiled must not be the copy that everybody else is given.
function(planish_cpu_kernels)
  cmake_parse_arguments(ARG "" "" "LINKS" ${ARGN})
  planish_write_registry(kernels/cpu kernels_cpu)
  file(GLOB sources CONFIGURE_DEPENDS ${PLANISH_SOURCE_DIR}/kernels/cpu/*.cpp)
  set(flags_scalar "")
  set(flags_avx2 -mavx2 -mfma -mf16c)
  set(flags_avx512 -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512vl -mavx512dq -mprefer-vector-width=512
      -Wno-uninitialized $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)  # undefined operands inside g++ 12's intrinsics
  foreach(isa scalar avx2 avx512)
    add_library(kernels_cpu_${isa} OBJECT ${sources})
    target_link_libraries(kernels_cpu_${isa} PUBLIC planish_flags ${ARG_LINKS})
    if(PLANISH_UNITY)
      target_precompile_headers(kernels_cpu_${isa} PRIVATE ${PLANISH_COMMON_HEADERS}
        ${PLANISH_SOURCE_DIR}/kernels/reference/contracts.h)
      set_target_properties(kernels_cpu_${isa} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 7)
    endif()
    target_compile_definitions(kernels_cpu_${isa} PRIVATE PLANISH_ISA=${isa} PLANISH_ISA_${isa}=1)
    target_compile_options(kernels_cpu_${isa} PRIVATE ${flags_${isa}} $<$<CONFIG:Release>:$<IF:$<STREQUAL:${isa},scalar>,-Os,-O3>>
      -ffp-contract=off -fno-math-errno -fno-trapping-math $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)
    set(object ${CMAKE_BINARY_DIR}/kernels_cpu_${isa}.o)
    set(parts "$<FILTER:$<TARGET_OBJECTS:kernels_cpu_${isa}>,EXCLUDE,[.](gch|pch)$>")
    add_custom_command(OUTPUT ${object} DEPENDS kernels_cpu_${isa} "${parts}"
      COMMAND ld.bfd -r --force-group-allocation -o ${object} "${parts}"
      COMMAND ${CMAKE_OBJCOPY} --wildcard "--keep-global-symbol=*register_*KernelTable*" ${object}
      COMMAND_EXPAND_LISTS VERBATIM)
    add_custom_target(kernels_cpu_${isa}_object DEPENDS ${object})
    set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
  endforeach()
endfunction()

# kernels/cuda: device code travels as text (kernels/cuda/sources.h); NVRTC compiles it where a plan is built.
function(planish_cuda_sources)
  file(GLOB headers CONFIGURE_DEPENDS ${PLANISH_SOURCE_DIR}/kernels/cuda/*.cuh)
  set(table ${CMAKE_BINARY_DIR}/cuda_sources.cpp)
  set(script ${CMAKE_CURRENT_SOURCE_DIR}/cmake/EmbedSources.cmake)
  add_custom_command(OUTPUT ${table} DEPENDS ${headers} ${script}
    COMMAND ${CMAKE_COMMAND} "-DOUT=${table}" "-DFILES=${headers}" -P ${script} VERBATIM)
  add_library(kernels_cuda OBJECT ${table})
  target_link_libraries(kernels_cuda PUBLIC planish_flags)
endfunction()

# Objects of the folders that have any.
function(planish_objects result)
  set(objects "")
  foreach(folder IN LISTS ARGN)
    get_target_property(type ${folder} TYPE)
    if(type STREQUAL "OBJECT_LIBRARY")
      list(APPEND objects $<TARGET_OBJECTS:${folder}>)
    endif()
  endforeach()
  set(${result} "${objects}" PARENT_SCOPE)
endfunction()

function(planish_libraries)
  planish_objects(runtime_objects ${PLANISH_RUNTIME_FOLDERS})
  foreach(isa scalar avx2 avx512)
    list(APPEND runtime_objects ${CMAKE_BINARY_DIR}/kernels_cpu_${isa}.o)
  endforeach()
  planish_objects(build_objects ${PLANISH_BUILD_FOLDERS})
  add_library(planish_runtime SHARED ${runtime_objects})
  add_library(planish SHARED ${runtime_objects} ${build_objects})
  add_library(planish_static STATIC ${runtime_objects} ${build_objects})  # tests and tools see everything
  foreach(library planish_runtime planish planish_static)
    add_dependencies(${library} kernels_cpu_scalar_object kernels_cpu_avx2_object kernels_cpu_avx512_object)
    target_link_libraries(${library} PRIVATE xxhash_static Threads::Threads ${CMAKE_DL_LIBS})
    set_target_properties(${library} PROPERTIES LINKER_LANGUAGE CXX VERSION ${PROJECT_VERSION} SOVERSION 0)
  endforeach()
  target_link_libraries(planish_static PUBLIC planish_flags)
  foreach(library planish_runtime planish)
    target_link_libraries(${library} PRIVATE planish_flags)
    target_include_directories(${library} INTERFACE $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
      $<INSTALL_INTERFACE:include>)
    target_compile_features(${library} INTERFACE cxx_std_20)
    # Only the C interface is visible, also of what the standard library's templates leave behind.
    target_link_options(${library} PRIVATE -Wl,--exclude-libs,ALL -Wl,--gc-sections
      -Wl,--version-script=${CMAKE_CURRENT_SOURCE_DIR}/cmake/exports.map)
    set_target_properties(${library} PROPERTIES LINK_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/cmake/exports.map)
    if(PLANISH_LLD)  # equal functions of different templates become one; no address of one is compared
      target_link_options(${library} PRIVATE $<$<CONFIG:Release>:-Wl,--icf=all>)
    endif()
  endforeach()
endfunction()
