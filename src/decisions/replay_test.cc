#include "decisions/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "decisions/testing/log_fixture.h"

namespace aio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// All code that fits goes to the small model, however uncertain.
RoutingPolicy Eager() {
  return RoutingPolicy::FromToml(R"(
version = 1
name = "eager"
probe_prompt_tokens_max = 2048
[[rule]]
name = "code"
intents = ["code", "math"]
role = "small"
strategy = "plain"
[[rule]]
name = "rest"
role = "large"
strategy = "plain"
)",
                                 "eager.toml")
      .value();
}

Signals Seen(const std::string& intent, double entropy = 0.1, int prompt_tokens = 100) {
  Signals signals;
  IntentDistribution seen{
      .labels = {"code", "qa", "math"}, .probabilities = {0.01, 0.01, 0.01}, .entropy = entropy};
  for (size_t i = 0; i < 3; ++i) {
    if (seen.labels[i] == intent) seen.probabilities[i] = 0.98;
  }
  signals.intent = seen;
  signals.prompt_tokens = prompt_tokens;
  return signals;
}

LoggedRequest Logged(const Signals& signals, const RoutingPolicy& policy = RoutingPolicy::Paper()) {
  static int64_t row = 0;
  LoggedRequest request;
  request.row = ++row;
  request.request_id = "r" + std::to_string(row);
  request.unix_seconds = 1000 + row;
  request.policy_hash = policy.hash();
  request.signals = signals;
  if (signals.intent) request.intent = signals.intent->labels[signals.intent->top()];
  request.decided = policy.Decide(signals);
  request.model = request.decided.role;
  return request;
}

LoggedRequest AskedFor(const std::string& role) {
  LoggedRequest request;
  request.decided.role = role;
  request.decided.rule = "override";
  return request;
}

LoggedRequest WithEnd(LoggedRequest request, int tokens, double ms, int64_t bytes) {
  LoggedOutcome outcome;
  outcome.finish = "stop";
  outcome.answered_by = request.model;
  outcome.completion_tokens = tokens;
  outcome.timings.predicted_ms = ms;
  outcome.traffic.weight_bytes = bytes;
  request.outcome = outcome;
  return request;
}

LoggedRequest WithScore(LoggedRequest request, double score) {
  request.score = score;
  return request;
}

std::map<std::string, std::string> PaperText() {
  return {{RoutingPolicy::Paper().hash(), RoutingPolicy::Paper().text()}};
}

ReplayReport ReplayOf(const std::vector<LoggedRequest>& requests, ReplayOptions options = {}) {
  Replay replay(PaperText(), {Eager()}, options);
  for (const LoggedRequest& request : requests) replay.Add(request);
  return replay.Finish();
}

TEST(ReplayTest, TheSameInputsGiveTheSameDecisions) {
  const ReplayReport report =
      ReplayOf({Logged(Seen("code")), Logged(Seen("math")), Logged(Seen("code", 0.9))});
  ASSERT_EQ(report.checks.size(), 1u);
  EXPECT_EQ(report.checks[0].name, RoutingPolicy::Paper().name());
  EXPECT_EQ(report.checks[0].requests, 3);
  EXPECT_EQ(report.checks[0].same, 3);
  EXPECT_THAT(report.checks[0].differences, IsEmpty());
}

TEST(ReplayTest, NamesDecisionsThatDiffer) {
  LoggedRequest request = Logged(Seen("code"));
  request.decided.reason += "!";
  const ReplayReport report = ReplayOf({request, Logged(Seen("code"))});
  EXPECT_EQ(report.checks[0].same, 1);
  ASSERT_EQ(report.checks[0].differences.size(), 1u);
  EXPECT_THAT(report.checks[0].differences[0], HasSubstr(request.request_id + ": reason '"));
}

TEST(ReplayTest, SaysWhichPoliciesItCannotCheck) {
  LoggedRequest request = Logged(Seen("code"));
  request.policy_hash = "feed";
  ReplayReport report = ReplayOf({request});
  ASSERT_EQ(report.checks.size(), 1u);
  EXPECT_EQ(report.checks[0].fault, "its text is not in the log");
  EXPECT_EQ(report.checks[0].same, 0);

  Replay replay({{"feed", "version = 99"}, {"beef", Eager().text()}}, {});
  replay.Add(request);
  request.policy_hash = "beef";
  replay.Add(request);
  report = replay.Finish();
  ASSERT_EQ(report.checks.size(), 2u);
  EXPECT_THAT(report.checks[0].fault, HasSubstr("not what its hash says"));
  EXPECT_THAT(report.checks[1].fault, HasSubstr("version"));
}

TEST(ReplayTest, SaysWhichRequestsWouldMove) {
  const ReplayReport report = ReplayOf(
      {Logged(Seen("code")), Logged(Seen("math")), Logged(Seen("math")), Logged(Seen("qa"))},
      {.moves_max = 1});
  const PolicyReplay& replay = report.policies[0];
  EXPECT_EQ(replay.name, "eager");
  EXPECT_EQ(replay.requests, 4);
  ASSERT_GE(replay.groups.size(), 1u);
  EXPECT_EQ(replay.groups[0].intent, "math");
  EXPECT_EQ(replay.groups[0].requests, 2);
  EXPECT_EQ(replay.groups[0].from.role, "large");
  EXPECT_EQ(replay.groups[0].to.role, "small");
  ASSERT_EQ(replay.moves.size(), 1u) << "of more, as many as asked for";
  EXPECT_EQ(replay.moves[0].rule, "code");
  EXPECT_THAT(replay.moves[0].reason, HasSubstr("math"));
}

TEST(ReplayTest, CountsWhatWasNotProbedAndWouldHaveBeen) {
  Signals unprobed;
  unprobed.prompt_tokens = 100;
  const ReplayReport report = ReplayOf({Logged(unprobed), Logged(Seen("code"))});
  EXPECT_EQ(report.policies[0].unprobed, 1);
}

TEST(ReplayTest, RequestsByNameStayWhereTheyAre) {
  const ReplayReport report = ReplayOf({AskedFor("large")});
  EXPECT_EQ(report.by_name, 1);
  EXPECT_THAT(report.checks, IsEmpty());
  EXPECT_EQ(report.policies[0].requests, 0);
  EXPECT_EQ(report.policies[0].moved, 0);
}

TEST(ReplayTest, WithoutFeedbackNothingIsSaidOfAccuracy) {
  const ReplayReport report = ReplayOf({Logged(Seen("math")), Logged(Seen("code"))});
  EXPECT_EQ(report.policies[0].score.moved, 1);
  EXPECT_EQ(report.policies[0].score.said, 0);
  EXPECT_FALSE(report.policies[0].score.mean.has_value());
}

TEST(ReplayTest, FeedbackOfAnotherIntentSaysNothing) {
  const ReplayReport report =
      ReplayOf({WithScore(Logged(Seen("math")), 1), WithScore(Logged(Seen("code")), 1)});
  EXPECT_FALSE(report.policies[0].score.mean.has_value()) << "code on small is no math on small";
}

TEST(ReplayTest, AccuracyComesFromFeedbackOnTheModelMovedTo) {
  std::vector<LoggedRequest> requests;
  // Math: mostly well answered by the large model; by the small, when another policy was tried,
  // not.
  for (int i = 0; i < 40; ++i) requests.push_back(WithScore(Logged(Seen("math")), i % 4 ? 1 : -1));
  for (int i = 0; i < 20; ++i) {
    requests.push_back(WithScore(Logged(Seen("math"), Eager()), i % 4 ? -1 : 1));
  }
  for (int i = 0; i < 60; ++i) requests.push_back(Logged(Seen("qa")));  // which do not move
  const ReplayReport report = ReplayOf(requests);
  const ScoreChange& score = report.policies[0].score;
  EXPECT_EQ(score.requests, 120);
  EXPECT_EQ(score.moved, 40);
  EXPECT_EQ(score.said, 40);
  ASSERT_TRUE(score.mean.has_value());
  EXPECT_NEAR(score.mean->value, 40.0 / 120 * (-0.5 - 0.5), 1e-9);
  EXPECT_LT(score.mean->low, score.mean->value);
  EXPECT_GT(score.mean->high, score.mean->value);
  EXPECT_LT(score.mean->high, 0) << "that it gets worse is beyond chance";
}

TEST(ReplayTest, ScoresThatAllAgreeAreNotCertainty) {
  const ReplayReport report =
      ReplayOf({WithScore(Logged(Seen("math")), 1), WithScore(Logged(Seen("math"), Eager()), -1)});
  const auto& mean = report.policies[0].score.mean;
  ASSERT_TRUE(mean.has_value());
  EXPECT_EQ(mean->value, -1);
  EXPECT_GT(mean->high, 0) << "of one score each";
}

TEST(ReplayTest, SpeedAndBytesComeFromTheArmMovedTo) {
  const ReplayReport report = ReplayOf({
      WithEnd(Logged(Seen("code")), 100, 1000, 100'000),  // small: 100 tokens/s, 1000 bytes
      WithEnd(Logged(Seen("math")), 50, 5000, 500'000),   // large: 10 tokens/s, 10000 bytes
  });
  EXPECT_EQ(report.arms.size(), 2u);
  const CostChange& cost = report.policies[0].cost;
  // The math strategy of the paper is prompt lookup, the small arm seen is the code's.
  EXPECT_EQ(cost.requests, 2);
  EXPECT_NEAR(cost.tokens_per_second, 150 / 6.0, 1e-6);
  EXPECT_NEAR(cost.tokens_per_second_expected, 150 / 1.5, 1e-6);
  EXPECT_NEAR(cost.bytes_per_token, 4000, 1e-6);
  EXPECT_NEAR(cost.bytes_per_token_expected, 1000, 1e-6);
}

TEST(ReplayTest, OfAnArmThatNeverRanNothingIsSaid) {
  const ReplayReport report = ReplayOf({WithEnd(Logged(Seen("math")), 50, 5000, 500'000)});
  EXPECT_EQ(report.policies[0].cost.unseen, 1);
  EXPECT_EQ(report.policies[0].cost.requests, 0);
}

TEST(ReplayTest, AnswersThatDidNotEndSayNothingOfSpeed) {
  LoggedRequest cancelled = WithEnd(Logged(Seen("code")), 100, 1000, 100'000);
  cancelled.outcome->finish = "cancelled";
  LoggedRequest escalated = WithEnd(Logged(Seen("code")), 100, 1000, 100'000);
  escalated.outcome->answered_by = "another";
  EXPECT_THAT(ReplayOf({cancelled, escalated}).arms, IsEmpty());
}

TEST(ReplayTest, FromALogOnDisk) {
  TemporaryFolder folder;
  ManualClock clock;
  DecisionLogOptions options;
  options.path = folder / "log.db";
  {
    auto log = *DecisionLog::Create(options, clock);
    log->AddPolicy(RoutingPolicy::Paper());
    for (const char* intent : {"code", "math", "qa"}) {
      for (const double entropy : {0.0, 0.1 + 0.2, 0.45, 0.4500000000000001, 1.0}) {
        const uint64_t number =
            log->Decided(Record("r", RoutingPolicy::Paper(), Seen(intent, entropy)));
        log->Ended(number, Finished(10, 100));
      }
    }
  }
  auto reader = LogReader::Open(options.path);
  ASSERT_TRUE(reader.ok()) << reader.status().ToString();
  Replay replay(reader->ReadPolicies(), {Eager(), RoutingPolicy::Paper()});
  ASSERT_TRUE(reader->ReadAll([&](const LoggedRequest& request) { replay.Add(request); }).ok());
  const ReplayReport report = replay.Finish();
  ASSERT_EQ(report.checks.size(), 1u);
  EXPECT_EQ(report.checks[0].requests, 15);
  EXPECT_EQ(report.checks[0].same, 15);
  EXPECT_EQ(report.policies[1].moved, 0) << "the policy that decided moves nothing";
  EXPECT_GT(report.policies[0].moved, 0);
}

}  // namespace
}  // namespace aio
