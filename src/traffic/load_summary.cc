#include "traffic/load_summary.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace aio {
namespace {

double Ratio(double above, double below) { return below > 0 ? above / below : 0; }

// Gathers what is to be summed or ranked.
class Summing {
 public:
  explicit Summing(LoadSummary& summary) : summary_(summary) {}

  void Add(const LoadRecord& record) {
    ++answered_;
    summary_.prompt_tokens += record.finish.usage.prompt_tokens;
    summary_.output_tokens += record.output_tokens();
    summary_.traffic += record.finish.traffic;
    if (record.decision && record.decision->role == "small") ++summary_.small_answers;
    AddTimes(record);
    AddOverhead(record);
    const double rate = record.tokens_per_second();
    if (rate <= 0) return;  // an empty answer has no speed
    ++rated_;
    rates_ += rate;
    inverse_rates_ += 1 / rate;
  }

  void Finish() {
    summary_.first_token_ms = PercentilesOf(std::move(first_token_));
    summary_.per_token_ms = PercentilesOf(std::move(per_token_));
    summary_.token_gap_ms = PercentilesOf(std::move(gaps_));
    summary_.end_to_end_ms = PercentilesOf(std::move(end_to_end_));
    summary_.rates.arithmetic = Ratio(rates_, rated_);
    summary_.rates.harmonic = Ratio(rated_, inverse_rates_);
    summary_.rates.total = Ratio(static_cast<double>(summary_.output_tokens), summary_.seconds);
    OverheadMs& overhead = summary_.overhead;
    overhead.probe = Ratio(sums_.probe, probed_);
    overhead.queue = Ratio(sums_.queue, answered_);
    overhead.prompt = Ratio(sums_.prompt, answered_);
    overhead.decode = Ratio(sums_.decode, answered_);
    overhead.other = Ratio(sums_.other, answered_);
    overhead.share = Ratio(routing_ms_, routed_ms_);
  }

 private:
  void AddTimes(const LoadRecord& record) {
    end_to_end_.push_back(ToMs(record.to_end()));
    if (record.arrivals.empty()) return;
    first_token_.push_back(ToMs(record.to_first_token()));
    if (record.output_tokens() > 1) {
      per_token_.push_back(ToMs(record.decoding()) / (record.output_tokens() - 1));
    }
    for (size_t i = 1; i < record.arrivals.size(); ++i) {
      gaps_.push_back(ToMs(record.arrivals[i].at - record.arrivals[i - 1].at));
    }
  }

  void AddOverhead(const LoadRecord& record) {
    const Timings& timings = record.finish.timings;
    const double known = timings.probe_ms + timings.queue_ms + timings.prompt_ms;
    const double wait_ms = ToMs(record.to_first_token() - record.lateness());
    // Backends that say nothing of their times leave nothing to tell apart.
    const double other = known > 0 && !record.arrivals.empty() ? std::max(0.0, wait_ms - known) : 0;
    if (timings.probe_ms > 0) ++probed_;
    sums_.probe += timings.probe_ms;
    sums_.queue += timings.queue_ms;
    sums_.prompt += timings.prompt_ms;
    sums_.decode += timings.predicted_ms;
    sums_.other += other;
    if (!record.decision || record.decision->rule == "override") return;
    routing_ms_ += timings.probe_ms + other;
    routed_ms_ += ToMs(record.to_end());
  }

  LoadSummary& summary_;
  double answered_ = 0, rated_ = 0, probed_ = 0;
  double rates_ = 0, inverse_rates_ = 0;
  double routing_ms_ = 0, routed_ms_ = 0;
  OverheadMs sums_;
  std::vector<double> first_token_, per_token_, gaps_, end_to_end_;
};

Costs CostsOf(const LoadSummary& summary, const Prices& prices) {
  Costs costs;
  costs.price = summary.seconds / 3600 * prices.per_hour;
  costs.joules = summary.seconds * prices.watts;
  const auto tokens = static_cast<double>(summary.output_tokens);
  costs.price_per_million_tokens = Ratio(costs.price * 1e6, tokens);
  costs.joules_per_token = Ratio(costs.joules, tokens);
  return costs;
}

}  // namespace

Percentiles PercentilesOf(std::vector<double> values) {
  Percentiles result;
  if (values.empty()) return result;
  std::sort(values.begin(), values.end());
  const auto count = static_cast<double>(values.size());
  const auto rank = [&](double share) {
    const auto at = static_cast<size_t>(std::max(1.0, std::ceil(share * count)));
    return values[std::min(at, values.size()) - 1];
  };
  result.count = static_cast<int64_t>(values.size());
  result.mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  result.p50 = rank(0.5);
  result.p90 = rank(0.9);
  result.p95 = rank(0.95);
  result.p99 = rank(0.99);
  result.max = values.back();
  return result;
}

double SpanSeconds(std::span<const LoadRecord> records) {
  if (records.empty()) return 0;
  Duration first = records.front().intended;
  Duration last = records.front().end;
  for (const LoadRecord& record : records) {
    first = std::min(first, record.intended);
    last = std::max(last, record.end);
  }
  return ToMs(last - first) / 1000;
}

LoadSummary Summarise(std::span<const LoadRecord> records, double seconds, const Prices& prices) {
  LoadSummary summary;
  summary.requests = static_cast<int64_t>(records.size());
  summary.seconds = seconds > 0 ? seconds : SpanSeconds(records);
  std::vector<double> late;
  late.reserve(records.size());
  Summing sums(summary);
  for (const LoadRecord& record : records) {
    late.push_back(ToMs(record.lateness()));
    if (record.error.ok()) {
      sums.Add(record);
    } else {
      ++summary.errors;
    }
  }
  summary.sender_late_ms = PercentilesOf(std::move(late));
  sums.Finish();
  if (prices.per_hour > 0 || prices.watts > 0) summary.costs = CostsOf(summary, prices);
  return summary;
}

}  // namespace aio
