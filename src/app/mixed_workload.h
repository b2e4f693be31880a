// The requests of `aio bench mixed` and `aio bench trace`: prompts of a mix, or of the lengths that
// a trace has, and when they come.
#ifndef AIO_APP_MIXED_WORKLOAD_H_
#define AIO_APP_MIXED_WORKLOAD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "base/status.h"
#include "traffic/load_generator.h"
#include "traffic/mix.h"
#include "traffic/reshape_trace.h"
#include "traffic/trace.h"
#include "traffic/workload_items.h"

namespace aio {

struct WorkloadRequest {
  LoadRequest load;  // without a model; `request.intent` says what it is about, if known
  std::string task;  // "pocket-code", "synthetic", ...
  int context = 0;   // as the item says
  int item = -1;     // of Workload::items; -1: made up
};

// Requests in order of arrival (all at 0 in a closed loop).
struct Workload {
  std::string name;  // "A", "code=0.5,qa=0.5", a trace's file
  std::vector<WorkloadItem> items;
  std::vector<WorkloadRequest> requests;
  std::string note;  // what of the trace was changed; may be empty
};

// How a text becomes a request.
struct AnswerSettings {
  bool raw = false;      // no chat template
  int max_tokens = 256;  // where neither an item nor a trace says
  float temperature = 0;
  uint64_t seed = 1;
};

// Prompts of given lengths instead of a suite's: of models whose answers mean nothing.
struct SyntheticLengths {
  int prompt_tokens = 0;       // 0: no synthetic prompts
  int long_prompt_tokens = 0;  // of a mix's parts with long context; 0: as the others
  int output_tokens = 128;     // exactly
};

// The suites that are read when none is named: models/suites/*.jsonl beside the program, or else
// models/pocket-workloads.jsonl.
Result<std::vector<std::string>> DefaultSuites();
Result<std::vector<WorkloadItem>> ReadSuites(const std::vector<std::string>& paths);

// `requests` of `mix`.
Result<Workload> MixWorkload(const Mix& mix, const std::vector<WorkloadItem>& items,
                             int64_t requests, const AnswerSettings& settings);

// The same with random text of given lengths; `backend` counts the tokens of `model`.
struct SyntheticSource {
  const Backend* backend = nullptr;
  std::string model;
};
Result<Workload> SyntheticWorkload(const Mix& mix, const SyntheticLengths& lengths,
                                   int64_t requests, const SyntheticSource& source,
                                   const AnswerSettings& settings);

// A trace as it is to be replayed.
struct TraceSettings {
  std::string path;
  TraceWindow window;
  double time_scale = 1;
  LengthLimits lengths;
};
// Reads, cuts and scales; `note` says what was changed.
Result<Trace> LoadTrace(const TraceSettings& settings, std::string& note);

// Random text of the trace's lengths at the trace's times. Requests that begin with the same blocks
// begin with the same words.
Result<Workload> TraceWorkload(const Trace& trace, const SyntheticSource& source,
                               const AnswerSettings& settings);

// Gives the workload arrivals, as many as it has requests: of a Poisson process of `rate` a second,
// or of the trace, which must have as many.
void ArriveByPoisson(Workload& workload, double rate, uint64_t seed);
Status ArriveByTrace(Workload& workload, const Trace& trace);

}  // namespace aio

#endif  // AIO_APP_MIXED_WORKLOAD_H_
