#include "eval/policy_outcomes.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "router/as_seen_by.h"

namespace aio {
namespace {

Difference95 MeanOf(const std::vector<double>& differences) {
  constexpr double kZ95 = 1.959963984540054;
  const auto count = static_cast<double>(differences.size());
  double sum = 0, squares = 0;
  for (const double difference : differences) sum += difference;
  const double mean = sum / count;
  for (const double difference : differences) squares += (difference - mean) * (difference - mean);
  const double half = count > 1 ? kZ95 * std::sqrt(squares / (count - 1) / count) : 2;
  return {.value = mean, .low = mean - half, .high = mean + half};
}

}  // namespace

PolicyOnOutcomes ReplayOutcomes(const RoutingPolicy& policy,
                                const std::vector<OutcomeQuery>& queries,
                                const std::vector<Signals>& signals) {
  AIO_CHECK(!queries.empty() && queries.size() == signals.size());
  PolicyOnOutcomes out;
  out.name = policy.name();
  out.hash = policy.hash();
  out.queries = static_cast<int64_t>(queries.size());
  const auto count = static_cast<double>(queries.size());
  std::vector<bool> small;
  for (size_t i = 0; i < queries.size(); ++i) {
    const PolicyOutcome outcome = policy.Decide(AsSeenBy(policy, signals[i]));
    small.push_back(outcome.role == kSmallRole);
    out.on_small += small.back() ? 1 : 0;
    out.may_escalate += outcome.cascade ? 1 : 0;
    const OutcomeQuery& query = queries[i];
    out.quality += (small.back() ? query.small : query.large) / count;
    out.all_small += query.small / count;
    out.all_large += query.large / count;
    out.oracle += std::max(query.small, query.large) / count;
  }
  // Random routing gives each query the mean of both outcomes, weighed by its share.
  const double share = static_cast<double>(out.on_small) / count;
  std::vector<double> to_large, to_random;
  for (size_t i = 0; i < queries.size(); ++i) {
    const OutcomeQuery& query = queries[i];
    const double quality = small[i] ? query.small : query.large;
    to_large.push_back(quality - query.large);
    to_random.push_back(quality - share * query.small - (1 - share) * query.large);
  }
  out.to_large = MeanOf(to_large);
  out.to_random = MeanOf(to_random);
  return out;
}

}  // namespace aio
