// How fast time is simulated: token steps and requests a second on one core, 64 devices.
#include <benchmark/benchmark.h>

#include "sim/simulation.h"
#include "traffic/arrivals.h"

namespace aio {
namespace {

void BM_Simulate(benchmark::State& state) {
  constexpr int kDevices = 64;
  const auto answer = static_cast<int>(state.range(0));
  SimWorkload workload{.source = "", .labels = {"code", "qa", "math"}, .requests = {}};
  size_t index = 0;
  for (const Duration at : PoissonArrivals(20'000, kDevices * 12, 1)) {
    SimRequest request{.arrival = at, .prompt_tokens = 500, .answer_tokens = answer};
    request.intent = static_cast<int>(index % 3);
    request.label_logits = {0, 0, 0};
    request.label_logits[index++ % 3] = 8;
    workload.requests.push_back(std::move(request));
  }
  SimulatedPool pool;
  pool.device.memory_gb.value = 64;
  pool.device.read_gb_per_s.value = 1600;
  pool.device.read_share.value = 0.8;
  pool.device.f16_tflops.value = 300;
  pool.device.compute_share.value = 0.5;
  pool.devices = kDevices;
  SimulationSetup setup;
  setup.pools = {pool};
  for (const int role : {kSimSmall, kSimLarge}) {
    setup.roles[role].shape = *FindShape(role == kSimSmall ? "openpangu-1b" : "openpangu-7b");
    setup.roles[role].scheduler = {
        .max_running = 64, .prefill_chunk_tokens = 2048, .max_draft_tokens = 64};
  }
  setup.policy = RoutingPolicy::Paper();
  for (auto _ : state) {
    const auto result = Simulate(setup, workload);
    if (!result.ok()) return state.SkipWithError(result.status().message().c_str());
    state.counters["events"] = static_cast<double>(result->events);
  }
  state.counters["requests/s"] =
      benchmark::Counter(static_cast<double>(state.iterations() * workload.requests.size()),
                         benchmark::Counter::kIsRate);
  state.counters["answer tokens/s"] = benchmark::Counter(
      static_cast<double>(state.iterations() * workload.requests.size()) * answer,
      benchmark::Counter::kIsRate);
}
BENCHMARK(BM_Simulate)->Arg(30)->Arg(200)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace aio
