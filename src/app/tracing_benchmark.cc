// What tracing costs a request: the server, queue and router over models that answer at once, asked
// by one client over one connection. CPU time is that of the whole process, client and collector
// included. Compare medians of runs that take turns:
//
//   build/release/src/app/tracing_benchmark --benchmark_min_time=0.3 --benchmark_repetitions=15
//       --benchmark_enable_random_interleaving=true --benchmark_report_aggregates_only=true
#include <benchmark/benchmark.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/null_sink.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "app/tracing_test_setup.h"
#include "http/test_client.h"
#include "telemetry/json_log.h"

namespace aio {
namespace {

using Steady = std::chrono::steady_clock;

constexpr char kBody[] =
    R"({"model": "auto", "messages": [{"role": "user", "content": "Write a function."}]})";

enum class Traced { kNot, kUnsampled, kAll };

double ProcessCpuUs() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto us = [](const timeval& t) {
    return 1e6 * static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec);
  };
  return us(usage.ru_utime) + us(usage.ru_stime);
}

double Quantile(std::vector<double>& values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1))];
}

std::shared_ptr<spdlog::logger> NullLogger(const std::string& name) {
  return std::make_shared<spdlog::logger>(name, std::make_shared<spdlog::sinks::null_sink_mt>());
}

void AskOften(benchmark::State& state, const TracedServing& serving) {
  TestClient client(serving.server->port());
  std::vector<double> us;
  const double cpu_before = ProcessCpuUs();
  for (auto _ : state) {
    const auto begin = Steady::now();
    client.Request("POST", "/v1/chat/completions", kBody);
    if (client.Read().status != 200) return state.SkipWithError("was not answered");
    us.push_back(std::chrono::duration<double, std::micro>(Steady::now() - begin).count());
  }
  const double cpu = ProcessCpuUs() - cpu_before;
  state.counters["cpu_us"] = cpu / static_cast<double>(us.size());
  state.counters["median_us"] = Quantile(us, 0.5);
  state.counters["p99_us"] = Quantile(us, 0.99);
}

void Request(benchmark::State& state, Traced traced, LogFormat format) {
  const SystemClock clock;
  TestCollector collector({}, /*keeps=*/false);
  TracingSettings settings;
  settings.endpoint = collector.url() + "/v1/traces";
  settings.sample_ratio = traced == Traced::kAll ? 1 : 0;
  settings.queue_max = 1 << 16;
  std::unique_ptr<ServeTracing> tracing;
  if (traced != Traced::kNot) tracing = StartTracing(settings, NullLogger("aio"), clock);
  ServerOptions options;
  options.log_format = format;
  options.logger = NullLogger(std::string(kMembersLogger));
  {
    const TracedServing serving(tracing.get(), options, FakeBackend::Delivery::kImmediate);
    AskOften(state, serving);
    serving.server->Stop();
  }
  if (tracing == nullptr) return;
  tracing->Shutdown(std::chrono::seconds(10));
  state.counters["exported"] = static_cast<double>(tracing->counts().exported);
  state.counters["dropped"] = static_cast<double>(tracing->counts().dropped);
}

BENCHMARK_CAPTURE(Request, untraced_text_log, Traced::kNot, LogFormat::kText);
BENCHMARK_CAPTURE(Request, untraced_json_log, Traced::kNot, LogFormat::kJson);
BENCHMARK_CAPTURE(Request, unsampled, Traced::kUnsampled, LogFormat::kText);
BENCHMARK_CAPTURE(Request, traced, Traced::kAll, LogFormat::kText);

}  // namespace
}  // namespace aio
