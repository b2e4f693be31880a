// AIO_CHECK(condition, message): broken invariants stop the program, in release builds
// too. Never for bad input: that is a Status (base/status.h).
#ifndef AIO_BASE_CHECK_H_
#define AIO_BASE_CHECK_H_

namespace aio {
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              const char* message = "");
}  // namespace aio

#define AIO_CHECK(condition, ...)                                                    \
  do {                                                                               \
    if (!(condition)) [[unlikely]]                                                   \
      ::aio::CheckFailed(__FILE__, __LINE__, #condition __VA_OPT__(, ) __VA_ARGS__); \
  } while (false)

#endif  // AIO_BASE_CHECK_H_
