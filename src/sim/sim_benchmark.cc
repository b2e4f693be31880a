// How fast time is simulated: token steps and requests a second on one core, 64 devices.
#include <benchmark/benchmark.h>

#include "sim/simulation.h"
#include "traffic/arrivals.h"

namespace aio {
namespace {

void BM_Simulate(benchmark::State& state) {
  constexpr int kDevices = 64;
  const auto answer = static_cast<int>(state.range(0));
  Workload workload{.labels = {"code", "qa", "math"}, .requests = {}};
  size_t index = 0;
  for (const Duration at : PoissonArrivals(20'000, 64 * 12, 1)) {
    WorkloadRequest request{.arrival = at, .prompt_tokens = 500, .answer_tokens = answer};
    request.intent = workload.labels[index % 3];
    request.label_logits = {0, 0, 0};
    request.label_logits[index++ % 3] = 8;
    workload.requests.push_back(std::move(request));
  }
  SimulationSetup setup;
  setup.device.memory_gb.value = 64;
  setup.device.read_gb_per_s.value = 1600;
  setup.device.read_share.value = 0.8;
  setup.device.f16_tflops.value = 300;
  setup.device.compute_share.value = 0.5;
  setup.devices = kDevices;
  for (SimulatedRole* role : {&setup.small, &setup.large}) {
    role->shape = *FindShape(role == &setup.small ? "openpangu-1b" : "openpangu-7b");
    role->options.costs = CostsOf(role->shape);
    role->options.kv_blocks = 2048;
    role->options.scheduler = {
        .max_running = 64, .prefill_chunk_tokens = 2048, .max_draft_tokens = 64};
  }
  setup.policy = RoutingPolicy::Paper();
  int64_t tokens = 0;
  for (auto _ : state) {
    const auto result = Simulate(setup, workload);
    if (!result.ok()) return state.SkipWithError(result.status().message().c_str());
    tokens += result->small.rows + result->large.rows;
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
