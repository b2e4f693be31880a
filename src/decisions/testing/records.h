// What a router tells, made up, and a folder to log it in: for tests and benchmarks.
#ifndef AIO_DECISIONS_TESTING_RECORDS_H_
#define AIO_DECISIONS_TESTING_RECORDS_H_

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "decisions/testing/signals.h"
#include "router/decision_observer.h"
#include "router/routing_policy.h"

namespace aio {

// A folder that is gone with it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = std::filesystem::temp_directory_path().string() + "/aio-decisions-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// What the router tells of a request that `policy` decided; from FullSignals() unless told.
inline DecisionRecord Record(std::string id, const RoutingPolicy& policy = RoutingPolicy::Paper(),
                             Signals signals = FullSignals()) {
  const PolicyOutcome outcome = policy.Decide(signals);
  DecisionRecord record;
  record.request_id = std::move(id);
  record.unix_seconds = 1'000'000;
  record.prompt_hash = std::string(64, 'a');
  record.small_model = "pocket-small";
  record.large_model = "pocket-large";
  record.policy_hash = policy.hash();
  Decision& decision = record.decision;
  decision.model = outcome.role == kSmallRole ? "pocket-small" : "pocket-large";
  decision.role = outcome.role;
  decision.weights = outcome.weights;
  decision.strategy = outcome.strategy;
  decision.rule = outcome.rule;
  decision.reason = outcome.reason;
  decision.prompt_tokens = signals.prompt_tokens;
  if (signals.intent) {
    decision.probed = true;
    decision.intent = signals.intent->labels[signals.intent->top()];
    for (size_t i = 0; i < signals.intent->labels.size(); ++i) {
      decision.probabilities.emplace_back(signals.intent->labels[i],
                                          signals.intent->probabilities[i]);
    }
    decision.entropy = signals.intent->entropy;
  }
  record.signals = std::move(signals);
  return record;
}

inline RequestOutcome Finished(int completion_tokens, double predicted_ms,
                               std::string model = "pocket-small") {
  FinishEvent finish;
  finish.usage = {.prompt_tokens = 57, .completion_tokens = completion_tokens};
  finish.timings.predicted_ms = predicted_ms;
  finish.traffic = {.weight_bytes = 1000 * completion_tokens, .kv_bytes = 10};
  RequestOutcome outcome;
  outcome.model = std::move(model);
  outcome.finish = finish;
  return outcome;
}

}  // namespace aio

#endif  // AIO_DECISIONS_TESTING_RECORDS_H_
