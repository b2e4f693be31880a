// Decides logged requests again: by the policies that decided them, to see that the same comes out,
// and by others, to see what these would change.
//
// What is said of a change comes from the log alone: which requests would move, from the signals;
// whether answers would be better, from clients' feedback on requests of the same intent that the
// other model answered; how fast and for how many bytes, from requests that ran on the other arm.
// Where the log has nothing of the kind, that is said instead.
#ifndef AIO_DECISIONS_REPLAY_H_
#define AIO_DECISIONS_REPLAY_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/status.h"
#include "decisions/log_reader.h"
#include "router/routing_policy.h"

namespace aio {

// What answers: which model on which weights, and how it decodes. A strategy changes the speed of
// an answer and nothing else, so whether an answer is good depends on the first two.
struct ReplayArm {
  std::string role;
  std::string weights;
  StrategyKind strategy = StrategyKind::kPlain;

  bool SameAnswers(const ReplayArm& other) const {
    return role == other.role && weights == other.weights;
  }
  std::string Name() const;  // "large, prompt_lookup", "small on w8a16, plain"

  friend bool operator<(const ReplayArm& a, const ReplayArm& b) {
    return std::tie(a.role, a.weights, a.strategy) < std::tie(b.role, b.weights, b.strategy);
  }
  friend bool operator==(const ReplayArm&, const ReplayArm&) = default;
};

// Of the requests that one policy decided when they came.
struct PolicyCheck {
  std::string hash;
  std::string name;   // empty: its text is not in the log, or cannot be read
  std::string fault;  // why it cannot be checked; empty: it was
  int64_t requests = 0;
  int64_t same = 0;                      // role, strategy, weights, rule and reason, byte for byte
  std::vector<std::string> differences;  // the first: "row 17, id r1: rule small-code, was other"
};

struct Interval95 {
  double value = 0;
  double low = 0;
  double high = 0;
};

// Requests that would go another way.
struct ReplayMove {
  int64_t row = 0;
  std::string request_id;
  std::string intent;  // empty: not probed
  ReplayArm from;
  ReplayArm to;
  std::string rule;  // of the other policy
  std::string reason;
};

struct ReplayMoveGroup {
  std::string intent;
  ReplayArm from;
  ReplayArm to;
  int64_t requests = 0;
  // Feedback on these requests, and on requests of that intent that the model they would go to
  // answered. Not counted where both would give the same answer.
  int64_t scores_from = 0;
  int64_t scores_to = 0;
};

struct ScoreChange {
  int64_t requests = 0;  // that a policy decided
  int64_t moved = 0;     // of these, to a model that may answer otherwise
  int64_t said = 0;      // of these, in groups with feedback on either side
  // Of the mean score over all requests, if those that nothing can be said of did not change.
  // Absent: nothing can be said. A difference of means over groups, with Agresti and Caffo's
  // interval (2000, "Simple and effective confidence intervals for proportions and differences of
  // proportions result from adding two successes and two failures"), which holds for few scores and
  // for scores that all agree; for other scores than -1 and 1 it is wider than it need be.
  std::optional<Interval95> mean;
};

// Of answers that came to their end, as they ran: with whatever else ran at the time.
struct ArmUse {
  int64_t requests = 0;
  int64_t tokens = 0;  // of the answers
  double seconds = 0;  // from the first step to the last token
  int64_t bytes = 0;   // read, the probe's included
};

struct CostChange {
  int64_t requests = 0;  // with answers that ended, whose arm under the other policy was seen
  int64_t unseen = 0;    // would move to an arm that no logged answer ran on: left out
  double tokens_per_second = 0;           // all tokens over all seconds, as logged ...
  double tokens_per_second_expected = 0;  // ... and with moved requests at their new arm's mean
  double bytes_per_token = 0;
  double bytes_per_token_expected = 0;
};

struct PolicyReplay {
  std::string name;
  std::string hash;
  int64_t requests = 0;      // decided anew
  int64_t moved = 0;         // to another arm
  int64_t unprobed = 0;      // would have been probed, but were not: decided as if that had failed
  int64_t may_escalate = 0;  // go to the small model first; which go on to the large is not known
  std::vector<ReplayMoveGroup> groups;  // the largest first
  std::vector<ReplayMove> moves;        // the first, at most ReplayOptions::moves_max
  ScoreChange score;
  CostChange cost;
};

struct ReplayReport {
  int64_t requests = 0;  // rows that could be read
  int64_t by_name = 0;   // of these, asked for by name: no policy decides them
  int64_t without_end = 0;
  int64_t scored = 0;
  int64_t first_unix_seconds = 0;
  int64_t last_unix_seconds = 0;
  std::vector<PolicyCheck> checks;
  std::map<ReplayArm, ArmUse> arms;
  std::vector<PolicyReplay> policies;
};

struct ReplayOptions {
  size_t moves_max = 20;  // listed one by one
  size_t differences_max = 20;
};

// Add() every request, then Finish(). The same requests and policies give the same report.
class Replay {
 public:
  // `logged` are the texts of LogReader::ReadPolicies().
  Replay(const std::map<std::string, std::string>& logged, std::vector<RoutingPolicy> others,
         ReplayOptions options = {});
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;
  ~Replay();

  void Add(const LoggedRequest& request);
  ReplayReport Finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aio

#endif  // AIO_DECISIONS_REPLAY_H_
