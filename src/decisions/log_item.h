// What is written to a log, one after the other. Internal to decisions/.
#ifndef AIO_DECISIONS_LOG_ITEM_H_
#define AIO_DECISIONS_LOG_ITEM_H_

#include <cstdint>
#include <functional>
#include <variant>

#include "base/status.h"
#include "decisions/feedback.h"
#include "router/decision_observer.h"

namespace aio {

struct LoggedDecision {
  uint64_t number = 0;
  DecisionRecord record;
};

struct LoggedEnd {
  uint64_t number = 0;
  RequestOutcome outcome;
};

struct LoggedFeedback {
  Feedback feedback;
  int64_t unix_seconds = 0;
  std::function<void(Status)> done;
  Status result;  // once it was written
};

using LogItem = std::variant<LoggedDecision, LoggedEnd, LoggedFeedback>;

}  // namespace aio

#endif  // AIO_DECISIONS_LOG_ITEM_H_
