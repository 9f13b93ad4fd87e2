// Expectations of the programs here: a failure is a line of its own, and counted.
#ifndef PLANISH_TESTS_EXPECT_H
#define PLANISH_TESTS_EXPECT_H

#include <cstdio>

static int failures = 0;

inline void expect(bool right, const char* what, int line) {
  if (right) return;
  std::printf("line %d: %s\n", line, what);
  ++failures;
}
#define EXPECT(condition) expect((condition), #condition, __LINE__)

#endif
