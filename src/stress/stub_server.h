// The real server, admission and API over a StubBackend, as a program of its own.
#ifndef AIO_STRESS_STUB_SERVER_H_
#define AIO_STRESS_STUB_SERVER_H_

#include <string>

#include "base/clock.h"
#include "stress/stub_backend.h"

namespace aio {

struct StubServerOptions {
  StubBackendOptions backend;
  std::string host = "127.0.0.1";
  int port = 0;               // 0: any free one
  int running_max = 100'000;  // further ones wait
  bool logs = false;          // a line a request to standard error
};

// Writes its address to standard output and serves until SIGTERM or SIGINT; then drains for a
// second. GET /stub answers with StubCounts as JSON. The exit status of the program.
int RunStubServer(const StubServerOptions& options);

}  // namespace aio

#endif  // AIO_STRESS_STUB_SERVER_H_
