// Generations in flight: what each came to. Private to this layer.
#ifndef AIO_TASKS_ANSWER_RUNS_H_
#define AIO_TASKS_ANSWER_RUNS_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "base/clock.h"
#include "base/status.h"

namespace aio {

struct AnswerRun {
  size_t index = 0;  // as it was started with
  Status error;      // not ok: refused or failed, and the rest may be missing
  StartEvent start;
  std::string text;
  std::vector<TokenLogprob> first_token_top;  // of the first token, if it was asked for
  FinishEvent finish;
  double ttft_ms = 0;   // from just before Generate() to the first token's event
  double total_ms = 0;  // to the end's
};

// Starts generations and takes what they come to, in the order of their ends. One thread uses it.
class AnswerRuns {
 public:
  explicit AnswerRuns(const Clock& clock) : clock_(clock) {}
  // Waits for what is still in flight.
  ~AnswerRuns();
  AnswerRuns(const AnswerRuns&) = delete;
  AnswerRuns& operator=(const AnswerRuns&) = delete;

  // A request that is refused at once is taken like any other.
  void Start(size_t index, Backend& backend, Request request);
  int in_flight() const { return in_flight_; }
  AnswerRun Take();  // waits; in_flight() > 0

  struct Inbox;

 private:
  const Clock& clock_;
  std::shared_ptr<Inbox> inbox_ = MakeInbox();
  int in_flight_ = 0;

  static std::shared_ptr<Inbox> MakeInbox();
};

}  // namespace aio

#endif  // AIO_TASKS_ANSWER_RUNS_H_
