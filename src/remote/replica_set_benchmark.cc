// What it costs to choose a replica among many.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "remote/replica_set.h"

namespace aio {
namespace {

void BM_Choose(benchmark::State& state) {
  TimePoint now{std::chrono::hours(1)};
  ReplicaSet set({}, [&now] { return now; });
  std::vector<ReplicaSpec> specs;
  for (int64_t i = 0; i < state.range(0); ++i) {
    specs.push_back({.url = fmt::format("http://replica-{}:8000", i)});
  }
  set.Update(specs);
  for (auto _ : state) {
    auto lease = set.Choose({.tokens = 500});
    lease->Succeeded(std::chrono::milliseconds(100), std::chrono::milliseconds(20));
    now += std::chrono::microseconds(100);
  }
}
BENCHMARK(BM_Choose)->Arg(8)->Arg(64)->Arg(512)->Arg(4096)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace aio
