#include "sim/scenario.h"

#include <gtest/gtest.h>

#include "sim/compare_policies.h"
#include "sim/find_limit.h"
#include "sim/find_policy.h"
#include "sim/sim_report.h"
#include "sim/sim_test_setup.h"
#include "sim/sweep.h"

namespace aio {
namespace {

Scenario TestScenario(double rate, int64_t requests) {
  Scenario scenario;
  scenario.name = "test";
  scenario.setup = TestSetup(1);
  scenario.traffic.rate = rate;
  scenario.traffic.requests = requests;
  scenario.traffic.probe = ProbeQuality::Of({"code", "qa", "math"}, 0.9);
  scenario.timeline_points = 10;
  return scenario;
}

TEST(ScenarioTest, AnyNumberOfThreadsGivesTheSameBytes) {
  const Scenario scenario = TestScenario(20, 200);
  const auto axes = {*ParseSweepAxis("rate=5,20,40"), *ParseSweepAxis("policy=paper,static-large")};
  const auto scenarios = SweepScenarios(scenario, axes);
  ASSERT_TRUE(scenarios.ok());
  std::vector<std::string> reports;
  for (const int threads : {1, 2, 5}) {
    SimReport report{.title = "test", .scenario = scenario, .runs = {}, .against = {}};
    for (auto& result : RunScenarios(*scenarios, threads, {})) {
      ASSERT_TRUE(result.ok());
      report.runs.push_back(*std::move(result));
    }
    reports.push_back(SimReportJson(report));
  }
  EXPECT_EQ(reports[0], reports[1]);
  EXPECT_EQ(reports[0], reports[2]);
  EXPECT_NE(reports[0].find("rate 40, policy static-large"), std::string::npos);
}

TEST(ScenarioTest, FiguresOfARunFitTogether) {
  const auto result = RunScenario(TestScenario(20, 400));
  ASSERT_TRUE(result.ok());
  const SimSummary& summary = result->summary;
  EXPECT_EQ(summary.requests, 400);
  EXPECT_EQ(summary.answered, 400);
  EXPECT_LE(summary.first_token_ms.p50, summary.end_to_end_ms.p50);
  EXPECT_LE(summary.queue_ms.p50, summary.first_token_ms.p50);
  EXPECT_NEAR(summary.usd, 2 * summary.seconds / 3600, 1e-9);
  EXPECT_GT(summary.bandwidth_share, 0);
  EXPECT_LT(summary.bandwidth_share, 0.8) << "no more than the kernels reach";
  EXPECT_LE(summary.busy_share, 1);
  int64_t arms = 0;
  for (const SimArmUse& arm : summary.arms) arms += arm.requests;
  EXPECT_EQ(arms, 400);
  double tokens = 0;
  const double width = summary.seconds / 10;
  for (const TimelinePoint& point : result->timeline) tokens += point.tokens_per_second * width;
  EXPECT_NEAR(tokens / (summary.tokens_per_second * summary.seconds), 1, 0.05);
  EXPECT_EQ(result->timeline.back().in_flight, 0);
}

TEST(ScenarioTest, AThresholdOfNothingSendsAllToTheLargeModel) {
  Scenario scenario = TestScenario(5, 100);
  ASSERT_TRUE(ChangeScenario("tau", "0", scenario).ok());
  EXPECT_EQ(RunScenario(scenario)->summary.small_share, 0);
  ASSERT_TRUE(ChangeScenario("tau", "2", scenario).ok());
  EXPECT_GT(RunScenario(scenario)->summary.small_share, 0.2);
}

TEST(ScenarioTest, LambdaIsReplacedInAUtilityPolicy) {
  const auto policy = RoutingPolicy::FromFile(AIO_SOURCE_DIR "/policy/utility.toml");
  ASSERT_TRUE(policy.ok());
  const auto changed = PolicyWithLambda(*policy, 12.5);
  ASSERT_TRUE(changed.ok()) << changed.status().ToString();
  EXPECT_EQ(changed->settings().utility.lambda, 12.5);
  EXPECT_EQ(changed->settings().utility.answer_tokens, policy->settings().utility.answer_tokens);
  EXPECT_EQ(changed->settings().arms.size(), policy->settings().arms.size());
  EXPECT_FALSE(PolicyWithLambda(RoutingPolicy::Paper(), 1).ok());
}

TEST(ScenarioTest, PoliciesThatAreBuiltInDo) {
  for (const char* name : {"paper", "static-small", "static-large", "random"}) {
    Scenario scenario = TestScenario(5, 100);
    ASSERT_TRUE(ChangeScenario("policy", name, scenario).ok()) << name;
    const auto result = RunScenario(scenario);
    ASSERT_TRUE(result.ok()) << result.status().ToString();
    const double small = result->summary.small_share;
    if (std::string_view(name) == "random") {
      EXPECT_NEAR(small, 0.5, 0.2);
    } else if (std::string_view(name) != "paper") {
      EXPECT_EQ(small, std::string_view(name) == "static-small" ? 1 : 0);
    }
  }
}

TEST(ScenarioTest, ChangesThatCannotBeAreNamed) {
  Scenario scenario = TestScenario(5, 100);
  EXPECT_NE(ChangeScenario("weather", "1", scenario).message().find("it may be rate, devices"),
            std::string::npos);
  for (const auto& [what, value] :
       std::vector<std::pair<const char*, const char*>>{{"rate", "0"},
                                                        {"rate", "x"},
                                                        {"devices", "0.2"},
                                                        {"large", "gpt"},
                                                        {"policy", "gpt"},
                                                        {"tau", "-1"},
                                                        {"tau", ""},
                                                        {"lambda", "1"}}) {
    EXPECT_FALSE(ChangeScenario(what, value, scenario).ok()) << what << " " << value;
  }
  scenario.setup.pools.push_back(scenario.setup.pools.front());
  EXPECT_NE(ChangeScenario("devices", "2", scenario).message().find("several pools"),
            std::string::npos);
}

TEST(SweepTest, RangesAreReadInBothWays) {
  EXPECT_EQ(ParseSweepAxis("rate=1:8:*2")->values, (std::vector<std::string>{"1", "2", "4", "8"}));
  EXPECT_EQ(ParseSweepAxis("tau=0:0.3:0.1")->values,
            (std::vector<std::string>{"0", "0.1", "0.2", "0.3"}));
  EXPECT_EQ(ParseSweepAxis("policy=paper,a.toml")->values,
            (std::vector<std::string>{"paper", "a.toml"}));
  for (const char* text : {"rate", "rate=", "rate=1:2", "rate=2:1:1", "rate=1:2:*1", "rate=1:2:0",
                           "rate=0:4:*2", "rate=0:1e9:1e-3"}) {
    EXPECT_FALSE(ParseSweepAxis(text).ok()) << text;
  }
}

TEST(FindLimitTest, QuestionsAreUnderstood) {
  const auto question = ParseLimitQuestion("max rate with p99 TTFT < 1.5 s and goodput > 95 %");
  ASSERT_TRUE(question.ok()) << question.status().ToString();
  EXPECT_TRUE(question->most);
  EXPECT_EQ(question->what, "rate");
  ASSERT_EQ(question->conditions.size(), 2u);
  EXPECT_EQ(question->conditions[0].Text(), "p99 TTFT < 1500 ms");
  EXPECT_EQ(question->conditions[1].Text(), "goodput > 95 %");
  for (const char* text :
       {"", "rate", "max rate", "max rate with", "max rate with speed < 1",
        "max devices with x < 1", "max rate with p99 TTFT < 1 kg", "max rate with p98 TTFT < 1 s",
        "max rate with p99 TTFT = 1 s", "min rate with p99 TTFT < 1 s",
        "max rate with p99 TTFT < -1 s", "max rate with goodput > 95",
        "max rate with goodput > 150 %", "max rate with accuracy > 101 %"}) {
    EXPECT_FALSE(ParseLimitQuestion(text).ok()) << text;
  }
}

TEST(FindLimitTest, TheLimitHoldsAndALittleMoreDoesNot) {
  Scenario scenario = TestScenario(3, 0);
  scenario.traffic.seconds = 60;
  scenario.timeline_points = 0;
  const auto question = *ParseLimitQuestion("max rate with mean TTFT < 300 ms");
  const auto answer = FindLimit(scenario, question, 2, {});
  ASSERT_TRUE(answer.ok()) << answer.status().ToString();
  double bad = 1e9;
  double good = 0;
  for (const LimitTry& tried : answer->tries) {
    EXPECT_EQ(tried.holds, tried.summary.first_token_ms.mean < 300);
    if (tried.holds) good = std::max(good, tried.value);
    if (!tried.holds) bad = std::min(bad, tried.value);
  }
  EXPECT_EQ(answer->value, good);
  EXPECT_LE(bad / good, 1.011);
  const auto alone = FindLimit(scenario, question, 1, {});
  EXPECT_EQ(alone->value, answer->value);
}

TEST(FindLimitTest, TheFewestDevicesThatDo) {
  Scenario scenario = TestScenario(60, 0);
  scenario.traffic.seconds = 30;
  scenario.timeline_points = 0;
  const auto answer =
      FindLimit(scenario, *ParseLimitQuestion("min devices with p90 TTFT < 500 ms"), 2, {});
  ASSERT_TRUE(answer.ok());
  const auto with = [&](double devices) {
    EXPECT_TRUE(ChangeScenario("devices", std::to_string(devices), scenario).ok());
    return RunScenario(scenario)->summary.first_token_ms.p90;
  };
  EXPECT_LT(with(answer->value), 500);
  if (answer->value > 1) {
    EXPECT_GE(with(answer->value - 1), 500);
  }
}

TEST(ComparePoliciesTest, APolicyDiffersFromItselfByNothing) {
  Scenario scenario = TestScenario(10, 100);
  const auto comparison =
      ComparePolicies(scenario, {"static-large", "static-large", "static-small"}, 4, 2, {});
  ASSERT_TRUE(comparison.ok()) << comparison.status().ToString();
  ASSERT_EQ(comparison->others.size(), 2u);
  for (const ComparedMetric& metric : comparison->others[0].metrics) {
    EXPECT_EQ(metric.difference, 0) << metric.name;
    EXPECT_FALSE(metric.is_sure()) << metric.name;
  }
  const auto& small = comparison->others[1].metrics;
  const auto gb = std::find_if(small.begin(), small.end(), [](const ComparedMetric& metric) {
    return metric.name == "GB read a token";
  });
  ASSERT_NE(gb, small.end());
  EXPECT_LT(gb->interval.high, 0) << "the small model reads less, surely";
}

}  // namespace
}  // namespace aio
