#include "traffic/load_summary.h"

#include <gtest/gtest.h>

#include <vector>

namespace aio {
namespace {

using std::chrono::milliseconds;

// Sent when intended, at `begin` ms; `tokens` tokens, the first after `first` ms, then one each
// `gap` ms.
LoadRecord Answered(int begin, int first, int gap, int tokens) {
  LoadRecord record;
  record.intended = record.sent = milliseconds(begin);
  for (int i = 0; i < tokens; ++i) {
    record.arrivals.push_back({.at = milliseconds(begin + first + gap * i), .tokens = 1});
  }
  record.end = record.arrivals.back().at;
  record.finish.usage = {
      .prompt_tokens = 10, .cached_prompt_tokens = 0, .completion_tokens = tokens};
  return record;
}

TEST(Percentiles, AreNearestRanks) {
  std::vector<double> values;
  for (int i = 100; i > 0; --i) values.push_back(i);
  const Percentiles percentiles = PercentilesOf(values);
  EXPECT_EQ(percentiles.count, 100);
  EXPECT_DOUBLE_EQ(percentiles.mean, 50.5);
  EXPECT_EQ(percentiles.p50, 50);
  EXPECT_EQ(percentiles.p90, 90);
  EXPECT_EQ(percentiles.p95, 95);
  EXPECT_EQ(percentiles.p99, 99);
  EXPECT_EQ(percentiles.max, 100);
  EXPECT_EQ(PercentilesOf({7}).p99, 7);
  EXPECT_EQ(PercentilesOf({}).count, 0);
}

TEST(LoadSummary, HasThreeRates) {
  // 10 tokens in 1 s, and 10 in 100 ms after that: 10 and 100 tokens/s.
  const std::vector<LoadRecord> records = {Answered(0, 100, 100, 10), Answered(1000, 10, 10, 10)};
  const LoadSummary summary = Summarise(records);
  EXPECT_DOUBLE_EQ(summary.rates.arithmetic, 55);
  EXPECT_DOUBLE_EQ(summary.rates.harmonic, 2 / (1.0 / 10 + 1.0 / 100));
  EXPECT_DOUBLE_EQ(summary.seconds, 1.1);
  EXPECT_DOUBLE_EQ(summary.rates.total, 20 / 1.1);
  EXPECT_EQ(summary.output_tokens, 20);
  EXPECT_EQ(summary.prompt_tokens, 20);
}

TEST(LoadSummary, MeasuresLatencies) {
  LoadRecord late = Answered(500, 150, 20, 5);
  late.intended = milliseconds(400);
  const std::vector<LoadRecord> records = {Answered(0, 100, 10, 5), late};
  const LoadSummary summary = Summarise(records);
  EXPECT_EQ(summary.first_token_ms.p50, 100);
  EXPECT_EQ(summary.first_token_ms.max, 250);  // 100 of them the sender's
  EXPECT_EQ(summary.sender_late_ms.max, 100);
  EXPECT_EQ(summary.per_token_ms.p50, 10);
  EXPECT_EQ(summary.per_token_ms.max, 20);
  EXPECT_EQ(summary.token_gap_ms.count, 8);
  EXPECT_EQ(summary.end_to_end_ms.max, 330);
}

TEST(LoadSummary, CountsErrorsApart) {
  LoadRecord failed;
  failed.error = Unavailable("gone");
  failed.end = milliseconds(5000);
  const std::vector<LoadRecord> records = {Answered(0, 100, 100, 10), failed};
  const LoadSummary summary = Summarise(records);
  EXPECT_EQ(summary.requests, 2);
  EXPECT_EQ(summary.errors, 1);
  EXPECT_DOUBLE_EQ(summary.rates.arithmetic, 10);
  EXPECT_EQ(summary.end_to_end_ms.count, 1);
  EXPECT_DOUBLE_EQ(summary.rates.total, 2);  // the time that it took counts
}

TEST(LoadSummary, TellsWhatRoutingTook) {
  LoadRecord record = Answered(0, 100, 10, 11);  // 200 ms
  record.finish.timings = {.queue_ms = 20, .probe_ms = 30, .prompt_ms = 48, .predicted_ms = 100};
  record.decision = Decision{};
  record.decision->role = "small";
  record.decision->rule = "code-small";
  const LoadSummary summary = Summarise(std::vector<LoadRecord>{record});
  EXPECT_DOUBLE_EQ(summary.overhead.probe, 30);
  EXPECT_DOUBLE_EQ(summary.overhead.other, 2);
  EXPECT_DOUBLE_EQ(summary.overhead.share, 32.0 / 200);
  EXPECT_EQ(summary.small_answers, 1);
}

TEST(LoadSummary, CostsTimeAndEnergy) {
  const std::vector<LoadRecord> records = {Answered(0, 200, 200, 10)};  // 2 s
  EXPECT_FALSE(Summarise(records).costs.has_value());
  const LoadSummary summary = Summarise(records, 0, {.per_hour = 1800, .watts = 50});
  ASSERT_TRUE(summary.costs.has_value());
  EXPECT_DOUBLE_EQ(summary.costs->price, 1);
  EXPECT_DOUBLE_EQ(summary.costs->price_per_million_tokens, 100'000);
  EXPECT_DOUBLE_EQ(summary.costs->joules, 100);
  EXPECT_DOUBLE_EQ(summary.costs->joules_per_token, 10);
}

TEST(LoadSummary, OfNothingIsNothing) {
  const LoadSummary summary = Summarise({});
  EXPECT_EQ(summary.requests, 0);
  EXPECT_EQ(summary.rates.total, 0);
  EXPECT_EQ(summary.first_token_ms.count, 0);
}

}  // namespace
}  // namespace aio
