#pragma once
// Files, with sentences for what can go wrong.

#include <string>

namespace planish::trtexec {

// "": a file that is not there and may be missing.
std::string read_file(const std::string& path, bool may_be_missing = false);
// The file appears whole or not at all: written beside its place, then moved there.
void write_file(const std::string& path, const std::string& bytes);

}  // namespace planish::trtexec
