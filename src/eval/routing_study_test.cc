#include "eval/routing_study.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "eval/intervals.h"

namespace aio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Code is better on the small model by 5 points, knowledge on the large one by 20.
StudyArms Arms() {
  const auto table = ParseArmTable(R"(
version = 1
[[arm]]
role = "small"
strategy = "plain"
accuracy = { code = 65, qa = 70 }
tokens_per_second = 40
[[arm]]
role = "large"
strategy = "plain"
accuracy = { code = 60, qa = 90 }
tokens_per_second = 10
)",
                                   "arms.toml");
  return ResolveArms(*table, {.labels = {"code", "qa"},
                              .mix = {0.5, 0.5},
                              .groups = {{0, ""}, {1, ""}},
                              .measured = {{0, ""}, {1, ""}}})
      .value();
}

StudyQuery Query(int label, double p_code, int tokens = 10) {
  StudyQuery query{.label = label, .group = label, .probabilities = {p_code, 1 - p_code}};
  query.entropy = -p_code * std::log(p_code) - (1 - p_code) * std::log(1 - p_code);
  query.prompt_tokens = tokens;
  return query;
}

const StudyOptions kOptions = {.mix = {0.5, 0.5}};
const RoutingCandidate kCodeSmall = {.small = {true, false}, .entropy_max = 0.4};

TEST(RoutingStudyTest, RulesSendSureShortCodeToTheSmallModel) {
  const StudyArms arms = Arms();
  const Routes routes = RouteCandidate(
      kCodeSmall, arms,
      {Query(0, 0.99), Query(0, 0.6), Query(1, 0.01), Query(1, 0.99), Query(0, 0.99, 5000)});
  EXPECT_THAT(routes.arms, ElementsAre(0, 1, 1, 0, 1));
  EXPECT_THAT(routes.usable, ElementsAre(0, 1));
}

TEST(RoutingStudyTest, FiguresAreTheTablesOverTheMix) {
  const StudyArms arms = Arms();
  // Of four code queries one goes wrong, of one about knowledge none.
  const std::vector<StudyQuery> queries = {Query(0, 0.99), Query(0, 0.99), Query(0, 0.99),
                                           Query(0, 0.5), Query(1, 0.01)};
  const RoutingFigures figures =
      Evaluate(RouteCandidate(kCodeSmall, arms, queries), arms, queries, kOptions);
  EXPECT_DOUBLE_EQ(figures.loss, 0.5 * 5.0 / 4);
  EXPECT_DOUBLE_EQ(figures.accuracy, 0.5 * (3 * 65 + 60) / 4 + 0.5 * 90);
  EXPECT_NEAR(figures.tokens_per_second, 1 / (0.375 / 40 + 0.125 / 10 + 0.5 / 10), 1e-9);
  EXPECT_DOUBLE_EQ(figures.tokens_per_second_mean, 0.375 * 40 + 0.125 * 10 + 0.5 * 10);
  EXPECT_DOUBLE_EQ(figures.small_share, 0.375);
  EXPECT_EQ(figures.labels[0].losing, 1);
  EXPECT_EQ(Evaluate(RouteOracle(arms, queries), arms, queries, kOptions).loss, 0);
}

TEST(RoutingStudyTest, TheBoundIsClopperPearsonsForEachLabelTogether) {
  const StudyArms arms = Arms();
  std::vector<StudyQuery> queries;
  for (int i = 0; i < 100; ++i) queries.push_back(Query(0, 0.99));
  for (int i = 0; i < 200; ++i) queries.push_back(Query(1, 0.01));
  const RoutingFigures figures =
      Evaluate(RouteCandidate(kCodeSmall, arms, queries), arms, queries, kOptions);
  EXPECT_EQ(figures.loss, 0);
  // Two bounds at 97.5 % hold together at 95 %.
  EXPECT_NEAR(
      figures.loss_upper,
      0.5 * 5 * ClopperPearsonUpper(0, 100, 0.975) + 0.5 * 20 * ClopperPearsonUpper(0, 200, 0.975),
      1e-9);
  // Resampling sees nothing where nothing was lost.
  StudyOptions bootstrap = kOptions;
  bootstrap.method = BoundMethod::kBootstrap;
  EXPECT_EQ(
      Evaluate(RouteCandidate(kCodeSmall, arms, queries), arms, queries, bootstrap).loss_upper, 0);
}

TEST(RoutingStudyTest, ALossThatIsMeantIsBoundedByItself) {
  const StudyArms arms = Arms();
  std::vector<StudyQuery> queries;
  for (int i = 0; i < 100; ++i) queries.push_back(Query(i % 2, i % 2 == 0 ? 0.99 : 0.01));
  const RoutingFigures figures = Evaluate(RouteStatic(0, queries.size()), arms, queries, kOptions);
  EXPECT_DOUBLE_EQ(figures.loss, 10);  // all of knowledge loses 20
  EXPECT_DOUBLE_EQ(figures.loss_upper, 10);
}

TEST(RoutingStudyTest, TheBoundCoversTheTrueLossAsOftenAsItSays) {
  const StudyArms arms = Arms();
  const double p_wrong = 0.05;  // of either label: the true loss is 0.05 * (0.5 * 5 + 0.5 * 20)
  uint64_t state = 1;
  int missed = 0;
  for (int trial = 0; trial < 400; ++trial) {
    std::vector<StudyQuery> queries;
    for (int i = 0; i < 120; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      const bool wrong = static_cast<double>(state >> 11) / 9007199254740992.0 < p_wrong;
      queries.push_back(Query(i % 2, (i % 2 == 0) == wrong ? 0.01 : 0.99));
    }
    const RoutingFigures figures =
        Evaluate(RouteCandidate(kCodeSmall, arms, queries), arms, queries, kOptions);
    missed += figures.loss_upper < p_wrong * 12.5 ? 1 : 0;
  }
  EXPECT_LE(missed, 400 * 0.05);
}

TEST(RoutingStudyTest, UtilityTradesAccuracyForTime) {
  const StudyArms arms = Arms();
  const std::vector<StudyQuery> queries = {Query(0, 0.99), Query(1, 0.01), Query(1, 0.5)};
  RoutingCandidate candidate;
  candidate.kind = RoutingCandidate::Kind::kUtility;
  candidate.answer_tokens = 100;
  EXPECT_THAT(RouteCandidate(candidate, arms, queries).arms, ElementsAre(0, 1, 1));
  // 100 tokens take 7.5 s longer on the large model: a point a second outweighs 7.5, not 20.
  candidate.lambda = 1.01;
  EXPECT_THAT(RouteCandidate(candidate, arms, queries).arms, ElementsAre(0, 1, 0));
  candidate.lambda = 3;
  EXPECT_THAT(RouteCandidate(candidate, arms, queries).arms, ElementsAre(0, 0, 0));
}

TEST(RoutingStudyTest, APolicyIsAskedAsTheServerAsksIt) {
  const StudyArms arms = Arms();
  const auto policy = RoutingPolicy::FromToml(
      "version = 1\nname = \"p\"\nprobe_prompt_tokens_max = 100\n"
      "[[rule]]\nname = \"a\"\nintents = [\"code\"]\nrole = \"small\"\nstrategy = \"plain\"\n"
      "[[rule]]\nname = \"b\"\nrole = \"large\"\nstrategy = \"plain\"\n",
      "p.toml");
  ASSERT_TRUE(policy.ok()) << policy.status().ToString();
  const Routes routes =
      RoutePolicy(*policy, arms, {Query(0, 0.9), Query(1, 0.1), Query(0, 0.9, 101)});
  EXPECT_THAT(routes.arms, ElementsAre(0, 1, 1));
}

TEST(RoutingStudyTest, SaysHowManyRowsABoundNeeds) {
  const StudyArms arms = Arms();
  std::vector<StudyQuery> queries;
  for (int i = 0; i < 40; ++i) queries.push_back(Query(i % 2, i % 2 == 0 ? 0.99 : 0.01));
  const Routes routes = RouteCandidate(kCodeSmall, arms, queries);
  const RowsNeeded needed = FindRowsNeeded(routes, arms, queries, kOptions, 1.0);
  ASSERT_TRUE(needed.if_never_wrong.has_value());
  EXPECT_EQ(needed.at_rates_seen, needed.if_never_wrong);
  const auto bound = [](int n) { return 12.5 * ClopperPearsonUpper(0, n, 0.975); };
  EXPECT_LE(bound(*needed.if_never_wrong), 1.0);
  EXPECT_GT(bound(*needed.if_never_wrong - 1), 1.0);
  // What always loses 10 points is not helped by more of it.
  EXPECT_EQ(FindRowsNeeded(RouteStatic(0, 40), arms, queries, kOptions, 1.0).at_rates_seen,
            std::nullopt);
}

TEST(StudyArmsTest, NamesTheArmAndTheTaskItHasNoFigureFor) {
  const auto table = ParseArmTable(
      "version = 1\n[[arm]]\nrole = \"small\"\nstrategy = \"plain\"\naccuracy = { code = 1 }\n"
      "tokens_per_second = 1\n[[arm]]\nrole = \"large\"\nstrategy = \"plain\"\n"
      "accuracy = { code = 1, verse = 2 }\ntokens_per_second = 1\n",
      "arms.toml");
  ASSERT_TRUE(table.ok()) << table.status().ToString();
  const auto arms = ResolveArms(*table, {.labels = {"code", "verse"},
                                         .mix = {0.5, 0.5},
                                         .groups = {{0, "humaneval"}, {1, "sonnets"}},
                                         .measured = {}});
  EXPECT_EQ(arms.status().message(),
            "arms.toml: arm 'small plain' has no accuracy for task 'sonnets' or label 'verse'; "
            "add it");
}

}  // namespace
}  // namespace aio
