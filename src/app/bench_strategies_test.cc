#include "app/bench_strategies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "app/bench_steps.h"
#include "engine/embedded_backend.h"
#include "engine/testing/tiny_model.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

Outcome Answer(int tokens, double first_ms, double predicted_ms) {
  Outcome outcome;
  outcome.finish.usage.completion_tokens = tokens;
  outcome.finish.timings.queue_ms = first_ms / 2;
  outcome.finish.timings.prompt_ms = first_ms / 2;
  outcome.finish.timings.predicted_ms = predicted_ms;
  return outcome;
}

StrategyRun RunOf(int64_t tokens, double ms, int64_t accepted = 0) {
  StrategyRun run;
  run.decoded_tokens = tokens;
  run.completion_tokens = tokens + 1;
  run.decode_ms = ms;
  run.draft_tokens = accepted * 2;
  run.draft_accepted_tokens = accepted;
  return run;
}

TEST(StrategyRunTest, CountsTokensAfterTheFirst) {
  StrategyRun run;
  run.Add(std::vector<Outcome>{Answer(/*tokens=*/11, /*first_ms=*/70, /*predicted_ms=*/100)});
  EXPECT_DOUBLE_EQ(run.tokens_per_second(), 100);
  run.Add(std::vector<Outcome>{Answer(31, 20, 200)});
  EXPECT_DOUBLE_EQ(run.tokens_per_second(), 40 / 0.3);
  run.Add({});
  EXPECT_DOUBLE_EQ(run.tokens_per_second(), 40 / 0.3);
  EXPECT_EQ(StrategyRun().tokens_per_second(), 0);
}

TEST(StrategyRunTest, ABatchTakesAsLongAsAllOfIt) {
  StrategyRun run;
  // From 10 ms to 110, and from 60 to 160.
  run.Add(std::vector<Outcome>{Answer(11, 10, 100), Answer(21, 60, 100)});
  EXPECT_DOUBLE_EQ(run.tokens_per_second(), 30 / 0.15);
}

TEST(StrategyFigureTest, TakesMediansOfRatesAndOfPairedRatios) {
  // The machine is half as fast in the second repeat: the ratio does not mind.
  const std::vector<StrategyRun> plain = {RunOf(10, 100), RunOf(10, 200), RunOf(10, 100)};
  const std::vector<StrategyRun> runs = {RunOf(10, 50, 5), RunOf(10, 100, 5), RunOf(10, 60, 5)};
  const StrategyFigure figure = Summarise(runs, plain);
  EXPECT_DOUBLE_EQ(figure.tokens_per_second, 10 / 0.06);
  EXPECT_DOUBLE_EQ(figure.speed_over_plain, 2);
  EXPECT_DOUBLE_EQ(figure.acceptance, 0.5);
  EXPECT_DOUBLE_EQ(figure.tokens_per_step, 2);
  EXPECT_EQ(figure.bytes_per_token, 0) << "unknown";
  EXPECT_DOUBLE_EQ(Summarise(plain, plain).speed_over_plain, 1);
  EXPECT_DOUBLE_EQ(Summarise(plain, plain).tokens_per_step, 1);
}

TEST(StrategyFigureTest, BytesAreThoseOfWeightsAndKv) {
  StrategyRun run = RunOf(9, 100);
  run.traffic = {.weight_bytes = 900, .kv_bytes = 100, .static_large_bytes = 5};
  EXPECT_DOUBLE_EQ(Summarise({run}, {run}).bytes_per_token, 100);
}

StrategyFigure Figure(const char* workload, const char* strategy, double speed) {
  StrategyFigure figure;
  figure.workload = workload;
  figure.strategy = strategy;
  figure.rates = {100 * speed, 50 * speed, 70 * speed};  // the machine slows down
  figure.speed_over_plain = speed;
  return figure;
}

TEST(StrategyFigureTest, ComparesAutoWithTheBestFixedAndFindsTheWorst) {
  const std::vector<StrategyFigure> figures = {Figure("copy", "plain", 1),
                                               Figure("copy", "prompt_lookup", 2),
                                               Figure("copy", "auto", 1.9),
                                               Figure("random", "plain", 1),
                                               Figure("random", "prompt_lookup", 0.8),
                                               Figure("random", "auto", 0.99)};
  const std::vector<AutoFigure> compared = CompareAuto(figures);
  ASSERT_EQ(compared.size(), 2u);
  EXPECT_EQ(compared[0].best_fixed, "prompt_lookup");
  EXPECT_DOUBLE_EQ(compared[0].speed_over_best_fixed, 0.95);
  EXPECT_EQ(compared[1].best_fixed, "plain");
  EXPECT_DOUBLE_EQ(compared[1].speed_over_plain, 0.99);
  const std::vector<WorstFigure> worst = WorstOverPlain(figures);
  ASSERT_EQ(worst.size(), 2u);
  EXPECT_EQ(worst[0].strategy, "prompt_lookup");
  EXPECT_EQ(worst[0].workload, "random");
  EXPECT_DOUBLE_EQ(worst[0].speed_over_plain, 0.8);
}

std::vector<StrategyWorkload> TinyWorkloads() {
  return {{"copy", {{"the hen the hen the hen the hen", 20}, {"in the ring in the ring", 12}}},
          {"one", {{"x", 1}}}};
}

Result<std::vector<StrategyFigure>> RunTiny(const StrategyBenchOptions& options) {
  const SystemClock clock;
  const auto engine =
      EmbeddedBackend::Create({MakeTinyModel("tiny", "large")}, EngineOptions(), clock).value();
  return BenchStrategies(*engine, TinyWorkloads(), options, {}, clock);
}

TEST(BenchStrategiesTest, MeasuresEveryStrategyOnEveryWorkload) {
  for (const int batch : {1, 2}) {
    const StrategyBenchOptions options{.model = "large", .batch = batch, .repeat = 2};
    const auto figures = RunTiny(options);
    ASSERT_TRUE(figures.ok()) << figures.status().ToString();
    std::map<std::string, int> by_workload;
    for (const StrategyFigure& figure : *figures) ++by_workload[figure.workload];
    EXPECT_GE(by_workload["copy"], 4);
    EXPECT_EQ(by_workload["one"], by_workload["copy"]);
    EXPECT_EQ((*figures)[0].strategy, "plain");
    EXPECT_GT((*figures)[0].tokens_per_second, 0);
    EXPECT_EQ((*figures)[0].speed_over_plain, 1);
  }
}

TEST(BenchStrategiesTest, SaysWhichPromptCannotBeAnswered) {
  const auto figures = RunTiny({.model = "huge"});
  EXPECT_THAT(figures.status().message(),
              HasSubstr("prompt 1 of workload copy under plain: the model \"huge\""));
}

TEST(BenchStepsTest, TakesMediansAndRatiosWithinRounds) {
  const std::vector<StepFigure> figures = SummariseSteps({1, 4}, {{10, 12}, {20, 24}, {10, 15}});
  ASSERT_EQ(figures.size(), 2u);
  EXPECT_DOUBLE_EQ(figures[0].ms, 10);
  EXPECT_DOUBLE_EQ(figures[0].over_one_token, 1);
  EXPECT_EQ(figures[1].tokens, 4);
  EXPECT_DOUBLE_EQ(figures[1].ms, 15);
  EXPECT_DOUBLE_EQ(figures[1].over_one_token, 1.2);
}

TEST(BenchStepsTest, MeasuresAModelAndRefusesALongContext) {
  const SystemClock clock;
  const EmbeddedModel tiny = MakeTinyModel("tiny", "large");
  const auto figures = BenchSteps(*tiny.model, {.context = 300, .repeat = 1}, {}, clock);
  ASSERT_TRUE(figures.ok()) << figures.status().ToString();
  EXPECT_EQ(figures->size(), 8u);
  for (const StepFigure& figure : *figures) EXPECT_GT(figure.ms, 0);
  EXPECT_EQ(BenchSteps(*tiny.model, {.context = 500}, {}, clock).status().message(),
            "--context 500: the model's context is 512 tokens, 16 of which the step takes");
}

}  // namespace
}  // namespace aio
