#pragma once
// ONNX Runtime (PyPI) in a process of its own, driven over pipes, so that both run interleaved.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace planish::cli {

class Peer {
 public:
  // Error(not_found) when no Python with onnxruntime is found (PLANISH_PYTHON names one; default python3).
  Peer(const std::string& model, int threads, const std::map<std::string, Tensor>& inputs);
  ~Peer();
  // The same error, before anything else is done: whether that Python has what is needed.
  static void check();
  std::vector<double> time(int runs);  // milliseconds of each run
  double peak_rss_mb();                // of its process, Python included
  const std::string& version() const { return version_; }

 private:
  struct State;
  std::string request(const std::string& line);
  std::string complaint() const;
  std::vector<std::string> words_for(const std::string& model, int threads,
                                     const std::map<std::string, Tensor>& inputs) const;
  std::unique_ptr<State> state_;
  std::string version_;
};

}  // namespace planish::cli
