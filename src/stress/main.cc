// server_load: the server's figures and its endurance, over a stub in place of models.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/open_files.h"
#include "stress/client.h"
#include "stress/request_load.h"
#include "stress/server_process.h"
#include "stress/siege.h"
#include "stress/stream_load.h"
#include "stress/stub_server.h"

namespace aio {
namespace {

constexpr int kFailed = 1;

int Fail(const Status& status) {
  fmt::print(stderr, "{}\n", status.ToString());
  return kFailed;
}

// What every measurement has: the server that it is made on.
struct ServerFlags {
  int token_interval_ms = 0;
  std::vector<std::string> command;  // empty: this program as a stub server

  void AddTo(CLI::App& command_line) {
    command_line.add_option("--token-interval-ms", token_interval_ms, "the stub's pace")
        ->capture_default_str();
    command_line.add_option("command", command,
                            "after --: starts a server in place of the stub; it must write its "
                            "address to standard output");
  }

  Result<std::unique_ptr<ServerProcess>> Start() const {
    if (!command.empty()) return ServerProcess::Start(command);
    return ServerProcess::Start(
        {"/proc/self/exe", "serve", "--token-interval-ms", std::to_string(token_interval_ms)});
  }
};

double Ms(Duration d) { return ToMs(d); }
double Kib(int64_t bytes) { return static_cast<double>(bytes) / 1024; }

int PrintLoad(const char* what, const RequestLoadReport& report) {
  fmt::print(
      "{}: {:.0f} requests/s, {} answers, {} wrong; ms p50 {:.3f} p90 {:.3f} p99 {:.3f} max "
      "{:.3f}\n",
      what, report.per_second(), report.answers, report.wrong, Ms(report.Percentile(0.5)),
      Ms(report.Percentile(0.9)), Ms(report.Percentile(0.99)), Ms(report.Percentile(1)));
  return report.wrong == 0 && report.answers > 0 ? 0 : kFailed;
}

void AddServe(CLI::App& program, int& status) {
  CLI::App* command = program.add_subcommand("serve", "Serve the stub until SIGTERM");
  auto options = std::make_shared<StubServerOptions>();
  auto interval_ms = std::make_shared<int>(0);
  command->add_option("--host", options->host, "address to listen on")->capture_default_str();
  command->add_option("--port", options->port, "0: any free one")->capture_default_str();
  command->add_option("--token-interval-ms", *interval_ms, "the stub's pace; 0: at once")
      ->capture_default_str();
  command->add_option("--running-max", options->running_max, "further requests wait")
      ->capture_default_str();
  command->add_flag("--log", options->logs, "a line a request to standard error");
  command->callback([options, interval_ms, &status] {
    options->backend.token_interval = std::chrono::milliseconds(*interval_ms);
    status = RunStubServer(*options);
  });
}

struct RequestFlags {
  ServerFlags server;
  double rate = 500;
  int connections = 64;
  int seconds = 10;
  bool stream = false;
  int tokens = 4;
  std::string model = "auto";

  // What the stub says to that.
  std::string Counted() const {
    std::string text;
    for (int i = 0; i < tokens; ++i) text += fmt::format("{} ", i);
    return text;
  }

  int Run(bool open_loop) const {
    auto process = server.Start();
    if (!process.ok()) return Fail(process.status());
    const int port = (*process)->port();
    RequestLoadOptions options;
    options.request = ChatRequest(tokens, stream, "Count, please.", model);
    options.expected = stream ? "data: [DONE]" : fmt::format(R"("content":"{}")", Counted());
    options.time = std::chrono::seconds(seconds);
    const RequestLoadReport report = open_loop ? LoadAtRate(port, rate, options)
                                               : LoadAsFastAsItGoes(port, connections, options);
    const int printed = PrintLoad(stream ? "streamed chats" : "chats", report);
    if (report.answers > 0) {
      fmt::print("the server's time on a processor: {:.1f} us a request\n",
                 1000 * Ms((*process)->CpuTime()) / static_cast<double>(report.asked));
    }
    const Status stopped = (*process)->Stop();
    return stopped.ok() ? printed : Fail(stopped);
  }
};

void AddRequests(CLI::App& program, int& status) {
  auto flags = std::make_shared<RequestFlags>();
  CLI::App* latency = program.add_subcommand(
      "latency", "Short chats at an even rate; times from when each was due to its last byte");
  latency->add_option("--rate", flags->rate, "requests a second")->capture_default_str();
  CLI::App* throughput =
      program.add_subcommand("throughput", "Short chats as fast as they are answered");
  throughput->add_option("--connections", flags->connections, "that ask at a time")
      ->capture_default_str();
  for (CLI::App* command : {latency, throughput}) {
    command->add_option("--seconds", flags->seconds, "after a second to warm up")
        ->capture_default_str();
    command->add_flag("--stream", flags->stream, "answers by server-sent events");
    command->add_option("--tokens", flags->tokens, "of each answer")->capture_default_str();
    command->add_option("--model", flags->model, "that is asked for")->capture_default_str();
    flags->server.AddTo(*command);
  }
  latency->callback([flags, &status] { status = flags->Run(/*open_loop=*/true); });
  throughput->callback([flags, &status] { status = flags->Run(/*open_loop=*/false); });
}

int RunStreams(const ServerFlags& server, const StreamOptions& options) {
  auto process = server.Start();
  if (!process.ok()) return Fail(process.status());
  const StreamReport report = LoadStreams(**process, options);
  const double each = Kib(report.bytes_held - report.bytes_before) / options.streams;
  fmt::print(
      "streams: {} held, {} whole and in order, {} wrong; {:.1f} KiB each; resident KiB "
      "before {:.0f} held {:.0f} after {:.0f}\n",
      report.held, report.whole, report.wrong, each, Kib(report.bytes_before),
      Kib(report.bytes_held), Kib(report.bytes_after));
  if (options.broken_off > 0) {
    fmt::print("broken off: {}; the last one's KV was free after {:.1f} ms\n", options.broken_off,
               Ms(report.freed_after));
  }
  const Status stopped = (*process)->Stop();
  if (!report.status.ok()) return Fail(report.status);
  if (!stopped.ok()) return Fail(stopped);
  return report.whole == options.streams - options.broken_off ? 0 : kFailed;
}

void AddStreams(CLI::App& program, int& status) {
  struct Flags {
    ServerFlags server;
    StreamOptions options;
  };
  CLI::App* command = program.add_subcommand(
      "streams", "Many streams at once: every token in order, memory for each, breaking off");
  auto flags = std::make_shared<Flags>();
  flags->server.token_interval_ms = 1000;
  command->add_option("--streams", flags->options.streams)->capture_default_str();
  command->add_option("--tokens", flags->options.tokens, "of each")->capture_default_str();
  command->add_option("--model", flags->options.model, "that is asked for")->capture_default_str();
  command->add_option("--break-off", flags->options.broken_off, "so many of them in the middle")
      ->capture_default_str();
  flags->server.AddTo(*command);
  command->callback([flags, &status] { status = RunStreams(flags->server, flags->options); });
}

int PrintSiege(const SiegeReport& report) {
  for (const auto& [deed, count] : report.deeds) fmt::print("{:>12} {}\n", count, deed);
  for (const auto& [status, count] : report.hostile_statuses) {
    fmt::print("{:>12} hostile ones {}\n", count,
               status == 0 ? "closed" : fmt::format("answered {}", status));
  }
  fmt::print("wrong: {}\n", report.wrong);
  for (const std::string& wrong : report.first_wrong) fmt::print("  {}\n", wrong);
  const auto& memory = report.resident_bytes;
  if (!memory.empty()) {
    fmt::print("resident KiB: at first {:.0f}, at last {:.0f}; after warm-up it grew by {:.2f} %\n",
               Kib(memory.front()), Kib(memory.back()), 100 * report.growth());
  }
  if (!report.server_ran) fmt::print("the server has gone\n");
  return report.wrong == 0 && report.server_ran ? 0 : kFailed;
}

struct SiegeFlags {
  ServerFlags server;
  SiegeOptions options;
  double minutes = 0;
  int pause_max_ms = 0;
  double growth_max = 0;  // percent; 0: not looked at
  std::string memory_file;

  int Run() const {
    auto process = server.Start();
    if (!process.ok()) return Fail(process.status());
    SiegeOptions own = options;
    own.is_stub = server.command.empty();
    own.time = std::chrono::milliseconds(static_cast<int64_t>(minutes * 60'000));
    own.pause_max = std::chrono::milliseconds(pause_max_ms);
    const SiegeReport report = LaySiege(**process, own);
    int status = PrintSiege(report);
    if (!memory_file.empty()) {
      std::ofstream file(memory_file);
      for (const int64_t bytes : report.resident_bytes) file << bytes << '\n';
    }
    if (growth_max > 0 && report.growth() * 100 > growth_max) {
      fmt::print("memory grew by more than {} %\n", growth_max);
      status = kFailed;
    }
    const Status stopped = (*process)->Stop();
    return stopped.ok() ? status : Fail(stopped);
  }
};

void AddSiege(CLI::App& program, int& status) {
  auto flags = std::make_shared<SiegeFlags>();
  CLI::App* hostile = program.add_subcommand(
      "hostile", "Requests that no honest client sends, and honest ones in between");
  flags->options.hostile_max = 1'000'000;
  hostile->add_option("--requests", flags->options.hostile_max)->capture_default_str();
  hostile->callback([flags, &status] {
    flags->options.only_hostile = true;
    status = flags->Run();
  });
  CLI::App* soak = program.add_subcommand(
      "soak", "Everything at once and for long: streams that break off, slow readers, stalls");
  soak->add_option("--minutes", flags->minutes)->required();
  soak->add_option("--pause-max-ms", flags->pause_max_ms, "of a connection between its deeds")
      ->capture_default_str();
  soak->add_option("--growth-max", flags->growth_max,
                   "of resident memory after warm-up, in percent; more is a failure");
  soak->callback([flags, &status] {
    flags->options.hostile_max = 0;
    status = flags->Run();
  });
  for (CLI::App* command : {hostile, soak}) {
    command->add_option("--seed", flags->options.seed)->capture_default_str();
    command->add_option("--connections", flags->options.connections)->capture_default_str();
    command->add_option("--memory-file", flags->memory_file,
                        "gets the server's resident bytes, a line a second");
    flags->server.AddTo(*command);
  }
}

// From starting the process to its first answer from /ready.
int RunStart(const ServerFlags& server, int repeats) {
  const SystemClock clock;
  Duration best = Duration::max();
  for (int i = 0; i < repeats; ++i) {
    const TimePoint start = clock.Now();
    auto process = server.Start();
    if (!process.ok()) return Fail(process.status());
    if (FetchPath((*process)->port(), "/ready").empty()) {
      return Fail(Unavailable("GET /ready has no answer"));
    }
    const Duration took = clock.Now() - start;
    fmt::print("ready after {:.0f} ms, resident KiB {:.0f}\n", Ms(took),
               Kib((*process)->ResidentBytes()));
    best = std::min(best, took);
    if (const Status stopped = (*process)->Stop(); !stopped.ok()) return Fail(stopped);
  }
  fmt::print("best: {:.0f} ms\n", Ms(best));
  return 0;
}

void AddStart(CLI::App& program, int& status) {
  struct Flags {
    ServerFlags server;
    int repeats = 5;
  };
  auto flags = std::make_shared<Flags>();
  CLI::App* command = program.add_subcommand("start", "From starting a server to its being ready");
  command->add_option("--repeats", flags->repeats)->capture_default_str();
  flags->server.AddTo(*command);
  command->callback([flags, &status] { status = RunStart(flags->server, flags->repeats); });
}

}  // namespace
}  // namespace aio

int main(int argc, char** argv) {
  CLI::App program("Loads, breaks and wears out the server over a stub in place of models");
  program.require_subcommand(1);
  int status = 0;
  aio::AddServe(program, status);
  aio::AddRequests(program, status);
  aio::AddStreams(program, status);
  aio::AddSiege(program, status);
  aio::AddStart(program, status);
  aio::RaiseOpenFilesLimit();  // the server's process inherits it
  CLI11_PARSE(program, argc, argv);
  return status;
}
