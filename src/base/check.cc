#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace aio {

void CheckFailed(const char* file, int line, const char* condition, const char* message) {
  std::fprintf(stderr, "%s:%d: broken invariant: %s%s%s\n", file, line, condition,
               *message != '\0' ? ": " : "", message);
  std::abort();
}

}  // namespace aio
