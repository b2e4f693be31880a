#include "app/print_stats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aio {
namespace {

using ::testing::HasSubstr;

CompletedAnswer Answer() {
  CompletedAnswer answer;
  answer.start.model = "pocket-large";
  Decision& decision = answer.start.decision.emplace();
  decision.strategy = DefaultStrategy(StrategyKind::kPromptLookup);
  decision.weights = kW8A16;
  FinishEvent& finish = answer.finish;
  finish.reason = FinishReason::kLength;
  finish.usage = {.prompt_tokens = 57, .cached_prompt_tokens = 50, .completion_tokens = 25};
  finish.timings = {.queue_ms = 0.1, .probe_ms = 12.25, .prompt_ms = 40, .predicted_ms = 120};
  finish.speculation.draft_tokens = 40;
  finish.speculation.draft_accepted_tokens = 18;
  finish.speculation.steps_by_accepted[0] = 6;
  finish.speculation.steps_by_accepted[1] = 2;
  finish.speculation.steps_by_accepted[8] = 2;
  finish.traffic = {.weight_bytes = 1'200'000, .kv_bytes = 50'000, .static_large_bytes = 5'000'000};
  return answer;
}

TEST(PrintStatsTest, SaysWhatTheAnswerTook) {
  EXPECT_EQ(
      FormatStats(Answer()),
      "model    pocket-large, prompt_lookup (n-grams 6 to 1, 8 guesses a step), weights w8a16\n"
      "tokens   57 prompt (50 cached), 25 generated (length)\n"
      "guesses  40 checked, 18 accepted (45.0 %), 1.80 a step\n"
      "          0 kept      6 ########################\n"
      "          1 kept      2 ########\n"
      "          2 kept      0\n"
      "          3 kept      0\n"
      "          4 kept      0\n"
      "          5 kept      0\n"
      "          6 kept      0\n"
      "          7 kept      0\n"
      "          8 kept      2 ########\n"
      "bytes    1.2 MB read (1.2 MB weights, 50.0 kB KV); static large 5.0 MB (4.00 x)\n"
      "times    queue 0.1 ms, probe 12.2 ms, prefill 40.0 ms, decode 120.0 ms "
      "(200.0 tokens/s)");
}

TEST(PrintStatsTest, LeavesOutWhatIsNotKnown) {
  CompletedAnswer answer = Answer();
  answer.start.decision.reset();
  answer.finish.speculation = {};
  answer.finish.traffic = {};
  answer.finish.timings = {};
  EXPECT_EQ(FormatStats(answer),
            "model    pocket-large\n"
            "tokens   57 prompt (50 cached), 25 generated (length)\n"
            "times    queue 0.0 ms, prefill 0.0 ms, decode 0.0 ms");
}

TEST(PrintStatsTest, LeavesOutHistogramAndStaticLargeModelIfUncounted) {
  CompletedAnswer answer = Answer();
  answer.finish.speculation.steps_by_accepted = {};
  answer.finish.traffic.static_large_bytes = 0;
  const std::string text = FormatStats(answer);
  EXPECT_THAT(text, HasSubstr("18 accepted (45.0 %)\nbytes"));
  EXPECT_THAT(text, HasSubstr("50.0 kB KV)\n"));
}

TEST(PrintStatsTest, NamesEachStrategysOwnParameters) {
  CompletedAnswer answer = Answer();
  answer.start.decision->weights = "";
  const auto model_line = [&](StrategyKind kind) {
    answer.start.decision->strategy = DefaultStrategy(kind);
    const std::string text = FormatStats(answer);
    return text.substr(0, text.find('\n'));
  };
  EXPECT_EQ(model_line(StrategyKind::kPlain), "model    pocket-large, plain");
  EXPECT_EQ(model_line(StrategyKind::kDraftModel),
            "model    pocket-large, draft_model (4 guesses a step)");
  EXPECT_EQ(model_line(StrategyKind::kAuto),
            "model    pocket-large, auto (n-grams 6 to 1, up to 16 guesses a step)");
}

}  // namespace
}  // namespace aio
