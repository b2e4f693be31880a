// What a run is, in the bytes that the sandbox hands to its init, and what init reports back.
// Both ends are built together, so structs travel as they lie in memory.
#ifndef AIO_SANDBOX_INIT_PLAN_H_
#define AIO_SANDBOX_INIT_PLAN_H_

#include <cstdint>

namespace aio {

// The descriptors that init is started with, besides the program's 0, 1 and 2.
inline constexpr int kPlanFd = 3;     // a file: SandboxPlan, then what it counts
inline constexpr int kReportFd = 4;   // init writes SandboxReports
inline constexpr int kControlFd = 5;  // its other end closed: kill everything

// Where things are in the program's root.
inline constexpr char kPrivateFolder[] = "/tmp";
inline constexpr char kProgramPath[] = "/program.py";

// Followed by: `filter_count` struct sock_filter; then strings, each with its zero byte: the
// private folder (used where there is no mount namespace), `read_only_count` paths,
// `link_count` pairs of a path and what it points to, `argument_count` arguments of which the
// first is the interpreter's path, `variable_count` variables; then the program's text.
struct SandboxPlan {
  uint32_t wanted;    // protections: bits 1 << Protection
  uint32_t tolerate;  // 1: report refused protections and go on; 0: stop
  uint64_t cpu_seconds;
  uint64_t memory_bytes;
  uint64_t processes;
  uint64_t file_bytes;
  uint32_t filter_count;
  uint32_t read_only_count;
  uint32_t link_count;
  uint32_t argument_count;
  uint32_t variable_count;
  uint32_t reserved;
  uint64_t program_bytes;
};

// Smaller than PIPE_BUF, so that one write is one report.
struct SandboxReport {
  enum Kind : uint32_t {
    kRefused,  // `protection`, by `error`, at `step`
    kFailed,   // no run: `error` at `step`
    kEnded,    // the program: `status` as of wait(), `cpu_us` of it and what it waited for
    kGone,     // all processes, which used `cpu_us`
  };
  uint32_t kind;
  uint32_t protection;
  int32_t error;  // errno
  int32_t status;
  int64_t cpu_us;
  char step[232];  // "mount /usr/lib", ends with a zero byte
};

}  // namespace aio

#endif  // AIO_SANDBOX_INIT_PLAN_H_
