#include "paper/measured_runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kEval = R"({
  "models": [{"name": "tiny", "weights": ""}, {"name": "tiny-w8a16", "weights": "w8a16"},
             {"name": "big", "weights": ""}],
  "figures": [
    {"task": "mmlu", "context": 0, "configuration": "small", "accuracy": 0.5,
     "mean_tokens_per_second": 90},
    {"task": "mmlu", "context": 0, "configuration": "large-w8a16+prompt_lookup", "accuracy": 0.75,
     "mean_tokens_per_second": 40},
    {"task": "mmlu", "context": 32768, "configuration": "small", "accuracy": 0.25,
     "mean_tokens_per_second": 0}]})";

constexpr const char* kMixed = R"({"workloads": [{"workload": "A", "configurations": [
  {"configuration": "large", "group": "static", "decide_us": 0,
   "load": {"tokens_per_second": {"arithmetic_mean": 30}}},
  {"configuration": "auto", "group": "policy", "decide_us": 2,
   "accuracy": {"percent": 80},
   "load": {"tokens_per_second": {"arithmetic_mean": 60},
            "mean_ms": {"probe": 0.5, "other": 0.25, "routing_share": 0.01}}},
  {"configuration": "auto, no strategy switch", "group": "ablation", "decide_us": 2,
   "accuracy": {"percent": 80}, "load": {"tokens_per_second": {"arithmetic_mean": 45}}}]}]})";

MeasuredRuns Runs(std::string eval, std::string mixed) {
  MeasuredRuns runs;
  if (!eval.empty()) runs.evals.push_back({"e.json", std::move(eval)});
  if (!mixed.empty()) runs.mixed.push_back({"m.json", std::move(mixed)});
  runs.policy = "auto";
  runs.ablation_mix = "A";
  return runs;
}

TEST(MeasuredRunsTest, TasksAndConfigurationsGoByThePapersNames) {
  const auto tables = TablesOfRuns(Runs(kEval, ""));
  ASSERT_TRUE(tables.ok()) << tables.status().ToString();
  EXPECT_THAT(tables->figures.tasks, ElementsAre("mmlu", "mmlu@32768"));
  EXPECT_EQ(tables->figures.Find("static-small", "mmlu")->accuracy, 50);
  EXPECT_EQ(tables->figures.Find("static-large-w8a16-pld", "mmlu")->tps, 40);
  EXPECT_EQ(tables->figures.Find("static-small", "mmlu@32768")->accuracy, 25);
  // Nothing generated has no speed, and what was not asked has no figure.
  EXPECT_EQ(tables->figures.Find("static-small", "mmlu@32768")->tps, std::nullopt);
  EXPECT_EQ(tables->figures.Find("static-large-w8a16-pld", "mmlu@32768")->accuracy, std::nullopt);
  EXPECT_EQ(tables->title, "tiny and big");
}

TEST(MeasuredRunsTest, ThePolicyStandsForAioWithItsAblationsAndOverhead) {
  const auto tables = TablesOfRuns(Runs("", kMixed));
  ASSERT_TRUE(tables.ok()) << tables.status().ToString();
  const auto& rows = *FindNamed(tables->figures.scenarios, "A");
  EXPECT_EQ(FindNamed(rows, "static-large")->tps, 30);
  EXPECT_EQ(FindNamed(rows, "static-large")->accuracy, std::nullopt);
  EXPECT_EQ(FindNamed(rows, "aio")->accuracy, 80);
  EXPECT_EQ(FindNamed(tables->figures.ablations, "full")->tps, 60);
  EXPECT_EQ(FindNamed(tables->figures.ablations, "without-pld-switch")->tps, 45);
  EXPECT_EQ(*FindNamed(tables->figures.overhead, "total_ms"), 0.75);
  EXPECT_EQ(*FindNamed(tables->figures.overhead, "share_pct"), 1);
}

TEST(MeasuredRunsTest, AblationsOfOtherMixesAreNotTheTables) {
  MeasuredRuns runs = Runs("", kMixed);
  runs.ablation_mix = "B";
  const auto tables = TablesOfRuns(runs);
  ASSERT_TRUE(tables.ok()) << tables.status().ToString();
  EXPECT_TRUE(tables->figures.ablations.empty());
  EXPECT_TRUE(tables->figures.overhead.empty());
  EXPECT_EQ(FindNamed(tables->figures.scenarios, "A")->size(), 2);
}

TEST(MeasuredRunsTest, FaultsNameFileAndField) {
  const auto fault = [](const char* eval, const char* mixed) {
    const auto tables = TablesOfRuns(Runs(eval, mixed));
    return tables.ok() ? "read without fault" : tables.status().message();
  };
  EXPECT_THAT(fault("[]", ""), HasSubstr("e.json"));
  EXPECT_THAT(fault(R"({"models": []})", ""), HasSubstr("e.json: 'figures': is missing"));
  EXPECT_THAT(fault(R"({"models": [], "figures": [{"task": "a", "context": 0, "accuracy": 50,
                        "mean_tokens_per_second": 1, "configuration": "small"}]})",
                    ""),
              HasSubstr("'figures[0].accuracy': must be a number from 0 to 1"));
  EXPECT_THAT(fault("", R"({"workloads": [{"workload": "A", "configurations": [7]}]})"),
              HasSubstr("m.json: 'workloads[0].configurations[0]': must be an object"));
}

}  // namespace
}  // namespace aio
