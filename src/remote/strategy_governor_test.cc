#include "remote/strategy_governor.h"

#include <gtest/gtest.h>

#include <map>

namespace aio {
namespace {

const std::vector<std::string> kBoth = {"plain", "prompt_lookup"};

std::map<std::string, int> Serve(StrategyGovernor& governor, const std::string& intent,
                                 const std::map<std::string, double>& speeds, int requests) {
  std::map<std::string, int> chosen;
  for (int i = 0; i < requests; ++i) {
    const std::string strategy = governor.Choose(intent, kBoth);
    governor.Observe(intent, strategy, speeds.at(strategy));
    ++chosen[strategy];
  }
  return chosen;
}

TEST(StrategyGovernor, MostRequestsGetTheFastestOfTheirIntent) {
  StrategyGovernor governor;
  const auto code = Serve(governor, "code", {{"plain", 20}, {"prompt_lookup", 50}}, 320);
  const auto qa = Serve(governor, "qa", {{"plain", 20}, {"prompt_lookup", 12}}, 320);
  EXPECT_GE(code.at("prompt_lookup"), 290);
  EXPECT_GE(qa.at("plain"), 290);
  EXPECT_GE(code.at("plain"), 15) << "the other is still tried";
}

TEST(StrategyGovernor, ChangesItsMindWhenSpeedsChange) {
  StrategyGovernor governor;
  Serve(governor, "code", {{"plain", 20}, {"prompt_lookup", 50}}, 100);
  const auto later = Serve(governor, "code", {{"plain", 20}, {"prompt_lookup", 5}}, 400);
  EXPECT_GE(later.at("plain"), 300);
}

TEST(StrategyGovernor, ClientsCannotFillItsMemoryWithIntents) {
  StrategyGovernor governor;
  for (int i = 0; i < 5000; ++i) {
    const std::string intent = "i" + std::to_string(i);
    EXPECT_FALSE(governor.Choose(intent, kBoth).empty());
  }
  governor.Observe("i4999", "plain", 10);
  EXPECT_EQ(governor.TokensPerSecond("i4999", "plain"), 0) << "counted with all that are too many";
}

}  // namespace
}  // namespace aio
