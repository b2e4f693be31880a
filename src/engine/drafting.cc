#include "engine/drafting.h"

#include <algorithm>
#include <utility>

namespace aio {

namespace {

constexpr int kPassOverFirst = 8;  // steps
constexpr int kPassOverMax = 512;

bool LooksUp(StrategyKind kind) {
  return kind == StrategyKind::kPromptLookup || kind == StrategyKind::kAuto;
}

}  // namespace

void Guesses::Begin(int at) {
  position = at;
  tokens.clear();
  classes.clear();
  chances.clear();
}

void Guesses::Append(int32_t token, int guess_class, const Acceptance& acceptance) {
  tokens.push_back(token);
  classes.push_back(guess_class);
  chances.push_back(acceptance.chance(guess_class));
}

Drafting::Drafting(const Strategy& strategy, std::string intent, const SamplingState& sampling)
    : strategy_(strategy), intent_(std::move(intent)), sampling_(&sampling) {
  if (LooksUp(strategy.kind)) {
    lookup_.emplace(strategy.prompt_lookup_max, strategy.prompt_lookup_min);
  }
}

void Drafting::BeginStep(std::span<const int32_t> tokens, AcceptanceByIntent& learnt) {
  constexpr double kPriorWeight = 6;
  constexpr double kFade = 0.93;
  Acceptance& of_intent = learnt.Of(intent_);
  if (!acceptance_) acceptance_.emplace(of_intent, kPriorWeight, kFade);
  Learn(by_lookup_, tokens, of_intent);
  Learn(by_model_, tokens, of_intent);
  by_lookup_.Begin(static_cast<int>(tokens.size()));
  by_model_.Begin(static_cast<int>(tokens.size()));
}

void Drafting::Learn(const Guesses& guesses, std::span<const int32_t> tokens, Acceptance& learnt) {
  for (size_t i = 0; i < guesses.tokens.size(); ++i) {
    const size_t at = static_cast<size_t>(guesses.position) + i;
    if (at >= tokens.size()) return;
    const bool came_true = guesses.tokens[i] == tokens[at];
    acceptance_->Observe(guesses.classes[i], came_true);
    learnt.Observe(guesses.classes[i], came_true);
    if (&guesses == &by_model_) {
      acceptance_->Observe(GuessClass::kAnyOfModel, came_true);
      learnt.Observe(GuessClass::kAnyOfModel, came_true);
    }
    if (!came_true) return;
  }
}

void Drafting::ProposeByLookup(std::span<const int32_t> tokens, int count_max) {
  proposed_.clear();
  const int common = lookup_->Propose(tokens, count_max, proposed_);
  for (size_t i = 0; i < proposed_.size(); ++i) {
    const int length = std::min(common + static_cast<int>(i), PromptLookup::kMatchMax);
    by_lookup_.Append(proposed_[i], GuessClass::OfMatch(length), *acceptance_);
  }
}

void Drafting::ProposeByModel(int32_t token, float probability) {
  by_model_.Append(token, GuessClass::OfDraft(probability), *acceptance_);
}

bool Drafting::PassOverModel() {
  if (++passed_over_ < pass_over_max_) return false;
  passed_over_ = 0;
  pass_over_max_ = std::min(2 * pass_over_max_, kPassOverMax);
  return true;
}

void Drafting::PreferModel() {
  passed_over_ = 0;
  pass_over_max_ = kPassOverFirst;
}

}  // namespace aio
