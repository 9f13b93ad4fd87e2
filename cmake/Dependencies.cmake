# Debian packages only: libfmt-dev libxxhash-dev libflatbuffers-dev flatbuffers-compiler libprotozero-dev
# libcli11-dev libjpeg-dev libpng-dev libgtest-dev libbenchmark-dev. ./dev installs what is missing.

find_package(Threads REQUIRED)

function(planish_require result what package)
  if(NOT ${result})
    message(FATAL_ERROR "${what} not found; install it with: apt-get install ${package} (or run ./dev setup)")
  endif()
endfunction()

find_program(FLATC flatc)
planish_require(FLATC "flatc" "flatbuffers-compiler")
find_path(FLATBUFFERS_INCLUDE flatbuffers/flatbuffers.h)
planish_require(FLATBUFFERS_INCLUDE "flatbuffers/flatbuffers.h" "libflatbuffers-dev")
find_path(FMT_INCLUDE fmt/format-inl.h)
planish_require(FMT_INCLUDE "fmt/format-inl.h" "libfmt-dev")
find_path(PROTOZERO_INCLUDE protozero/pbf_reader.hpp)
planish_require(PROTOZERO_INCLUDE "protozero/pbf_reader.hpp" "libprotozero-dev")
find_path(CLI11_INCLUDE CLI/CLI.hpp)
planish_require(CLI11_INCLUDE "CLI/CLI.hpp" "libcli11-dev")

find_library(XXHASH_ARCHIVE libxxhash.a)
planish_require(XXHASH_ARCHIVE "libxxhash.a" "libxxhash-dev")
add_library(xxhash_static INTERFACE)
target_link_libraries(xxhash_static INTERFACE ${XXHASH_ARCHIVE})
