// Arguments of the programs among the tests, by getopt_long: a parser with templates takes longer to compile than they
// do.
#pragma once

#include <getopt.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace planish::testing {

// The number that option `name` was given; anything but an integer of [least, most] ends the program with status 2.
inline long number_argument(const char* name, const char* text, long least, long most) {
  char* end = nullptr;
  errno = 0;
  const long number = std::strtol(text, &end, 10);
  if (end != text && *end == '\0' && errno == 0 && number >= least && number <= most) return number;
  std::fprintf(stderr, "--%s: '%s' is not an integer of [%ld, %ld]\n", name, text, least, most);
  std::exit(2);
}

// The options of a program, each bound to the variable that it sets; `usage` explains them. --help, and what is no
// option of it, ends the program: usage to stdout with status 0, to stderr with status 2.
class Arguments {
 public:
  explicit Arguments(const char* usage) : usage_(usage) { flag("help", asked_, 'h'); }

  void number(const char* name, int& value, int least, int most) {
    add(name, required_argument, 0,
        [&value, name, least, most] { value = static_cast<int>(number_argument(name, optarg, least, most)); });
  }
  void seed(const char* name, uint32_t& value) {
    add(name, required_argument, 0,
        [&value, name] { value = static_cast<uint32_t>(number_argument(name, optarg, 0, UINT32_MAX)); });
  }
  void text(const char* name, std::string& value) {
    add(name, required_argument, 0, [&value] { value = optarg; });
  }
  void flag(const char* name, bool& value, char brief = 0) {
    add(name, no_argument, brief, [&value] { value = true; });
  }

  // Sets the variables; the arguments that are no options, `operands` in number.
  std::vector<std::string> parse(int argc, char** argv, int operands = 0) {
    options_.push_back({nullptr, 0, nullptr, 0});
    for (int given = 0; (given = getopt_long(argc, argv, brief_.c_str(), options_.data(), nullptr)) != -1;) {
      const int at = given == '?' ? -1 : given < kFirst ? index_of(static_cast<char>(given)) : given - kFirst;
      if (at < 0) exit_with_usage();
      takers_[static_cast<size_t>(at)]();
      if (asked_) exit_with_usage();
    }
    if (argc - optind != operands) exit_with_usage();
    return {argv + optind, argv + argc};
  }
  [[noreturn]] void exit_with_usage() const {
    std::fputs(usage_, asked_ ? stdout : stderr);
    std::exit(asked_ ? 0 : 2);
  }

 private:
  static constexpr int kFirst = 256;  // beyond the short names

  void add(const char* name, int argument, char brief, std::function<void()> take) {
    options_.push_back({name, argument, nullptr, kFirst + static_cast<int>(takers_.size())});
    takers_.push_back(std::move(take));
    briefs_.push_back(brief);
    if (brief != 0) brief_ += brief;
  }
  int index_of(char brief) const { return static_cast<int>(briefs_.find(brief)); }

  const char* usage_;
  bool asked_ = false;
  std::vector<option> options_;
  std::vector<std::function<void()>> takers_;  // by option
  std::string briefs_, brief_;
};

}  // namespace planish::testing
