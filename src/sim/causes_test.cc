// What the paper says failed on its platform, from the causes that it names.
#include <gtest/gtest.h>

#include "sim/paper_defaults.h"
#include "sim/scenario.h"

namespace aio {
namespace {

// One request at a time, to the large model.
Scenario OneByOne(SimWeights weights, const char* strategy) {
  Scenario scenario;
  SimulatedPool pool;
  pool.device = *FindDeviceProfile("ascend-910b-paper");
  scenario.setup.pools = {pool};
  for (const int role : {kSimSmall, kSimLarge}) {
    SimulatedRole& of = scenario.setup.roles[role];
    of.shape = *FindShape(role == kSimSmall ? "openpangu-1b" : "openpangu-7b");
    of.weights = weights;
    of.scheduler = {.max_running = 4, .prefill_chunk_tokens = 2048, .max_draft_tokens = 64};
  }
  scenario.setup.policy = *RoutingPolicy::FromToml(
      "version = 1\nname = \"large\"\nprobe_prompt_tokens_max = 0\n[[rule]]\nname = \"all\"\n"
      "role = \"large\"\n" +
          std::string(strategy),
      "test");
  scenario.traffic.rate = 0.001;
  scenario.traffic.requests = 20;
  scenario.traffic.prompts = {64, 0};
  scenario.traffic.answers = {300, 0};
  scenario.traffic.probe = ProbeQuality::Perfect({"code", "qa", "math"});
  return scenario;
}

double TokensPerSecond(const Scenario& scenario) {
  const auto result = RunScenario(scenario);
  EXPECT_TRUE(result.ok()) << result.status().ToString();
  return result.ok() ? 1000 / result->summary.per_token_ms.mean : 0;
}

constexpr const char* kPlain = "strategy = \"plain\"\n";
// Five guesses a round are the default of the paper's framework.
constexpr const char* kDraft = "strategy = \"draft_model\"\nnum_speculative_tokens = 5\n";

TEST(CausesTest, WeightsThatAreOnlyStoredInEightBitsAreNoFaster) {
  const double plain = TokensPerSecond(OneByOne(SimWeights::kF16, kPlain));
  const double stored = TokensPerSecond(OneByOne(SimWeights::kW8A16, kPlain));
  EXPECT_NEAR(stored / plain, 0.98, 0.005);
}

// Static graphs of which one is kept, so that the two models record theirs anew in every round.
TEST(CausesTest, ADraftModelStallsWhereGraphsAreRecordedAnew) {
  Scenario scenario = OneByOne(SimWeights::kF16, kDraft);
  scenario.setup.pools[0].graph = true;
  for (const char* label : {"code", "qa", "math"}) {
    scenario.setup.roles[kSimLarge].acceptance[{StrategyKind::kDraftModel, label}] = 0.7;
  }
  EXPECT_NEAR(TokensPerSecond(scenario), 4, 0.4);
  const auto result = RunScenario(scenario);
  EXPECT_GT(result->summary.record_share, 0.8) << "most of the time goes into recording";

  scenario.setup.pools[0].device.graphs.resident_max.value = 16;
  EXPECT_GT(TokensPerSecond(scenario), 20) << "kept graphs end the stall";
}

// Without graphs it does not stall, and does not pay either: the host is as slow with the small
// model as with the large one.
TEST(CausesTest, ADraftModelDoesNotPayWhereTheHostIsTheLimit) {
  Scenario scenario = OneByOne(SimWeights::kF16, kDraft);
  for (const char* label : {"code", "qa", "math"}) {
    scenario.setup.roles[kSimLarge].acceptance[{StrategyKind::kDraftModel, label}] = 0.7;
  }
  const double plain = TokensPerSecond(OneByOne(SimWeights::kF16, kPlain));
  EXPECT_LT(TokensPerSecond(scenario), plain * 0.7);
}

}  // namespace
}  // namespace aio
