#include "app/system_cpu.h"

#include <sched.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <thread>

namespace aio {

namespace {

int64_t AffinityCores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof(cores), &cores) == 0) return CPU_COUNT(&cores);
  return std::thread::hardware_concurrency();  // more cores than a cpu_set_t has
}

}  // namespace

int UsableCores(const std::string& cpu_max_path) {
  int64_t cores = AffinityCores();
  // "150000 100000": CPU time in each period, both in microseconds; "max 100000": no limit.
  std::ifstream cpu_max(cpu_max_path);
  int64_t quota_us = 0, period_us = 0;
  if (cpu_max >> quota_us >> period_us && period_us > 0) {
    cores = std::min(cores, quota_us / period_us + (quota_us % period_us > 0 ? 1 : 0));
  }
  return static_cast<int>(std::max<int64_t>(cores, 1));
}

}  // namespace aio
