// Starts a process and reads what it says, within limits.
//
// posix_spawn() and nothing else between fork and exec: the caller has threads, whose locks a
// forked copy would find taken for ever, and much memory, whose pages it would have to share.
#ifndef AIO_SANDBOX_CHILD_PROCESS_H_
#define AIO_SANDBOX_CHILD_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file_descriptor.h"
#include "base/status.h"

namespace aio {

struct ChildCommand {
  std::string path;
  std::vector<std::string> arguments{};  // the first is its name
  bool inherit_environment = false;      // or it has none
  std::vector<int> descriptors{};        // become its 0, 1, 2, ...
};

// The child has no blocked or ignored signals.
Result<pid_t> StartChild(const ChildCommand& command);

struct Pipe {
  FileDescriptor read;
  FileDescriptor write;
};

// Closed in children unless handed to them.
Result<Pipe> MakePipe();

// A file in memory, closed in children, that holds `bytes` and cannot be written again.
Result<FileDescriptor> FileInMemory(const char* name, std::string_view bytes);

Result<FileDescriptor> OpenNull();  // /dev/null

// The reading end of a pipe and what came out of it.
struct Captured {
  FileDescriptor fd;
  int64_t limit = 0;  // bytes of `text`; the rest is read and dropped
  std::string text{};
  bool over = false;  // something was dropped
};

enum class CaptureEnd { kClosed, kDeadline, kOver };

// Reads until nobody can write to any of them, one is over its limit, or the time has come. What
// is over already does not end it.
CaptureEnd Capture(std::span<Captured> streams, TimePoint deadline);

}  // namespace aio

#endif  // AIO_SANDBOX_CHILD_PROCESS_H_
