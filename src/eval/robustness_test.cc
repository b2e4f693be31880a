#include "eval/robustness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "backend/testing/fake_backend.h"
#include "eval/decide_all.h"
#include "eval/robustness_suites.h"
#include "router/router.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

// A router over models that take a text with "def" for code, one with a digit for math.
class RobustnessTest : public ::testing::TestWithParam<FakeBackend::Delivery> {
 protected:
  void SetUp() override {
    RouterOptions options;
    options.small = {.backend = &models_, .model = "s"};
    options.large = {.backend = &models_, .model = "l"};
    options.labels = {.prefix = "",
                      .suffix = "?",
                      .labels = {{"code", "code"}, {"qa", "question"}, {"math", "math"}}};
    options.policy = RoutingPolicy::Paper();
    models_.Update("s", [](FakeModel& m) {
      m.logits = [](const Request& request, const LabelQuery&) -> std::vector<float> {
        const std::string text = FakePromptText(request.prompt);
        if (text.find("def") != std::string::npos) return {9, 0, 0};
        if (text.find('7') != std::string::npos) return {0, 0, 9};
        return {0, 9, 0};
      };
    });
    router_ = Router::Create(std::move(options), clock_).value();
  }

  ManualClock clock_;
  FakeBackend models_{{FakeModel::Named("s", "small"), FakeModel::Named("l", "large")}, GetParam()};
  std::unique_ptr<Router> router_;
};

TEST_P(RobustnessTest, CountsWhereEachSuiteGoes) {
  RobustnessSuites suites;
  suites.attacked = {{"label-line", "Who?", 0}, {"label-line", "def Who?", 0}, {"other", "7", 1}};
  suites.multi_intent = {{"code+qa", "def f. Who?"}, {"qa+math", "Who? 7"}};
  suites.clean = {{"def f", "code"}, {"a program", "code"}, {"Who?", "qa"}, {"7 7", "qa"}};
  size_t last = 0;
  const auto report = MeasureRobustness(*router_, suites, [&](size_t done) { last = done; });
  ASSERT_TRUE(report.ok()) << report.status().ToString();
  EXPECT_EQ(last, 9u);
  EXPECT_EQ(report->attack_success.of, 3);
  EXPECT_EQ(report->attack_success.count, 1);
  EXPECT_EQ(report->by_attack.at(0).name, "label-line");
  EXPECT_EQ(report->by_attack[0].share.percent(), 50);
  EXPECT_EQ(report->by_attack.at(1).share.count, 0);
  EXPECT_EQ(report->successful, std::vector<std::string>{"def Who?"});
  EXPECT_EQ(report->multi_intent_to_large.count, 1);
  EXPECT_EQ(report->clean_right.count, 3) << "code that went to the large model is not right";
  EXPECT_EQ(report->clean_intent_right.count, 2);
}

TEST_P(RobustnessTest, PromptsThatNoModelCanTakeAreCountedApart) {
  RobustnessSuites suites;
  std::string longer;
  for (int i = 0; i < 5000; ++i) longer += "w ";
  suites.attacked = {{"padding", longer, 0}, {"padding", "def", 0}};
  const auto report = MeasureRobustness(*router_, suites, {});
  ASSERT_TRUE(report.ok()) << report.status().ToString();
  EXPECT_EQ(report->refused, 1);
  EXPECT_EQ(report->attack_success.of, 1);
}

TEST_P(RobustnessTest, AnotherFaultEndsItAndNamesThePrompt) {
  RobustnessSuites suites;
  suites.clean = {{"def f", "code"}, {"", "qa"}};
  models_.Update("s", [](FakeModel& m) { m.probe_fault = DeadlineExceeded("late"); });
  EXPECT_THAT(MeasureRobustness(*router_, suites, {}).status().message(), HasSubstr("prompt 1"));
}

INSTANTIATE_TEST_SUITE_P(Deliveries, RobustnessTest,
                         ::testing::Values(FakeBackend::Delivery::kImmediate,
                                           FakeBackend::Delivery::kThread),
                         [](const auto& info) {
                           return info.param == FakeBackend::Delivery::kThread ? "Later" : "AtOnce";
                         });

TEST(RobustnessSuitesTest, TakesBasesFromEveryOtherIntentAlike) {
  RobustnessSuiteOptions options;
  options.bases = 20;
  options.clean = 5;
  const auto suites = MakeRobustnessSuites(MadeQueries(50, SuiteDraw(1)), options);
  ASSERT_TRUE(suites.ok()) << suites.status().ToString();
  EXPECT_EQ(suites->attacked.size(), 700u);
  EXPECT_EQ(suites->multi_intent.size(), 300u);
  EXPECT_EQ(suites->clean.size(), 15u);
  std::set<int> bases;
  for (const SuitePrompt& prompt : suites->attacked) bases.insert(prompt.base);
  EXPECT_EQ(bases.size(), 20u);
}

TEST(RobustnessSuitesTest, HalvesShareNoPrompt) {
  const std::vector<LabelledQuery> queries = MadeQueries(100, SuiteDraw(1));
  const auto clean = [&](Wordings half) {
    RobustnessSuiteOptions options;
    options.half = half;
    const RobustnessSuites suites = MakeRobustnessSuites(queries, options).value();
    std::set<std::string> texts;
    for (const CleanPrompt& p : suites.clean) {
      texts.insert(p.text);
    }
    return texts;
  };
  const std::set<std::string> tuning = clean(Wordings::kTuning);
  EXPECT_GT(tuning.size(), 50u);
  for (const std::string& text : clean(Wordings::kHeldOut)) EXPECT_EQ(tuning.count(text), 0u);
}

TEST(RobustnessSuitesTest, SaysWhatIsMissing) {
  std::vector<LabelledQuery> queries = MadeQueries(1, SuiteDraw(1));
  queries.erase(queries.begin());
  EXPECT_THAT(MakeRobustnessSuites(queries, {}).status().message(),
              HasSubstr("needs prompts with the intent 'code' and prompts with another; there are "
                        "0 and 2"));
}

}  // namespace
}  // namespace aio
