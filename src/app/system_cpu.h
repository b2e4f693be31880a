// How many cores this program may use.
#ifndef AIO_APP_SYSTEM_CPU_H_
#define AIO_APP_SYSTEM_CPU_H_

#include <string>

namespace aio {

// The cores of the CPU affinity or, where that is less, the time that the cgroup (version 2)
// allows, in cores, rounded up. More threads than that would wait for each other at the end
// of every parallel loop. `cpu_max_path` is where a container sees its own limit.
int UsableCores(const std::string& cpu_max_path = "/sys/fs/cgroup/cpu.max");

}  // namespace aio

#endif  // AIO_APP_SYSTEM_CPU_H_
