// A sink that keeps what it is told, and calls that wait for their outcome; for tests.
#ifndef AIO_ENGINE_TESTING_COLLECTING_SINK_H_
#define AIO_ENGINE_TESTING_COLLECTING_SINK_H_

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.h"

namespace aio {

// All events of one generation, put together.
struct CollectedAnswer {
  std::optional<StartEvent> start;
  std::string text;
  std::vector<int32_t> tokens;
  std::vector<TokenLogprob> logprobs;
  std::vector<float> entropies;
  int num_token_events = 0;
  std::optional<FinishEvent> finish;
  Status error;
  int num_ends = 0;  // OnFinish and OnError; more than one breaks the contract
  // An event came out of order: before OnStart or after the end.
  bool is_out_of_order = false;
};

// The hooks are set before Generate() and called on the engine's thread after the event
// was recorded.
class CollectingSink final : public EventSink {
 public:
  std::function<void()> on_start;
  std::function<void()> on_token;
  std::function<void()> on_end;

  void OnStart(const StartEvent& event) override;
  void OnToken(const TokenEvent& event) override;
  void OnFinish(const FinishEvent& event) override;
  void OnError(const Status& status) override;

  // Waits for the end.
  CollectedAnswer Wait();

 private:
  void End();

  std::mutex mutex_;
  std::condition_variable ended_;
  CollectedAnswer answer_;  // guarded by mutex_
};

// Generate() and wait; a refusal becomes `error`.
CollectedAnswer GenerateAndWait(Backend& backend, Request request);
// ScoreLabels() and wait.
Result<LabelScores> ScoreLabelsAndWait(Backend& backend, const Request& request,
                                       const LabelQuery& labels);

// All that must be equal where answers are said to be identical, floats to the last bit.
std::string Transcript(const CollectedAnswer& answer);

}  // namespace aio

#endif  // AIO_ENGINE_TESTING_COLLECTING_SINK_H_
