#include <fmt/format.h>

#include <cstdio>

#include "app/commands.h"

namespace aio {

int Fail(const Status& status) {
  fmt::print(stderr, "aio: {}\n", status.message());
  return kExitFailed;
}

}  // namespace aio
