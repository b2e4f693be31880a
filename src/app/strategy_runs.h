// What commands that compare strategies share: requests run to their end, and where two
// answers differ.
#ifndef AIO_APP_STRATEGY_RUNS_H_
#define AIO_APP_STRATEGY_RUNS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "base/clock.h"
#include "base/status.h"

namespace aio {

// A strategy by the name that users know it by.
struct NamedStrategy {
  std::string name;
  Strategy strategy;
};
std::vector<NamedStrategy> AllStrategies();  // plain first

// All of one generation.
struct Outcome {
  Status error;  // not ok: refused or failed, and the rest may be missing
  std::string text;
  std::vector<int32_t> tokens;
  std::vector<TokenLogprob> logprobs;
  FinishEvent finish;
  TimePoint sent{};  // just before Generate()

  // Tokens that took a step after the prompt's; the first comes with it.
  int decoded_tokens() const;
  TimePoint first_token() const;
  TimePoint last_token() const;
};

// The backend has no draft model for the one that was asked for, and says so.
bool IsWithoutDraftModel(const Strategy& strategy, const Outcome& outcome);

// All at once; waits for the last. Not from a callback of `backend`.
std::vector<Outcome> RunRequests(Backend& backend, const std::vector<Request>& requests,
                                 const Clock& clock);
Outcome RunRequest(Backend& backend, const Request& request, const Clock& clock);

// The first place where two answers differ, in words.
struct Difference {
  std::string where;  // "token 3", "log-probability of token 0", "text at byte 17"
  std::string expected;
  std::string actual;
};

// Absent: the same to the last bit of every float. Times, traffic and what was speculated or
// found in a cache may differ.
std::optional<Difference> FirstDifference(const Outcome& expected, const Outcome& actual);
// Likewise for label scores.
std::optional<Difference> FirstDifference(const Result<LabelScores>& expected,
                                          const Result<LabelScores>& actual);

}  // namespace aio

#endif  // AIO_APP_STRATEGY_RUNS_H_
