#include "cli/peer.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "cli/interrupt.h"
#include "cli/npy.h"

namespace planish::cli {
namespace {

// argv: model, threads, then NAME FILE pairs. Answers each line "N" with N times in milliseconds, "rss" with its peak
// in kB (of the process alone: getrusage() begins with the size of the process that started it).
constexpr const char* kScript = R"(
import sys, time
import numpy
import onnxruntime
model, threads, rest = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = threads
options.log_severity_level = 3
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
feed = {rest[i]: numpy.load(rest[i + 1]) for i in range(0, len(rest), 2)}
session.run(None, feed)
print(onnxruntime.__version__, flush=True)
for line in sys.stdin:
    if line == "rss\n":
        with open("/proc/self/status") as status:
            print(next(int(fact.split()[1]) for fact in status if fact.startswith("VmHWM:")), flush=True)
        continue
    times = []
    for _ in range(int(line)):
        start = time.perf_counter()
        session.run(None, feed)
        times.append((time.perf_counter() - start) * 1e3)
    print(*times, flush=True)
)";

std::string python_of_peers() {
  const char* python = std::getenv("PLANISH_PYTHON");
  return python != nullptr ? python : "python3";
}

[[noreturn]] void fail_absent(const std::string& why) {
  fail(Code::not_found,
       "--compare onnxruntime: {}{} has no ONNX Runtime and NumPy{}; a Python that has them, and its name in "
       "PLANISH_PYTHON, are needed: python3 -m venv ort && ort/bin/pip install onnxruntime numpy && "
       "export PLANISH_PYTHON=$PWD/ort/bin/python",
       std::getenv("PLANISH_PYTHON") != nullptr ? "PLANISH_PYTHON=" : "", python_of_peers(),
       why.empty() ? "" : ": " + why);
}

}  // namespace

struct Peer::State {
  TemporaryFolder folder;
  pid_t child = -1;
  FILE* to = nullptr;
  FILE* from = nullptr;
  ~State() {
    if (to != nullptr) std::fclose(to);
    if (from != nullptr) std::fclose(from);
    if (child > 0) waitpid(child, nullptr, 0);
  }
};

// The last line that it wrote on standard error: of a Python traceback, what was wrong.
std::string Peer::complaint() const {
  std::ifstream text(state_->folder.path() / "errors");
  std::string last;
  for (std::string line; std::getline(text, line);)
    if (!line.empty()) last = line;
  return last;
}

// Files for the inputs, and the words that start the script.
std::vector<std::string> Peer::words_for(const std::string& model, int threads,
                                         const std::map<std::string, Tensor>& inputs) const {
  std::vector<std::string> words = {python_of_peers(), "-c", kScript, model, std::to_string(threads)};
  for (const auto& [name, tensor] : inputs) {
    words.push_back(name);
    words.push_back(state_->folder.path() / fmt::format("{}.npy", words.size()));
    write_npy(words.back(), tensor);
  }
  return words;
}

void Peer::check() {
  std::string python = python_of_peers(), flag = "-c", line = "import numpy, onnxruntime";
  char* const argv[] = {python.data(), flag.data(), line.data(), nullptr};
  const pid_t child = fork();
  if (child == 0) {
    const int nowhere = open("/dev/null", O_RDWR);
    for (int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(nowhere, stream);
    restore_signals();
    execvp(argv[0], argv);
    _exit(127);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
    fail_absent(WIFEXITED(status) && WEXITSTATUS(status) == 127 ? "it cannot be started" : "");
}

Peer::Peer(const std::string& model, int threads, const std::map<std::string, Tensor>& inputs)
    : state_(std::make_unique<State>()) {
  std::vector<std::string> words = words_for(model, threads, inputs);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string errors_path = state_->folder.path() / "errors";
  const int errors = open(errors_path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  int down[2], up[2];
  if (errors < 0 || pipe(down) != 0 || pipe(up) != 0) fail(Code::io, "pipes could not be made");
  state_->child = fork();
  if (state_->child == 0) {
    dup2(down[0], STDIN_FILENO);
    dup2(up[1], STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    for (int end : {down[0], down[1], up[0], up[1]}) close(end);
    restore_signals();
    execvp(argv[0], argv.data());
    _exit(127);
  }
  for (int end : {down[0], up[1], errors}) close(end);
  state_->to = fdopen(down[1], "w");
  state_->from = fdopen(up[0], "r");
  version_ = request("");
}

Peer::~Peer() = default;

std::string Peer::request(const std::string& line) {
  if (!line.empty()) {
    std::fputs(line.c_str(), state_->to);
    std::fflush(state_->to);
  }
  std::string answer;
  for (int c; (c = std::fgetc(state_->from)) != EOF && c != '\n';) answer += static_cast<char>(c);
  if (!answer.empty()) return answer;
  const std::string why = complaint();
  if (why.empty() || why.find("No module named") != std::string::npos) fail_absent(why);
  fail(Code::unsupported, "ONNX Runtime refused: {}", why);
}

std::vector<double> Peer::time(int runs) {
  std::istringstream answer(request(std::to_string(runs) + "\n"));
  std::vector<double> times;
  for (double ms; answer >> ms;) times.push_back(ms);
  return times;
}

double Peer::peak_rss_mb() { return std::stod(request("rss\n")) * 1024e-6; }

}  // namespace planish::cli
