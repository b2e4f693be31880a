#include "traffic/load_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace aio {
namespace {

using Json = nlohmann::json;
using std::chrono::microseconds;

TEST(LoadJson, ARecordHasTimesArmAndBytes) {
  LoadRecord record;
  record.id = "r1";
  record.intended = microseconds(1000);
  record.sent = microseconds(1500);
  record.arrivals = {{microseconds(3000), 1}, {microseconds(4250), 3}};
  record.end = microseconds(4300);
  record.model = "pocket-small";
  record.decision = Decision{};
  record.decision->role = "small";
  record.decision->strategy.kind = StrategyKind::kPromptLookup;
  record.decision->probed = true;
  record.decision->intent = "code";
  record.text = "ab\xFF";
  record.finish.usage = {.prompt_tokens = 9, .cached_prompt_tokens = 2, .completion_tokens = 4};
  record.finish.timings.probe_ms = 0.5;
  record.finish.traffic = {.weight_bytes = 100, .kv_bytes = 10, .static_large_bytes = 900};
  const std::string line = RecordLine(record, {{"configuration", "routed"}, {"task", "pocket-qa"}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const Json json = Json::parse(line);
  EXPECT_EQ(json["configuration"], "routed");
  EXPECT_EQ(json["task"], "pocket-qa");
  EXPECT_EQ(json["intended_ms"], 1.0);
  EXPECT_EQ(json["sent_ms"], 1.5);
  EXPECT_EQ(json["first_token_ms"], 3.0);
  EXPECT_EQ(json["end_ms"], 4.3);
  EXPECT_EQ(json["token_ms"], Json::parse("[3.0, 4.25]"));
  EXPECT_EQ(json["token_counts"], Json::parse("[1, 3]"));
  EXPECT_EQ(json["role"], "small");
  EXPECT_EQ(json["strategy"], "prompt_lookup");
  EXPECT_EQ(json["intent"], "code");
  EXPECT_EQ(json["output_tokens"], 4);
  EXPECT_EQ(json["server_ms"]["probe"], 0.5);
  EXPECT_EQ(json["bytes"]["total"], 110);
  EXPECT_FALSE(json.contains("error"));
}

TEST(LoadJson, AFailedRecordSaysWhy) {
  LoadRecord record;
  record.error = ResourceExhausted("the queue is full");
  const Json json = Json::parse(RecordLine(record));
  EXPECT_EQ(json["error"], "resource_exhausted: the queue is full");
  EXPECT_FALSE(json.contains("output_tokens"));
}

TEST(LoadJson, ASummaryHasRatesAndPercentiles) {
  LoadSummary summary;
  summary.requests = 3;
  summary.rates = {.arithmetic = 3, .harmonic = 2, .total = 1};
  summary.first_token_ms.p95 = 12;
  const Json json = Json::parse(SummaryJson(summary));
  EXPECT_EQ(json["requests"], 3);
  EXPECT_EQ(json["tokens_per_second"]["harmonic_mean"], 2.0);
  EXPECT_EQ(json["first_token_ms"]["p95"], 12.0);
  EXPECT_FALSE(json.contains("costs"));
  summary.costs = Costs{.joules_per_token = 4};
  EXPECT_EQ(Json::parse(SummaryJson(summary))["costs"]["joules_per_token"], 4.0);
}

}  // namespace
}  // namespace aio
