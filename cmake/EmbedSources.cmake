# Writes OUT: the table of kernels/cuda/sources.h with FILES as string literals.
set(rows "")
set(literals "")
set(index 0)
foreach(file IN LISTS FILES)
  file(READ ${file} text HEX)
  get_filename_component(name ${file} NAME)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${text}")
  string(APPEND literals "const char text_${index}[] = {${bytes}0};\n")
  string(APPEND rows "    {\"${name}\", {text_${index}, sizeof text_${index} - 1}},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUT} "#include \"kernels/cuda/sources.h\"

namespace planish {
namespace {
${literals}
const CudaSource table[] = {
${rows}};
}  // namespace

std::span<const CudaSource> cuda_sources() { return table; }

}  // namespace planish
")
