// A Backend that costs next to nothing, so that what stands above it can be measured and broken:
// no model; the answer to every request is "0 1 2 ..." as many tokens as it asks for, at a pace
// that is set. It accounts for KV blocks as an engine does, so that leaks of them show.
#ifndef AIO_STRESS_STUB_BACKEND_H_
#define AIO_STRESS_STUB_BACKEND_H_

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "backend/backend.h"
#include "base/clock.h"

namespace aio {

struct StubBackendOptions {
  Duration token_interval{};  // also before the first token; 0: as fast as it can
  int tokens_default = 4;     // of requests that do not say
};

// Since the start, but for the first two.
struct StubCounts {
  int running = 0;
  int64_t kv_blocks_used = 0;
  int64_t started = 0;
  int64_t finished = 0;
  int64_t cancelled = 0;
  TimePoint last_cancelled{};  // when the KV of the last one was free
};

// The prompt may ask for faults: one that is "stall" never gets a token, one that is "fail" an
// error in place of the second, one that is "flood" all of its tokens at once.
//
// Events come from one thread of its own, as an engine's do. Thread-safe.
class StubBackend final : public Backend {
 public:
  // `clock` is the machine's: the pace is real time.
  StubBackend(StubBackendOptions options, const Clock& clock);
  ~StubBackend() override;  // what runs is dropped, untold

  StubCounts counts() const;

  std::vector<ModelInfo> Models() const override;
  std::vector<ModelLoad> Load() const override;
  Result<int> CountPromptTokens(const Request& request) const override;
  Status ValidateLabels(std::string_view model, const LabelQuery& labels) const override;
  Result<std::shared_ptr<Ticket>> ScoreLabels(const Request& request, const LabelQuery& labels,
                                              LabelScoresCallback done) override;
  Status Decide(const Request& request, DecisionCallback done) override;
  Result<std::shared_ptr<Ticket>> Generate(Request request,
                                           std::shared_ptr<EventSink> sink) override;

 private:
  struct Shared;
  class Work;
  class StubTicket;
  struct Later;

  void Run();
  // The next event of `work`. False if it was the last.
  bool Step(Work& work);
  bool StepToken(Work& work);  // likewise; it has begun
  void EndCancelled(const std::vector<std::shared_ptr<Work>>& cancelled);
  void Ended(const Work& work, bool cancelled);

  const StubBackendOptions options_;
  const Clock& clock_;
  const std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace aio

#endif  // AIO_STRESS_STUB_BACKEND_H_
