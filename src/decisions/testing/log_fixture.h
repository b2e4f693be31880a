// A decision log in a folder of its own, as the tests of this layer share it.
#ifndef AIO_DECISIONS_TESTING_LOG_FIXTURE_H_
#define AIO_DECISIONS_TESTING_LOG_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "decisions/decision_log.h"
#include "decisions/log_reader.h"
#include "decisions/testing/signals.h"
#include "router/routing_policy.h"

namespace aio {

// A folder that is gone with it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = testing::TempDir() + "aio-decisions-XXXXXX";
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

inline std::vector<LoggedRequest> ReadLog(const std::string& path) {
  std::vector<LoggedRequest> requests;
  Result<LogReader> reader = LogReader::Open(path);
  EXPECT_TRUE(reader.ok()) << reader.status().ToString();
  if (!reader.ok()) return requests;
  const Status read = reader->ReadAll([&](LoggedRequest r) { requests.push_back(std::move(r)); });
  EXPECT_TRUE(read.ok()) << read.ToString();
  EXPECT_EQ(reader->unreadable(), std::vector<std::string>());
  return requests;
}

class DecisionLogTest : public testing::Test {
 protected:
  std::unique_ptr<DecisionLog> OpenLog(DecisionLogOptions options = {}) {
    options.path = path_;
    Result<std::unique_ptr<DecisionLog>> log = DecisionLog::Create(std::move(options), clock_);
    EXPECT_TRUE(log.ok()) << log.status().ToString();
    return log.ok() ? *std::move(log) : nullptr;
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_ / "decisions.db";
  ManualClock clock_;
};

}  // namespace aio

#endif  // AIO_DECISIONS_TESTING_LOG_FIXTURE_H_
