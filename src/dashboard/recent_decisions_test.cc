#include "dashboard/recent_decisions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace aio {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

// Numbers its requests as no other does.
class Listener final : public DecisionObserver {
 public:
  bool wants_prompts() const override { return true; }
  uint64_t Decided(DecisionRecord record) override {
    had_prompt.push_back(record.prompt.has_value());
    return 1000 + had_prompt.size();
  }
  void Ended(uint64_t number, const RequestOutcome&) override { ended.push_back(number); }

  std::vector<bool> had_prompt;
  std::vector<uint64_t> ended;
};

DecisionRecord Record(std::string id) {
  DecisionRecord record;
  record.request_id = std::move(id);
  record.prompt = std::string("a secret");
  return record;
}

TEST(RecentDecisionsTest, ShowsWhatChangedSinceItWasAsked) {
  SystemClock clock;
  RecentDecisions recent(nullptr, clock);
  EXPECT_FALSE(recent.wants_prompts());
  const uint64_t a = recent.Decided(Record("a"));
  recent.Decided(Record("b"));
  std::vector<RecentDecision> changed = recent.ChangedSince(0);
  ASSERT_THAT(changed, SizeIs(2));
  EXPECT_FALSE(changed[0].outcome.has_value());
  EXPECT_FALSE(changed[0].record.prompt.has_value()) << "prompts are not kept";

  recent.Ended(a, {.model = "m", .finish = FinishEvent{}, .error = {}});
  changed = recent.ChangedSince(changed[1].version);
  ASSERT_THAT(changed, SizeIs(1));
  EXPECT_EQ(changed[0].record.request_id, "a");
  EXPECT_EQ(changed[0].outcome->model, "m");
  EXPECT_THAT(recent.ChangedSince(changed[0].version), SizeIs(0));
}

TEST(RecentDecisionsTest, TheNextObserverIsToldAllUnderItsOwnNumbers) {
  SystemClock clock;
  Listener next;
  RecentDecisions recent(&next, clock);
  EXPECT_TRUE(recent.wants_prompts());
  const uint64_t first = recent.Decided(Record("a"));
  const uint64_t second = recent.Decided(Record("b"));
  recent.Ended(second, {});
  recent.Ended(first, {});
  EXPECT_THAT(next.had_prompt, ElementsAre(true, true));
  EXPECT_THAT(next.ended, ElementsAre(1002, 1001));
}

TEST(RecentDecisionsTest, KeepsTheLastAndTellsOfAllThatEnd) {
  SystemClock clock;
  Listener next;
  RecentDecisions recent(&next, clock);
  const uint64_t first = recent.Decided(Record("first"));
  for (size_t i = 0; i < RecentDecisions::kKeptMax; ++i) recent.Decided(Record("later"));
  const std::vector<RecentDecision> kept = recent.ChangedSince(0);
  ASSERT_THAT(kept, SizeIs(RecentDecisions::kKeptMax));
  EXPECT_EQ(kept.front().number, first + 1);
  recent.Ended(first, {});  // no longer kept
  EXPECT_THAT(recent.ChangedSince(kept.back().version), SizeIs(0));
  EXPECT_THAT(next.ended, ElementsAre(1001));
}

}  // namespace
}  // namespace aio
