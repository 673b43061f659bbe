// CHECK: an assertion that is always on. For what only a bug can cause; never for input.
#ifndef RTCLAB_STACK_BASE_CHECK_H_
#define RTCLAB_STACK_BASE_CHECK_H_

namespace rtclab {

// Prints where and what to standard error and aborts.
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace rtclab

#define CHECK(condition)                                     \
  do {                                                       \
    if (!(condition)) [[unlikely]] {                         \
      ::rtclab::CheckFailed(#condition, __FILE__, __LINE__); \
    }                                                        \
  } while (false)

#endif  // RTCLAB_STACK_BASE_CHECK_H_
