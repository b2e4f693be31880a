// The options by which `aio bench mixed` and `aio bench load` are told what to send and when.
#ifndef AIO_APP_WORKLOAD_FLAGS_H_
#define AIO_APP_WORKLOAD_FLAGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/mixed_workload.h"
#include "base/status.h"
#include "traffic/load_summary.h"

namespace CLI {
class App;
}

namespace aio {

struct WorkloadFlags {
  std::vector<std::string> scenarios;
  std::vector<std::string> mixes;
  std::vector<std::string> suites;
  std::string trace_path;
  double trace_from_seconds = 0;
  std::optional<double> trace_for_seconds;
  double time_scale = 1;
  std::optional<double> length_scale;
  std::optional<int64_t> requests;
  SyntheticLengths synthetic;
  AnswerSettings answers;
  std::optional<int> concurrency;
  double rate = 0;
  Prices prices;

  void AddTo(CLI::App& command);

  // Requests come when they come.
  bool open_loop() const;
  // Of LoopOptions.
  int loop_concurrency() const { return open_loop() ? 0 : concurrency.value_or(1); }
  std::string ArrivalsText() const;

  // One workload a scenario and mix, or that of the trace; scenario A if nothing is named.
  // `context_length` of the model in `source`, prompts' and answers' tokens together.
  Result<std::vector<Workload>> Make(const SyntheticSource& source, int context_length) const;

 private:
  Result<std::vector<Mix>> Mixes() const;
  Result<Workload> MakeMix(const Mix& mix, int64_t count, const SyntheticSource& source) const;
  Result<Workload> MakeTrace(const std::vector<Mix>& mixes, const SyntheticSource& source,
                             int context_length) const;
};

}  // namespace aio

#endif  // AIO_APP_WORKLOAD_FLAGS_H_
