// Runs a python3 program that nobody has read: the answers of a model to tasks in code.
//
// The program runs in a process of its own, in user, mount, PID and network namespaces, in a root
// of read-only mounts with one small writable folder in memory, without capabilities, with
// limits on its resources and with a filter on its system calls. docs/sandbox.md says what each
// of these protects from, and what none does.
#ifndef AIO_SANDBOX_SANDBOX_H_
#define AIO_SANDBOX_SANDBOX_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "sandbox/protection.h"

namespace aio {

// The flag that messages name to go on without a protection; commands that run programs have it,
// and hand its values to `SandboxOptions::may_lack`.
inline constexpr std::string_view kMayLackFlag = "--sandbox-may-lack";

struct SandboxLimits {
  double cpu_seconds = 10;                  // of each process, rounded up to a whole second
  double wall_seconds = 20;                 // of the run
  int64_t memory_bytes = int64_t{1} << 30;  // address space of each process
  int processes = 32;                       // at once, threads counted
  int64_t file_bytes = int64_t{16} << 20;   // of one file, and of the private folder
  int64_t output_bytes = int64_t{1} << 20;  // of each of stdout and stderr; more ends the run
};

struct SandboxOptions {
  std::string python = "python3";      // a path, or looked up in PATH once, at Create()
  std::vector<Protection> may_lack{};  // what may be missing where the kernel refuses it
};

struct SandboxedRun {
  enum class End {
    kExited,     // by itself
    kSignalled,  // by a signal: a crash, or out of memory
    kCpuLimit,   // stopped, as are those below
    kWallLimit,
    kOutputLimit,
  };
  End end = End::kExited;
  int status = 0;           // exit status, or the signal
  std::string output{};     // stdout: bytes, cut off at the limit
  std::string errors{};     // stderr, likewise; an exception's traceback is here
  double cpu_seconds = 0;   // of all its processes
  double wall_seconds = 0;  // with the start and the end of the sandbox
  bool ok() const { return end == End::kExited && status == 0; }
};

// Immutable once created; copies share what was found out. Thread-safe.
class Sandbox {
 public:
  // Finds python3 and tries every protection once. A refused one that `options` does not let go
  // is an error that names it, the kernel's reason, and the flag to go on without it. Takes as
  // long as python3 takes to start twice.
  static Result<Sandbox> Create(SandboxOptions options);

  // The protections that the kernel refuses; empty where all hold.
  const std::vector<Protection>& missing() const;

  // Runs `program`, the text of a file in UTF-8, with an empty standard input, and waits until
  // every process of it is gone. What the program does wrong, a syntax error too, is in the run;
  // an error is one of the sandbox (kInvalidArgument: a limit that is not above 0).
  //
  // The program sees python's standard library and no other packages, HOME and TMPDIR, the
  // current folder /tmp (private, in memory, empty) and nothing of the caller's environment. The
  // hashes of its strings are the same in every run, so it prints sets in the same order.
  Result<SandboxedRun> RunPython(std::string_view program, const SandboxLimits& limits) const;

 private:
  struct State;
  explicit Sandbox(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace aio

#endif  // AIO_SANDBOX_SANDBOX_H_
