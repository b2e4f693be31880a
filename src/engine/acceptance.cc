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

Acceptance::Acceptance(const Acceptance& prior, double prior_weight, double fade)
    : fade_(fade), is_of_request_(true) {
  AIO_CHECK(prior_weight > 0 && fade > 0 && fade <= 1);
  for (int i = 0; i < GuessClass::kCount; ++i) {
    const Count& seen = prior.counts_[i];
    priors_[i] = {seen.accepted / seen.tried, std::min(prior_weight, seen.tried)};
  }
}

void Acceptance::Count::Observe(bool came_true, double fade) {
  accepted = accepted * fade + (came_true ? 1 : 0);
  tried = tried * fade + 1;
}

void Acceptance::Observe(int guess_class, bool accepted) {
  counts_[guess_class].Observe(accepted, fade_);
  Source& source = sources_[SourceOf(guess_class)];
  source.accepted = source.accepted * fade_ + (accepted ? 1 : 0);
  source.expected = source.expected * fade_ + priors_[guess_class].chance;
}

// What others have seen, moved as this request's guesses from the same source differ from theirs.
double Acceptance::PriorChance(int guess_class) const {
  constexpr double kWeight = 2;  // guesses that came true as expected
  const double chance = priors_[guess_class].chance;
  const Source& source = sources_[SourceOf(guess_class)];
  const double ratio = (source.accepted + kWeight) / (source.expected + kWeight);
  return ratio < 1 ? chance * ratio : 1 - (1 - chance) / ratio;
}

float Acceptance::chance(int guess_class) const {
  const Count& count = counts_[guess_class];
  double accepted = count.accepted;
  double tried = count.tried;
  if (is_of_request_) {
    const double weight = priors_[guess_class].weight;
    accepted += weight * PriorChance(guess_class);
    tried += weight;
  }
  // A little either way: never certain.
  return static_cast<float>((accepted + 0.1) / (tried + 0.2));
}

Experience& ExperienceByIntent::Of(std::string_view intent) {
  constexpr size_t kIntentsMax = 64;
  const auto found = by_intent_.find(intent);
  if (found != by_intent_.end()) return found->second;
  if (by_intent_.size() >= kIntentsMax) intent = {};
  return by_intent_[std::string(intent)];
}

}  // namespace aio
