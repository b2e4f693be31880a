#include "remote/strategy_governor.h"

#include <algorithm>

namespace aio {
namespace {

constexpr int64_t kFirstTries = 3;
constexpr int64_t kTryAnotherEvery = 16;
constexpr double kWeight = 0.15;      // of the newest answer
constexpr size_t kIntentsMax = 1000;  // labels are a few; what clients name may be anything

}  // namespace

std::string StrategyGovernor::Choose(std::string_view intent,
                                     const std::vector<std::string>& strategies) {
  const std::lock_guard lock(mutex_);
  if (requests_.size() >= kIntentsMax && !requests_.contains(intent)) intent = "";  // as Observe()
  const int64_t request = ++requests_[std::string(intent)];
  std::vector<Speed*> speeds;
  speeds.reserve(strategies.size());
  for (const std::string& strategy : strategies) {
    speeds.push_back(&speeds_[{std::string(intent), strategy}]);
  }
  const auto least_tried = std::min_element(speeds.begin(), speeds.end(),
                                            [](auto* a, auto* b) { return a->chosen < b->chosen; });
  const auto fastest = std::max_element(speeds.begin(), speeds.end(), [](auto* a, auto* b) {
    return a->tokens_per_second < b->tokens_per_second;
  });
  const bool explores = (*least_tried)->chosen < kFirstTries || request % kTryAnotherEvery == 0;
  const auto chosen = explores ? least_tried : fastest;
  ++(*chosen)->chosen;
  return strategies[static_cast<size_t>(chosen - speeds.begin())];
}

void StrategyGovernor::Observe(std::string_view intent, std::string_view strategy,
                               double tokens_per_second) {
  const std::lock_guard lock(mutex_);
  if (!requests_.contains(intent)) intent = "";
  const auto found = speeds_.find({std::string(intent), std::string(strategy)});
  if (found == speeds_.end()) return;  // nobody chose it
  Speed& speed = found->second;
  speed.tokens_per_second =
      speed.samples++ == 0
          ? tokens_per_second
          : speed.tokens_per_second + kWeight * (tokens_per_second - speed.tokens_per_second);
}

double StrategyGovernor::TokensPerSecond(std::string_view intent, std::string_view strategy) const {
  const std::lock_guard lock(mutex_);
  const auto found = speeds_.find({std::string(intent), std::string(strategy)});
  return found == speeds_.end() ? 0 : found->second.tokens_per_second;
}

}  // namespace aio
