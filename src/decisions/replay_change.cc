#include "decisions/replay_change.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace aio {
namespace {

// Of scores from -1 to 1.
struct Scores {
  int64_t count = 0;
  double sum = 0;
  double squares = 0;

  void Add(double score) {
    ++count;
    sum += score;
    squares += score * score;
  }
  double Mean() const { return sum / static_cast<double>(count); }
  // With one of -1 and one of 1 added, which leave the sum as it is.
  double AdjustedMean() const { return sum / static_cast<double>(count + 2); }
  double AdjustedVarianceOfMean() const {
    const auto n = static_cast<double>(count + 2);
    const double mean = AdjustedMean();
    return ((squares + 2) / n - mean * mean) / n;
  }
};

// An arm's model and weights, by intent: what feedback is compared within.
struct Stratum {
  int32_t intent;
  std::string role;
  std::string weights;

  friend bool operator<(const Stratum& a, const Stratum& b) {
    return std::tie(a.intent, a.role, a.weights) < std::tie(b.intent, b.role, b.weights);
  }
};

Stratum StratumOf(const ReplayedRequests& log, int32_t intent, int32_t arm) {
  const ReplayArm& of = log.arms[static_cast<size_t>(arm)];
  return {intent, of.role, of.weights};
}

using GroupKey = std::tuple<int32_t, int32_t, int32_t>;  // intent, from, to

struct Group {
  int64_t requests = 0;
  Scores scores;
};

std::map<GroupKey, Group> GroupMoves(const ReplayedRequests& log, const std::vector<int32_t>& to) {
  std::map<GroupKey, Group> groups;
  for (size_t i = 0; i < to.size(); ++i) {
    const ReplayedRequest& request = log.requests[i];
    if (to[i] == request.arm) continue;
    Group& group = groups[{request.intent, request.arm, to[i]}];
    ++group.requests;
    if (!std::isnan(request.score)) group.scores.Add(request.score);
  }
  return groups;
}

std::map<Stratum, Scores> ScoresByStratum(const ReplayedRequests& log) {
  std::map<Stratum, Scores> strata;
  for (const ReplayedRequest& request : log.requests) {
    if (std::isnan(request.score)) continue;
    strata[StratumOf(log, request.intent, request.arm)].Add(request.score);
  }
  return strata;
}

// The means of groups are independent of each other; those of the models they would go to may
// be one and the same for several groups, and are weighed together.
class ScoreSum {
 public:
  explicit ScoreSum(int64_t requests) : requests_(static_cast<double>(requests)) {}

  void Add(const Group& group, const Stratum& stratum, const Scores& there) {
    const double weight = static_cast<double>(group.requests) / requests_;
    value_ += weight * (there.Mean() - group.scores.Mean());
    centre_ += weight * (there.AdjustedMean() - group.scores.AdjustedMean());
    variance_ += weight * weight * group.scores.AdjustedVarianceOfMean();
    auto& [total, scores] = strata_[stratum];
    total += weight;
    scores = there;
  }

  Interval95 Get() const {
    constexpr double kZ95 = 1.959963984540054;
    double variance = variance_;
    for (const auto& [stratum, weighed] : strata_) {
      variance += weighed.first * weighed.first * weighed.second.AdjustedVarianceOfMean();
    }
    const double half = kZ95 * std::sqrt(variance);
    return {.value = value_,
            .low = std::max(-2.0, centre_ - half),
            .high = std::min(2.0, centre_ + half)};
  }

 private:
  const double requests_;
  double value_ = 0;
  double centre_ = 0;
  double variance_ = 0;
  std::map<Stratum, std::pair<double, Scores>> strata_;
};

void DescribeGroups(const ReplayedRequests& log, const std::map<GroupKey, Group>& groups,
                    PolicyReplay& replay) {
  const std::map<Stratum, Scores> strata = ScoresByStratum(log);
  ScoreChange& change = replay.score;
  change.requests = replay.requests;
  ScoreSum sum(std::max<int64_t>(1, replay.requests));
  for (const auto& [key, group] : groups) {
    const auto& [intent, from, to] = key;
    ReplayMoveGroup described;
    described.intent = log.intents[static_cast<size_t>(intent)];
    described.from = log.arms[static_cast<size_t>(from)];
    described.to = log.arms[static_cast<size_t>(to)];
    described.requests = group.requests;
    replay.moved += group.requests;
    if (!described.from.SameAnswers(described.to)) {
      change.moved += group.requests;
      const Stratum stratum = StratumOf(log, intent, to);
      const auto there = strata.find(stratum);
      described.scores_from = group.scores.count;
      described.scores_to = there == strata.end() ? 0 : there->second.count;
      if (described.scores_from > 0 && described.scores_to > 0) {
        change.said += group.requests;
        sum.Add(group, stratum, there->second);
      }
    }
    replay.groups.push_back(std::move(described));
  }
  if (change.said > 0) change.mean = sum.Get();
  std::stable_sort(
      replay.groups.begin(), replay.groups.end(),
      [](const ReplayMoveGroup& a, const ReplayMoveGroup& b) { return a.requests > b.requests; });
}

std::vector<ArmUse> UseByArm(const ReplayedRequests& log) {
  std::vector<ArmUse> use(log.arms.size());
  for (const ReplayedRequest& request : log.requests) {
    if (!request.ended) continue;
    ArmUse& arm = use[static_cast<size_t>(request.arm)];
    ++arm.requests;
    arm.tokens += request.tokens;
    arm.seconds += static_cast<double>(request.seconds);
    arm.bytes += request.bytes;
  }
  return use;
}

void DescribeCost(const ReplayedRequests& log, const std::vector<int32_t>& to,
                  PolicyReplay& replay) {
  const std::vector<ArmUse> use = UseByArm(log);
  CostChange& cost = replay.cost;
  double tokens = 0, seconds = 0, bytes = 0, seconds_expected = 0, bytes_expected = 0;
  for (size_t i = 0; i < to.size(); ++i) {
    const ReplayedRequest& request = log.requests[i];
    if (!request.by_policy || !request.ended) continue;
    const ArmUse& there = use[static_cast<size_t>(to[i])];
    const bool moves = to[i] != request.arm;
    if (moves && there.requests == 0) {
      ++cost.unseen;
      continue;
    }
    ++cost.requests;
    tokens += request.tokens;
    seconds += static_cast<double>(request.seconds);
    bytes += static_cast<double>(request.bytes);
    const double share = static_cast<double>(request.tokens) / static_cast<double>(there.tokens);
    seconds_expected += moves ? there.seconds * share : static_cast<double>(request.seconds);
    bytes_expected +=
        moves ? static_cast<double>(there.bytes) * share : static_cast<double>(request.bytes);
  }
  if (tokens == 0) return;
  if (seconds > 0) cost.tokens_per_second = tokens / seconds;
  if (seconds_expected > 0) cost.tokens_per_second_expected = tokens / seconds_expected;
  cost.bytes_per_token = bytes / tokens;
  cost.bytes_per_token_expected = bytes_expected / tokens;
}

}  // namespace

void DescribeChange(const ReplayedRequests& log, const std::vector<int32_t>& to,
                    PolicyReplay& replay) {
  replay.requests = std::count_if(log.requests.begin(), log.requests.end(),
                                  [](const ReplayedRequest& request) { return request.by_policy; });
  DescribeGroups(log, GroupMoves(log, to), replay);
  DescribeCost(log, to, replay);
}

std::map<ReplayArm, ArmUse> CountUse(const ReplayedRequests& log) {
  const std::vector<ArmUse> use = UseByArm(log);
  std::map<ReplayArm, ArmUse> by_arm;
  for (size_t i = 0; i < use.size(); ++i) {
    if (use[i].requests > 0) by_arm[log.arms[i]] = use[i];
  }
  return by_arm;
}

}  // namespace aio
