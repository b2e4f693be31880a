#include "stress/stub_server.h"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <spdlog/async.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <cstdio>
#include <memory>
#include <utility>

#include "admission/admission_backend.h"
#include "server/server.h"

namespace aio {
namespace {

constexpr int kConnectionsMax = 16'000;

HttpResponse ShowCounts(const StubCounts& counts) {
  return {
      .headers = {{"content-type", "application/json"}},
      .body = fmt::format(R"({{"running":{},"kv_blocks_used":{},"started":{},"finished":{},)"
                          R"("cancelled":{},"last_cancelled_ns":{}}})",
                          counts.running, counts.kv_blocks_used, counts.started, counts.finished,
                          counts.cancelled, counts.last_cancelled.time_since_epoch().count())};
}

ServerOptions MakeOptions(const StubServerOptions& options, const StubBackend& backend) {
  ServerOptions server;
  server.host = options.host;
  server.port = options.port;
  server.drain_notice = Duration::zero();
  server.http.connections_max = kConnectionsMax;
  server.pages.push_back(
      {.path = "/stub", .is_open = true, .respond = [&backend](const HttpRequest& /*request*/) {
         return ShowCounts(backend.counts());
       }});
  if (options.logs) {
    server.logger = spdlog::create_async_nb<spdlog::sinks::stderr_color_sink_mt>("stub");
  }
  return server;
}

}  // namespace

int RunStubServer(const StubServerOptions& options) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // before any thread starts
  const SystemClock clock;
  StubBackend backend(options.backend, clock);
  AdmissionBackend admission(
      backend, {.running_max = options.running_max, .waiting_max = options.running_max}, clock);
  auto server = Server::Create(admission, MakeOptions(options, backend), clock);
  const Status status = server.ok() ? (*server)->Start() : server.status();
  if (!status.ok()) {
    fmt::print(stderr, "{}\n", status.ToString());
    return 1;
  }
  fmt::print("listening on {}\n", (*server)->url());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&ends, &signal);
  (*server)->Drain(std::chrono::seconds(1));
  return 0;
}

}  // namespace aio
