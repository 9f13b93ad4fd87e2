#pragma once
// Rounding and the treatment of denormals as IEEE 754 has them, whatever the thread that calls has set.

#if defined(__x86_64__)
#include <xmmintrin.h>
#else
#include <cfenv>
#endif

namespace planish {

// Round to nearest, denormals kept, nothing trapped; back to what was found at the end. A new thread inherits what the
// thread that made it has set.
class DefaultFloats {
 public:
  DefaultFloats(const DefaultFloats&) = delete;
  DefaultFloats& operator=(const DefaultFloats&) = delete;
#if defined(__x86_64__)
  DefaultFloats() : found_(_mm_getcsr()) {
    if ((found_ & kControl) != kDefault) _mm_setcsr(kDefault);
  }
  ~DefaultFloats() {
    if ((found_ & kControl) != kDefault) _mm_setcsr(found_);
  }

 private:
  static constexpr unsigned kDefault = 0x1f80,
                            kControl = 0xffc0;  // of the register's lower bits: flags that were raised
  unsigned found_;
#else
  DefaultFloats() {
    std::fegetenv(&found_);
    std::fesetenv(FE_DFL_ENV);
  }
  ~DefaultFloats() { std::fesetenv(&found_); }

 private:
  std::fenv_t found_;
#endif
};

}  // namespace planish
