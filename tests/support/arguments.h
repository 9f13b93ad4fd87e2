// Arguments of the programs among the tests, by getopt_long: a parser with templates takes longer to compile than they
// do.
#pragma once

#include <getopt.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

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

// Prints `usage`: to stdout with status 0 where help was asked for, else to stderr with status 2.
[[noreturn]] inline void usage_exit(const char* usage, bool asked) {
  std::fputs(usage, asked ? stdout : stderr);
  std::exit(asked ? 0 : 2);
}

}  // namespace planish::testing
