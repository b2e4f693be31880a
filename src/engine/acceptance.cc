#include "engine/acceptance.h"

#include <algorithm>

#include "base/check.h"

namespace aio {

namespace {

// The longest match of each class.
constexpr int kMatchEnds[GuessClass::kNumMatchClasses - 1] = {1, 2, 3, 4, 5, 6, 8, 11, 15, 20, 31};

// Before anything was seen: rough, so it weighs little.
float GeneralChance(int guess_class) {
  constexpr float kOfMatch[GuessClass::kNumMatchClasses] = {
      0.2F, 0.4F, 0.55F, 0.65F, 0.7F, 0.75F, 0.8F, 0.85F, 0.9F, 0.93F, 0.95F, 0.97F};
  if (guess_class < GuessClass::kNumMatchClasses) return kOfMatch[guess_class];
  if (guess_class == GuessClass::kAnyOfModel) return 0.7F;
  // A draft model that is as sure as it is right.
  const int i = guess_class - GuessClass::kNumMatchClasses;
  return (static_cast<float>(i) + 0.5F) / GuessClass::kNumDraftClasses;
}

}  // namespace

int GuessClass::OfMatch(int length) {
  AIO_CHECK(length >= 1);
  return static_cast<int>(std::lower_bound(std::begin(kMatchEnds), std::end(kMatchEnds), length) -
                          std::begin(kMatchEnds));
}

int GuessClass::OfDraft(float probability) {
  const int i = static_cast<int>(probability * kNumDraftClasses);
  return kNumMatchClasses + std::clamp(i, 0, kNumDraftClasses - 1);
}

Acceptance::Acceptance() {
  constexpr double kWeight = 4;
  for (int i = 0; i < GuessClass::kCount; ++i) {
    counts_[i] = {kWeight * static_cast<double>(GeneralChance(i)), kWeight};
  }
}

Acceptance::Acceptance(const Acceptance& prior, double prior_weight, double fade) : fade_(fade) {
  AIO_CHECK(prior_weight > 0 && fade > 0 && fade <= 1);
  for (int i = 0; i < GuessClass::kCount; ++i) {
    const Count& seen = prior.counts_[i];
    const double weight = std::min(prior_weight, seen.tried);
    counts_[i] = {seen.accepted / seen.tried * weight, weight};
  }
}

void Acceptance::Observe(int guess_class, bool accepted) {
  Count& count = counts_[guess_class];
  count.accepted = count.accepted * fade_ + (accepted ? 1 : 0);
  count.tried = count.tried * fade_ + 1;
}

float Acceptance::chance(int guess_class) const {
  // Half an observation either way: never certain.
  const Count& count = counts_[guess_class];
  return static_cast<float>((count.accepted + 0.1) / (count.tried + 0.2));
}

Experience& ExperienceByIntent::Of(std::string_view intent) {
  constexpr size_t kIntentsMax = 64;
  const auto found = by_intent_.find(intent);
  if (found != by_intent_.end()) return found->second;
  if (by_intent_.size() >= kIntentsMax) intent = {};
  return by_intent_[std::string(intent)];
}

}  // namespace aio
