#include "tasks/long_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "backend/testing/fake_backend.h"
#include "tasks/eval_items.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

Task WordsTask(int items) {
  Task task;
  task.name = "words";
  task.kind = AnswerKind::kText;
  for (int i = 0; i < items; ++i) {
    TaskItem item;
    item.id = "w" + std::to_string(i);
    item.question = "What is word number q" + std::to_string(i) + " of the list?";
    item.answers = {"x"};
    task.items.push_back(item);
  }
  return task;
}

Result<int> Words(const Prompt& prompt) { return FakeTokenCount(prompt); }

class LongContextTest : public ::testing::Test {
 protected:
  std::string Render(size_t item, double depth, int tokens = 400, uint64_t seed = 1) {
    LongContextPlanner planner(task_, {}, Words);
    const auto plan = planner.Plan(task_.items[item],
                                   {.prompt_tokens_max = tokens, .depth = depth, .seed = seed});
    if (!plan.ok()) return plan.status().ToString();
    plan_ = *plan;
    return RenderLongContext(task_, task_.items[item], *plan);
  }

  Task task_ = WordsTask(30);
  LongContextPlan plan_;
};

TEST_F(LongContextTest, FillsTheContextAndNamesTheItem) {
  const std::string text = Render(3, 0.5);
  EXPECT_LE(*Words(text), 400);
  EXPECT_GT(*Words(text), 360);
  const std::string number = std::to_string(plan_.position + 1);
  EXPECT_THAT(text, HasSubstr("Do number " + number + " and no other."));
  EXPECT_THAT(text, HasSubstr("\n[" + number + "]\nWhat is word number q3 of the list?\n"));
  EXPECT_TRUE(text.ends_with("Now do number " + number + " of the tasks above, and nothing else."));
}

TEST_F(LongContextTest, TheItemStandsOnceAtItsDepth) {
  for (const double depth : {0.0, 0.25, 1.0}) {
    const std::string text = Render(3, depth, 1500);  // more than all others fill once
    EXPECT_EQ(text.find(" q3 "), text.rfind(" q3 ")) << depth;
    const double at = static_cast<double>(text.find(" q3 ")) / static_cast<double>(text.size());
    EXPECT_NEAR(at, depth, 0.05) << depth;
  }
}

TEST_F(LongContextTest, IsDrawnBySeedAndItem) {
  EXPECT_EQ(Render(3, 0.5), Render(3, 0.5));
  EXPECT_NE(Render(3, 0.5), Render(3, 0.5, 400, /*seed=*/2));
  Render(3, 0.5);
  const auto others = plan_.others;
  Render(4, 0.5);
  EXPECT_NE(plan_.others, others);
}

TEST_F(LongContextTest, FaultsSayWhatToChange) {
  EXPECT_THAT(Render(3, 0.5, 10), HasSubstr("'w3' alone has"));
  task_ = WordsTask(1);
  EXPECT_THAT(Render(0, 0.5), HasSubstr("needs other items"));
}

TEST(PlanEvalItemsTest, GoesThroughLengthsAndDepths) {
  const std::vector<Task> tasks = {WordsTask(30)};
  EvalExtent extent;
  extent.limit = 4;
  extent.contexts = {0, 600};
  extent.depths = {0, 1};
  extent.max_tokens = 100;
  int64_t total = 0;
  const auto items = PlanEvalItems(tasks, extent, Words, [&](int64_t, int64_t n) { total = n; });
  ASSERT_TRUE(items.ok()) << items.status().ToString();
  ASSERT_EQ(items->size(), 12u);
  EXPECT_EQ(total, 12);
  std::set<std::string> hashes;
  for (const EvalItem& item : *items) {
    hashes.insert(item.prompt_hash);
    const auto made = PromptOf(item, extent.prompts);
    EXPECT_LE(*Words(made->prompt), item.context == 0 ? 10 : 500);
  }
  EXPECT_EQ(hashes.size(), 12u);
  EXPECT_EQ((*items)[0].item, (*items)[4].item);
  // Drawn, not the first; the same every time.
  EXPECT_NE((*items)[3].item->id, "w3");
  EXPECT_EQ((*PlanEvalItems(tasks, extent, Words, {}))[3].prompt_hash, (*items)[3].prompt_hash);
}

}  // namespace
}  // namespace aio
