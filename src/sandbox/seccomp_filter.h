// Which system calls a program may make.
#ifndef AIO_SANDBOX_SECCOMP_FILTER_H_
#define AIO_SANDBOX_SECCOMP_FILTER_H_

#include <string>

#include "base/status.h"

namespace aio {

// The filter as the kernel takes it: an array of struct sock_filter. Without a PID namespace,
// signals and new sessions are refused too: they would reach processes outside, or leave the
// group that is killed in the end.
Result<std::string> SystemCallFilter(bool pid_namespace);

}  // namespace aio

#endif  // AIO_SANDBOX_SECCOMP_FILTER_H_
