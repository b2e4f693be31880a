// Asks every configuration every item and grades what comes back.
#ifndef AIO_TASKS_EVALUATE_H_
#define AIO_TASKS_EVALUATE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "base/clock.h"
#include "base/status.h"
#include "tasks/configuration.h"
#include "tasks/eval_items.h"
#include "tasks/grader.h"
#include "tasks/record_file.h"
#include "tasks/run_record.h"

namespace aio {

struct EvalOptions {
  PromptOptions prompts;       // as the items were planned with
  int samples = 1;             // answers to each prompt
  float temperature = 0;       // 0: greedy
  bool by_likelihood = false;  // choices by the letters' likelihood instead of by the answer
  uint64_t seed = 1;
  // More answer more prompts a second, each of them more slowly: with 1 an answer's speed is its
  // own.
  int in_flight_max = 1;
};

struct EvalProgress {
  int64_t done = 0;
  int64_t resumed = 0;  // of these, found in the records
  int64_t total = 0;
};

// What tells work that was done from other work, in SHA-256.
std::string RecordKey(const EvalItem& item, const EvalConfiguration& configuration,
                      const EvalOptions& options, int sample);

// What a run works with; nothing of it is owned, all of it outlives the call.
struct EvalTools {
  const Grader* grader = nullptr;
  RecordFile* records = nullptr;
  const Clock* clock = nullptr;
  std::function<void(EvalProgress)> progress = {};  // called on the calling thread; may be empty
};

// One record for every item, configuration and sample, in that order; configurations take turns
// item by item, so that a machine that slows down slows them all. What `records` has is not asked
// again; what is new is added as it comes. A prompt that a model cannot take (longer than its
// context) is a wrong answer that says so; any other fault ends the run, after what was started.
// Waits.
Result<std::vector<RunRecord>> Evaluate(const std::vector<EvalItem>& items,
                                        const std::vector<EvalConfiguration>& configurations,
                                        const EvalOptions& options, const EvalTools& tools);

}  // namespace aio

#endif  // AIO_TASKS_EVALUATE_H_
