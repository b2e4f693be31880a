#include "sim/compare_policies.h"

#include <fmt/format.h>

#include <array>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <optional>
#include <utility>

#include "sim/find_policy.h"

namespace aio {
namespace {

struct Metric {
  const char* name;
  std::optional<double> (*value)(const SimSummary& summary);
};

std::optional<double> If(bool is_known, double value) {
  return is_known ? std::optional(value) : std::nullopt;
}

constexpr std::array<Metric, 11> kMetrics = {{
    {"answer tokens/s",
     [](const SimSummary& s) { return If(s.answered > 0, s.tokens_per_second); }},
    {"p50 TTFT, ms", [](const SimSummary& s) { return If(s.answered > 0, s.first_token_ms.p50); }},
    {"p99 TTFT, ms", [](const SimSummary& s) { return If(s.answered > 0, s.first_token_ms.p99); }},
    {"p50 TPOT, ms",
     [](const SimSummary& s) { return If(s.per_token_ms.count > 0, s.per_token_ms.p50); }},
    {"p99 TPOT, ms",
     [](const SimSummary& s) { return If(s.per_token_ms.count > 0, s.per_token_ms.p99); }},
    {"p50 end to end, ms",
     [](const SimSummary& s) { return If(s.answered > 0, s.end_to_end_ms.p50); }},
    {"p99 end to end, ms",
     [](const SimSummary& s) { return If(s.answered > 0, s.end_to_end_ms.p99); }},
    {"within targets, %", [](const SimSummary& s) { return If(true, 100 * s.good_share); }},
    {"GB read a token", [](const SimSummary& s) { return If(s.answered > 0, s.gb_per_token); }},
    {"USD a million tokens",
     [](const SimSummary& s) { return If(s.usd > 0, s.usd_per_million_tokens); }},
    {"expected accuracy, %", [](const SimSummary& s) { return s.accuracy; }},
}};

ComparedMetric CompareMetric(const Metric& metric, const std::vector<SimSummary>& first,
                             const std::vector<SimSummary>& other) {
  ComparedMetric compared{.name = metric.name};
  const auto count = static_cast<double>(first.size());
  std::vector<double> differences;
  for (size_t i = 0; i < first.size(); ++i) {
    const double a = *metric.value(first[i]);
    const double b = *metric.value(other[i]);
    compared.first += a / count;
    compared.other += b / count;
    compared.difference += (b - a) / count;
    differences.push_back(b - a);
  }
  double squares = 0;
  for (const double difference : differences) {
    squares += std::pow(difference - compared.difference, 2);
  }
  constexpr double kConfidence = 0.95;
  const boost::math::students_t t(count - 1);
  const double half =
      boost::math::quantile(t, (1 + kConfidence) / 2) * std::sqrt(squares / (count - 1) / count);
  compared.interval = {compared.difference - half, compared.difference + half};
  return compared;
}

bool IsKnown(const Metric& metric, const std::vector<SimSummary>& summaries) {
  for (const SimSummary& summary : summaries) {
    if (!metric.value(summary)) return false;
  }
  return true;
}

}  // namespace

Result<PolicyComparisons> ComparePolicies(
    const Scenario& scenario, const std::vector<std::string>& policies, int repetitions,
    int threads, const std::function<void(size_t done, size_t total)>& progress) {
  if (policies.size() < 2) return InvalidArgument("a comparison needs two policies at least");
  if (scenario.traffic.seen != nullptr && scenario.traffic.rate <= 0) {
    return InvalidArgument(
        "requests that were seen are the same in every draw: say a rate, so that they are drawn "
        "from");
  }
  if (repetitions < 2) return InvalidArgument("a comparison needs two repetitions at least");
  std::vector<Scenario> scenarios;
  for (const std::string& policy : policies) {
    for (int i = 0; i < repetitions; ++i) {
      Scenario run = scenario;
      run.name = policy;
      AIO_ASSIGN_OR_RETURN(run.setup.policy, FindPolicy(policy));
      run.traffic.seed += static_cast<uint64_t>(i);
      run.setup.seed += static_cast<uint64_t>(i);
      if (i > 0) run.timeline_points = 0;
      scenarios.push_back(std::move(run));
    }
  }
  const size_t total = scenarios.size();
  auto results = RunScenarios(scenarios, threads, [&](size_t done) {
    if (progress) progress(done, total);
  });
  PolicyComparisons comparison{
      .first = policies[0], .repetitions = repetitions, .others = {}, .results = {}};
  std::vector<std::vector<SimSummary>> summaries(policies.size());
  for (size_t i = 0; i < results.size(); ++i) {
    AIO_ASSIGN_OR_RETURN(ScenarioResult result, std::move(results[i]));
    const size_t policy = i / static_cast<size_t>(repetitions);
    summaries[policy].push_back(result.summary);
    if (summaries[policy].size() == 1) comparison.results.push_back(std::move(result));
  }
  for (size_t i = 1; i < policies.size(); ++i) {
    PolicyComparison other{.policy = policies[i], .metrics = {}};
    for (const Metric& metric : kMetrics) {
      if (!IsKnown(metric, summaries[0]) || !IsKnown(metric, summaries[i])) continue;
      other.metrics.push_back(CompareMetric(metric, summaries[0], summaries[i]));
    }
    comparison.others.push_back(std::move(other));
  }
  return comparison;
}

}  // namespace aio
