#include "sim/sim_summary.h"

#include <algorithm>
#include <map>
#include <utility>

namespace aio {
namespace {

double Seconds(Duration time) { return ToMs(time) / 1000; }

bool IsGood(const SimulatedAnswer& answer, const SimTargets& targets) {
  if (!answer.answered || answer.first_token_ms() > targets.first_token_ms) return false;
  return answer.answer_tokens < 2 || answer.per_token_ms() <= targets.per_token_ms;
}

// Percent, of the model that answered, for what the request is about.
std::optional<double> ExpectedAccuracy(const SimRequest& request, const SimulatedAnswer& answer,
                                       const SimWorkload& workload,
                                       const std::vector<PolicyArm>& accuracies) {
  if (request.intent < 0) return std::nullopt;
  const std::string& intent = workload.labels[static_cast<size_t>(request.intent)];
  for (const PolicyArm& arm : accuracies) {
    if ((arm.role == kSimRoleNames[kSimLarge]) != answer.large) continue;
    if (const auto accuracy = arm.AccuracyOf(intent, request.prompt_tokens)) return accuracy;
  }
  return std::nullopt;
}

double Ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

void SumUse(const SimulationSetup& setup, const SimulationResult& result, SimSummary& summary) {
  summary.pools = result.pools;
  double devices = 0;
  double peak = 0;
  bool is_priced = true;
  double usd_per_hour = 0;
  for (size_t i = 0; i < setup.pools.size(); ++i) {
    const SimulatedPool& pool = setup.pools[i];
    const double pool_peak = pool.devices * pool.device.read_gb_per_s.value;
    summary.busy_share += result.pools[i].busy_share * pool.devices;
    summary.bandwidth_share += result.pools[i].bandwidth_share * pool_peak;
    devices += pool.devices;
    peak += pool_peak;
    is_priced &= pool.device.usd_per_hour.value > 0;
    usd_per_hour += pool.devices * pool.device.usd_per_hour.value;
  }
  summary.busy_share = Ratio(summary.busy_share, devices);
  summary.bandwidth_share = Ratio(summary.bandwidth_share, peak);
  if (is_priced) summary.usd = usd_per_hour * summary.seconds / 3600;
}

}  // namespace

SimSummary SummariseRun(const SimulationSetup& setup, const SimWorkload& workload,
                        const SimulationResult& result, const SimTargets& targets,
                        const std::vector<PolicyArm>& accuracies) {
  SimSummary summary;
  summary.shortened = workload.shortened;
  std::vector<double> first_token_ms;
  std::vector<double> per_token_ms;
  std::vector<double> end_to_end_ms;
  std::vector<double> queue_ms;
  std::vector<double> probe_ms;
  std::map<std::pair<bool, StrategyKind>, int64_t> arms;
  double accuracy = 0;
  int64_t accuracies_known = 0;
  int64_t good = 0;
  int64_t small = 0;
  int64_t tokens = 0;
  for (size_t i = 0; i < result.answers.size(); ++i) {
    const SimulatedAnswer& answer = result.answers[i];
    ++summary.requests;
    good += IsGood(answer, targets) ? 1 : 0;
    if (!answer.answered) {
      ++summary.failed;
      if (summary.first_fault.empty()) summary.first_fault = answer.fault;
      continue;
    }
    ++summary.answered;
    tokens += answer.answer_tokens;
    first_token_ms.push_back(answer.first_token_ms());
    end_to_end_ms.push_back(answer.end_to_end_ms());
    queue_ms.push_back(answer.queue_ms);
    if (answer.probed) probe_ms.push_back(answer.probe_ms);
    if (answer.answer_tokens > 1) per_token_ms.push_back(answer.per_token_ms());
    small += answer.large ? 0 : 1;
    ++arms[{answer.large, answer.strategy}];
    if (const auto expected =
            ExpectedAccuracy(workload.requests[i], answer, workload, accuracies)) {
      accuracy += *expected;
      ++accuracies_known;
    }
  }
  const Duration first = workload.requests.empty() ? Duration{} : workload.requests[0].arrival;
  summary.seconds = Seconds(result.length - first);
  summary.offered_per_second =
      Ratio(static_cast<double>(summary.requests), Seconds(workload.length() - first));
  summary.requests_per_second = Ratio(static_cast<double>(summary.answered), summary.seconds);
  summary.tokens_per_second = Ratio(static_cast<double>(tokens), summary.seconds);
  const auto answered = static_cast<double>(summary.answered);
  summary.probed_share = Ratio(static_cast<double>(probe_ms.size()), answered);
  summary.first_token_ms = PercentilesOf(std::move(first_token_ms));
  summary.per_token_ms = PercentilesOf(std::move(per_token_ms));
  summary.end_to_end_ms = PercentilesOf(std::move(end_to_end_ms));
  summary.queue_ms = PercentilesOf(std::move(queue_ms));
  summary.probe_ms = PercentilesOf(std::move(probe_ms));
  summary.good_share = Ratio(static_cast<double>(good), static_cast<double>(summary.requests));
  summary.goodput = Ratio(static_cast<double>(good), summary.seconds);
  summary.small_share = Ratio(static_cast<double>(small), answered);
  for (const auto& [arm, requests] : arms) {
    summary.arms.push_back({.large = arm.first, .strategy = arm.second, .requests = requests});
  }
  if (accuracies_known > 0 && accuracies_known == summary.answered) {
    summary.accuracy = accuracy / static_cast<double>(accuracies_known);
  }
  double step_ms = 0;
  for (const ModelCounts& counts : result.models) {
    summary.gb += static_cast<double>(counts.weight_bytes + counts.kv_bytes) / 1e9;
    step_ms += counts.step_ms;
    summary.draft_share += counts.draft_ms;
    summary.record_share += counts.record_ms;
  }
  summary.draft_share = Ratio(summary.draft_share, step_ms);
  summary.record_share = Ratio(summary.record_share, step_ms);
  summary.gb_per_token = Ratio(summary.gb, static_cast<double>(tokens));
  SumUse(setup, result, summary);
  summary.usd_per_million_tokens = Ratio(summary.usd * 1e6, static_cast<double>(tokens));
  summary.preemptions = result.preemptions;
  summary.prefix_share = Ratio(static_cast<double>(result.prefix_tokens_found),
                               static_cast<double>(result.prefix_tokens_asked));
  summary.failures = result.failures;
  return summary;
}

std::vector<TimelinePoint> TimelineOf(const SimulationResult& result, int points) {
  std::vector<TimelinePoint> timeline(static_cast<size_t>(std::max(points, 1)));
  const double width =
      std::max(Seconds(result.length), 1e-9) / static_cast<double>(timeline.size());
  const auto at = [&](double seconds) {
    return std::min(static_cast<size_t>(std::max(seconds, 0.0) / width), timeline.size() - 1);
  };
  std::vector<std::vector<double>> first_tokens(timeline.size());
  std::vector<double> changes(timeline.size(), 0);
  for (const SimulatedAnswer& answer : result.answers) {
    const size_t arrival = at(Seconds(answer.arrival));
    ++timeline[arrival].arrivals;
    ++changes[arrival];
    // Who is still there at the end of the stretch counts in it.
    --changes[at(Seconds(answer.end))];
    if (!answer.answered) continue;
    first_tokens[arrival].push_back(answer.first_token_ms());
    const double begin = Seconds(answer.first_token);
    const double length = std::max(Seconds(answer.end) - begin, 1e-9);
    const double rate = answer.answer_tokens / length;
    for (size_t i = at(begin); i <= at(begin + length); ++i) {
      const double from = std::max(begin, width * static_cast<double>(i));
      const double to = std::min(begin + length, width * static_cast<double>(i + 1));
      timeline[i].tokens_per_second += rate * std::max(0.0, to - from) / width;
    }
  }
  double in_flight = 0;
  for (size_t i = 0; i < timeline.size(); ++i) {
    TimelinePoint& point = timeline[i];
    point.seconds = width * static_cast<double>(i);
    point.arrivals /= width;
    point.in_flight = in_flight += changes[i];
    const Percentiles first_token = PercentilesOf(std::move(first_tokens[i]));
    point.first_token_p50_ms = first_token.p50;
    point.first_token_p99_ms = first_token.p99;
  }
  return timeline;
}

}  // namespace aio
