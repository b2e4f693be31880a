// What is written down of each request that the load generator made. Plain data.
#ifndef AIO_TRAFFIC_LOAD_RECORD_H_
#define AIO_TRAFFIC_LOAD_RECORD_H_

#include <optional>
#include <string>
#include <vector>

#include "backend/events.h"
#include "base/clock.h"
#include "base/status.h"

namespace aio {

// Tokens that came at once.
struct TokenArrival {
  Duration at{};  // since the run began
  int tokens = 0;
};

struct LoadRecord {
  std::string id;
  // Since the run began. `intended` is when the request was meant to go out, `sent` when it did:
  // a sender that was held up is late, and its users have waited all the same.
  Duration intended{};
  Duration sent{};
  Duration end{};                      // of the last event, or of the refusal
  std::vector<TokenArrival> arrivals;  // empty: no token came

  std::string model;                 // that answered; empty: none
  std::optional<Decision> decision;  // absent: nobody routed, or nobody said
  std::string text;
  FinishEvent finish;
  Status error;  // not ok: refused or broken off, and the rest may be missing

  int output_tokens() const { return finish.usage.completion_tokens; }
  // As the user sees them, hence from `intended`.
  Duration to_first_token() const {
    return arrivals.empty() ? Duration{} : arrivals.front().at - intended;
  }
  Duration to_end() const { return end - intended; }
  Duration lateness() const { return sent - intended; }
  // From the first token to the last; 0 if they came at once.
  Duration decoding() const {
    return arrivals.empty() ? Duration{} : arrivals.back().at - arrivals.front().at;
  }
  // 0 if there was none.
  double tokens_per_second() const;
};

}  // namespace aio

#endif  // AIO_TRAFFIC_LOAD_RECORD_H_
