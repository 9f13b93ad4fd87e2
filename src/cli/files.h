#pragma once
// What a command reads and what it writes: no file is both, and no file is written twice.

#include <string>
#include <vector>

namespace planish::cli {

class Files {
 public:
  // Empty paths are flags that were not given.
  void reads(const std::string& what, const std::string& path);
  // Error(invalid_argument) when a file that is read, or that another flag writes, has this path, through whatever
  // links; Error(io) when it could not be made. Called after all of reads().
  void writes(const std::string& what, const std::string& path);
  // As writes(), for a file whose failure is no error.
  void keeps(const std::string& what, const std::string& path);
  // The weights of a model may stand in further files, which are known after the import: refuses when one of those
  // that are mapped now would be written.
  void check_mapped() const;

 private:
  struct Entry {
    std::string what, path;
    bool written = false;
  };
  std::vector<Entry> entries_;
};

}  // namespace planish::cli
