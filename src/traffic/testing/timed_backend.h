// A simulated server under a clock of its own time, for tests of what puts load on backends: it
// answers one request after another, each in a scripted time. Link aio_traffic_testing.
#ifndef AIO_TRAFFIC_TESTING_TIMED_BACKEND_H_
#define AIO_TRAFFIC_TESTING_TIMED_BACKEND_H_

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "backend/backend.h"
#include "base/clock.h"
#include "traffic/waiter.h"

namespace aio {

// How one request is answered, once those before it are.
struct TimedAnswer {
  Duration blocks_sender{};  // Generate() itself takes so long, as of a sender out of threads
  Duration to_first_token = std::chrono::milliseconds(100);
  Duration between_tokens = std::chrono::milliseconds(10);
  int tokens = 5;
  Status error = {};     // not ok: in place of the end
  bool refused = false;  // ... by Generate() itself
};

// Not thread-safe; all is called from the test's thread. Waiting for it is its own `Wait`, which
// advances the clock to what comes next and delivers it.
class TimedBackend final : public Backend, public Waiter {
 public:
  explicit TimedBackend(ManualClock& clock) : clock_(clock) {}

  // Of the n-th request, from 0; empty: TimedAnswer{}.
  std::function<TimedAnswer(const Request& request, int n)> script;
  // Requests accepted and not yet answered, at most.
  int most_at_once() const { return most_at_once_; }
  const std::vector<Request>& requests() const { return requests_; }

  void Wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
            TimePoint until) override;

  std::vector<ModelInfo> Models() const override { return {}; }
  std::vector<ModelLoad> Load() const override { return {}; }
  // Words.
  Result<int> CountPromptTokens(const Request& request) const override;
  Status ValidateLabels(std::string_view, const LabelQuery&) const override { return Status::Ok(); }
  Result<std::shared_ptr<Ticket>> ScoreLabels(const Request&, const LabelQuery&,
                                              LabelScoresCallback) override {
    return Unimplemented("the timed backend does not probe");
  }
  Status Decide(const Request&, DecisionCallback) override {
    return Unimplemented("the timed backend does not decide");
  }
  Result<std::shared_ptr<Ticket>> Generate(Request request,
                                           std::shared_ptr<EventSink> sink) override;

 private:
  void Schedule(const TimedAnswer& answer, const Request& request,
                const std::shared_ptr<EventSink>& sink);

  ManualClock& clock_;
  std::vector<Request> requests_;
  std::multimap<TimePoint, std::function<void()>> events_;
  TimePoint free_at_{};  // when the last request accepted so far will be answered
  int in_progress_ = 0;
  int most_at_once_ = 0;
};

}  // namespace aio

#endif  // AIO_TRAFFIC_TESTING_TIMED_BACKEND_H_
