// A server in a process of its own, so that its memory and its end can be looked at.
#ifndef AIO_STRESS_SERVER_PROCESS_H_
#define AIO_STRESS_SERVER_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_descriptor.h"
#include "base/status.h"

namespace aio {

class ServerProcess {
 public:
  // Runs `command` and waits until it has written its address, "http://127.0.0.1:8080", among the
  // lines of its standard output; kUnavailable if it ends before.
  static Result<std::unique_ptr<ServerProcess>> Start(const std::vector<std::string>& command);
  ~ServerProcess();  // kills it if it runs
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  int port() const { return port_; }
  bool IsRunning();
  int64_t ResidentBytes() const;
  Duration CpuTime() const;  // of all its threads, since it began
  // Asks it to end (SIGTERM) and waits; kInternal if it ends otherwise than well, which a sanitizer
  // makes it do that has found something.
  Status Stop(Duration patience = std::chrono::seconds(120));

 private:
  ServerProcess(pid_t pid, FileDescriptor output) : pid_(pid), output_(std::move(output)) {}
  Status WaitForAddress();
  bool TryWait();  // true once it has ended

  const pid_t pid_;
  const FileDescriptor output_;
  int port_ = 0;
  bool ended_ = false;
  int end_status_ = 0;  // as waitpid() has it
};

}  // namespace aio

#endif  // AIO_STRESS_SERVER_PROCESS_H_
