#pragma once

#include <cstdio>
#include <cstdlib>

/// CHECK(condition) stops the process with file, line and text when an invariant of ours is broken;
/// it stays on in release builds. DCHECK is for hot paths: on unless NDEBUG. Neither is for input.
#define CHECK(condition)                                              \
  do {                                                                \
    if (__builtin_expect(!(condition), 0)) {                          \
      ::caracal::agents::CheckFailed(__FILE__, __LINE__, #condition); \
    }                                                                 \
  } while (false)

#ifdef NDEBUG
#define DCHECK(condition) \
  do {                    \
  } while (false && (condition))
#else
#define DCHECK(condition) CHECK(condition)
#endif

namespace caracal::agents {

/// Prints the broken invariant to stderr and aborts. Any thread.
[[noreturn]] inline void CheckFailed(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace caracal::agents
