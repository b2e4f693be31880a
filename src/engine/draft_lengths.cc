#include "engine/draft_lengths.h"

#include <algorithm>

namespace aio {

void DraftLengths::Choose(std::span<const std::span<const float>> chances, const StepBase& base,
                          const StepCosts& costs, int count_max, std::vector<int>& lengths) {
  lengths.assign(chances.size(), 0);
  guesses_.clear();
  for (size_t i = 0; i < chances.size(); ++i) {
    double chance = 1;
    for (const float next : chances[i]) {
      chance *= static_cast<double>(next);
      guesses_.push_back({chance, static_cast<int>(i)});
    }
  }
  // Along a sequence chances only fall, so the best so many of all guesses are always
  // beginnings of each: what is left is to choose how many.
  std::sort(guesses_.begin(), guesses_.end(),
            [](const Guess& a, const Guess& b) { return a.chance > b.chance; });
  const auto count = std::min<size_t>(guesses_.size(), std::max(count_max, 0));
  double tokens = base.tokens;
  double best_rate = tokens / costs.Ms(base.rows);
  size_t best = 0;
  for (size_t i = 0; i < count; ++i) {
    tokens += guesses_[i].chance;
    const double rate = tokens / costs.Ms(base.rows + static_cast<int>(i) + 1);
    if (rate <= best_rate) continue;
    best_rate = rate;
    best = i + 1;
  }
  for (size_t i = 0; i < best; ++i) ++lengths[guesses_[i].sequence];
}

double BestRate(std::span<const float> chances, const StepBase& base, const StepCosts& costs) {
  double tokens = base.tokens;
  double best = tokens / costs.Ms(base.rows);
  double chance = 1;
  for (size_t i = 0; i < chances.size(); ++i) {
    chance *= static_cast<double>(chances[i]);
    tokens += chance;
    best = std::max(best, tokens / costs.Ms(base.rows + static_cast<int>(i) + 1));
  }
  return best;
}

double BestRateOfModel(float chance, int count_max, double draft_ms, double catch_up_ms,
                       const StepBase& base, const StepCosts& costs) {
  double tokens = base.tokens;
  double best = 0;
  double all = 1;
  for (int i = 1; i <= count_max; ++i) {
    all *= static_cast<double>(chance);
    tokens += all;
    best = std::max(best, tokens / (costs.Ms(base.rows + i) + i * draft_ms + catch_up_ms));
  }
  return best;
}

}  // namespace aio
