// What logging costs the way of a request, and how many rows a second the log's thread writes.
#include <benchmark/benchmark.h>

#include "decisions/decision_log.h"
#include "decisions/testing/records.h"

namespace aio {
namespace {

std::unique_ptr<DecisionLog> OpenLog(const TemporaryFolder& folder, const Clock& clock) {
  DecisionLogOptions options;
  options.path = folder / "decisions.db";
  options.queue_max = kDecisionLogQueueMax;
  return *DecisionLog::Create(options, clock);
}

// On the request's way: the record is made by the router, hence copied here.
void BM_TellTheLog(benchmark::State& state) {
  const TemporaryFolder folder;
  const ManualClock clock;
  const auto log = OpenLog(folder, clock);
  const DecisionRecord record = Record("r1");
  const RequestOutcome outcome = Finished(100, 1000);
  for (auto _ : state) log->Ended(log->Decided(record), outcome);
  state.counters["dropped"] = static_cast<double>(log->counts().dropped);
}
BENCHMARK(BM_TellTheLog);

void BM_WriteRows(benchmark::State& state) {
  const TemporaryFolder folder;
  const ManualClock clock;
  const auto log = OpenLog(folder, clock);
  const DecisionRecord record = Record("r1");
  const RequestOutcome outcome = Finished(100, 1000);
  constexpr int kRows = 1000;
  for (auto _ : state) {
    for (int i = 0; i < kRows; ++i) log->Ended(log->Decided(record), outcome);
    if (!log->Flush().ok()) state.SkipWithError("could not be written");
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(BM_WriteRows)->UseRealTime();

}  // namespace
}  // namespace aio
