// Tells an observer how one request ended. Internal to router/.
#ifndef AIO_ROUTER_TOLD_DECISION_H_
#define AIO_ROUTER_TOLD_DECISION_H_

#include <cstdint>
#include <string>
#include <utility>

#include "router/decision_observer.h"

namespace aio {

// From the decision, which it tells when made, to the end. Methods are for one thread at a time.
class ToldDecision {
 public:
  ToldDecision(DecisionObserver& observer, DecisionRecord record)
      : observer_(observer), number_(observer.Decided(std::move(record))) {}

  void Started(const std::string& model) { outcome_.model = model; }
  void Finished(const FinishEvent& finish) {
    outcome_.finish = finish;
    observer_.Ended(number_, outcome_);
  }
  void Failed(const Status& status) {
    outcome_.error = status;
    observer_.Ended(number_, outcome_);
  }

 private:
  DecisionObserver& observer_;
  const uint64_t number_;
  RequestOutcome outcome_;
};

}  // namespace aio

#endif  // AIO_ROUTER_TOLD_DECISION_H_
