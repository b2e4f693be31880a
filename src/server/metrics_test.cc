#include "server/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aio {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(MetricsTest, CountsAndObserves) {
  Metrics metrics;
  metrics.CountRequest("/v1/chat/completions", 200);
  metrics.CountRequest("/v1/chat/completions", 200);
  Decision decision;
  decision.model = "small";
  decision.role = "small";
  decision.rule = "small-code";
  decision.probed = true;
  decision.intent = "code";
  decision.entropy = 0.45;
  decision.probe_ms = 0.2;
  metrics.CountDecision(decision);
  metrics.ObserveFirstToken("small", milliseconds(30));
  FinishEvent finish;
  finish.usage = {.prompt_tokens = 10, .cached_prompt_tokens = 8, .completion_tokens = 5};
  StartEvent start;
  start.model = "small";
  metrics.ObserveAnswer(start, finish, milliseconds(200), milliseconds(80));
  const std::string text = metrics.Text({});
  for (const char* line :
       {"aio_requests_total{code=\"200\",endpoint=\"/v1/chat/completions\"} 2\n",
        "aio_decisions_total{intent=\"code\",model=\"small\",role=\"small\",rule=\"small-"
        "code\",strategy=\"plain\"} "
        "1\n",
        "aio_routing_latency_seconds_bucket{le=\"0.0001\"} 0\n",
        "aio_routing_latency_seconds_bucket{le=\"0.00025\"} 1\n",
        "aio_entropy_bucket{le=\"0.5\"} 1\n", "aio_entropy_count 1\n",
        "aio_time_to_first_token_seconds_sum{model=\"small\"} 0.03\n",
        "aio_time_per_output_token_seconds_sum{model=\"small\"} 0.02\n",
        "aio_e2e_request_latency_seconds_sum{model=\"small\"} 0.2\n",
        "aio_prompt_tokens_total{model=\"small\"} 10\n",
        "aio_cached_prompt_tokens_total{model=\"small\"} 8\n",
        "aio_generation_tokens_total{model=\"small\"} 5\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(MetricsTest, CountsSpeculationByModelAndStrategy) {
  Metrics metrics;
  StartEvent start;
  start.model = "large";
  start.decision.emplace().strategy = DefaultStrategy(StrategyKind::kPromptLookup);
  FinishEvent finish;
  finish.speculation.draft_tokens = 20;
  finish.speculation.draft_accepted_tokens = 9;
  finish.speculation.steps_by_accepted[0] = 2;  // of six steps; two kept 1, one 3 and one 4
  finish.speculation.steps_by_accepted[1] = 2;
  finish.speculation.steps_by_accepted[3] = 1;
  finish.speculation.steps_by_accepted[4] = 1;
  metrics.ObserveAnswer(start, finish, milliseconds(1), milliseconds(1));
  metrics.ObserveAnswer(start, finish, milliseconds(1), milliseconds(1));
  const std::string text = metrics.Text({});
  const std::string prefix = "aio_spec_decode_num_";
  const std::string labels = "{model=\"large\",strategy=\"prompt_lookup\"} ";
  EXPECT_THAT(text, HasSubstr(prefix + "drafts_total" + labels + "12\n"));
  EXPECT_THAT(text, HasSubstr(prefix + "draft_tokens_total" + labels + "40\n"));
  EXPECT_THAT(text, HasSubstr(prefix + "accepted_tokens_total" + labels + "18\n"));
  constexpr int kAccepted[] = {8, 4, 4, 2, 0};
  for (int position = 0; position < 5; ++position) {
    EXPECT_THAT(text,
                HasSubstr(prefix + "accepted_tokens_per_pos_total{model=\"large\",position=\"" +
                          std::to_string(position) + "\",strategy=\"prompt_lookup\"} " +
                          std::to_string(kAccepted[position]) + "\n"));
  }
  EXPECT_THAT(text, HasSubstr("position=\"15\""));
  EXPECT_THAT(text, Not(HasSubstr("position=\"16\"")));
}

TEST(MetricsTest, CountsBytesReadBesideThoseOfAStaticLargeModel) {
  Metrics metrics;
  StartEvent start;
  start.model = "small";
  start.decision.emplace();
  FinishEvent finish;
  finish.traffic = {.weight_bytes = 3'000'000'000, .kv_bytes = 5, .static_large_bytes = 7};
  metrics.ObserveAnswer(start, finish, milliseconds(1), milliseconds(1));
  start.decision.reset();
  metrics.ObserveAnswer(start, finish, milliseconds(1), milliseconds(1));
  const std::string text = metrics.Text({});
  for (const char* strategy : {"plain", ""}) {
    const std::string labels = "{model=\"small\",strategy=\"" + std::string(strategy) + "\"} ";
    EXPECT_THAT(text, HasSubstr("aio_weight_bytes_read_total" + labels + "3000000000\n"));
    EXPECT_THAT(text, HasSubstr("aio_kv_bytes_read_total" + labels + "5\n"));
    EXPECT_THAT(text, HasSubstr("aio_static_large_bytes_total" + labels + "7\n"));
    EXPECT_THAT(text, HasSubstr("aio_spec_decode_num_drafts_total" + labels + "0\n"));
  }
  EXPECT_THAT(text, Not(HasSubstr("accepted_tokens_per_pos_total{")));
}

TEST(MetricsTest, UnprobedDecisionsHaveNoEntropy) {
  Metrics metrics;
  Decision decision;
  decision.model = "large";
  decision.rule = "override";
  metrics.CountDecision(decision);
  const std::string text = metrics.Text({});
  EXPECT_THAT(text, HasSubstr("aio_entropy_count 0\n"));
  EXPECT_THAT(text, HasSubstr("intent=\"\",model=\"large\""));
}

TEST(MetricsTest, LoadBecomesGaugesAndCounters) {
  const Metrics metrics;
  ModelLoad load;
  load.name = "small";
  load.running = 2;
  load.waiting = 3;
  load.kv_blocks_used = 40;
  load.kv_blocks_idle = 6;
  load.kv_blocks_total = 50;
  load.preemptions = 7;
  load.step_ms = 250;
  load.tokens_per_second = 6;
  load.prefix_tokens_asked = 90;
  load.prefix_tokens_found = 80;
  const std::string text = metrics.Text({load});
  for (const char* line :
       {"# TYPE aio_num_requests_running gauge\n", "aio_num_requests_running{model=\"small\"} 2\n",
        "aio_num_requests_waiting{model=\"small\"} 3\n", "aio_kv_blocks_used{model=\"small\"} 40\n",
        "aio_kv_blocks_idle{model=\"small\"} 6\n", "aio_kv_blocks_capacity{model=\"small\"} 50\n",
        "aio_decode_step_seconds{model=\"small\"} 0.25\n",
        "aio_answer_tokens_per_second{model=\"small\"} 6\n",
        "# TYPE aio_num_preemptions_total counter\n",
        "aio_num_preemptions_total{model=\"small\"} 7\n",
        "aio_prefix_cache_queries_total{model=\"small\"} 90\n",
        "aio_prefix_cache_hits_total{model=\"small\"} 80\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

}  // namespace
}  // namespace aio
