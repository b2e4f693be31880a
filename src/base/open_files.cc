#include "base/open_files.h"

#include <sys/resource.h>

namespace aio {

int64_t RaiseOpenFilesLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  const bool raised = ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
  return static_cast<int64_t>(raised ? limit.rlim_cur : before);
}

}  // namespace aio
