#pragma once
// Files, with sentences for what can go wrong.

#include <string>
#include <utility>
#include <vector>

namespace planish::trtexec {

// "": a file that is not there and may be missing.
std::string read_file(const std::string& path, bool may_be_missing = false);
// The file appears whole or not at all: written beside its place, then moved there.
void write_file(const std::string& path, const std::string& bytes);

// What is read and what is written, (flag, path): fails where a file that is written is another one of them.
using FlagFiles = std::vector<std::pair<std::string, std::string>>;
void keep_apart(const FlagFiles& read, const FlagFiles& written);

}  // namespace planish::trtexec
