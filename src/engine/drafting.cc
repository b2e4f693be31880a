#include "engine/drafting.h"

#include <algorithm>
#include <utility>

namespace aio {

namespace {

constexpr int kPassOverAfterRun = 8;  // steps
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

void Guesses::Cut(size_t count) {
  tokens.resize(count);
  classes.resize(count);
  chances.resize(count);
}

Drafting::Drafting(const Strategy& strategy, std::string intent, const SamplingState& sampling,
                   Constraint* constraint)
    : strategy_(strategy),
      intent_(std::move(intent)),
      sampling_(&sampling),
      constraint_(constraint) {
  if (LooksUp(strategy.kind)) {
    lookup_.emplace(strategy.prompt_lookup_max, strategy.prompt_lookup_min);
  }
}

void Drafting::BeginStep(std::span<const int32_t> tokens, ExperienceByIntent& learnt) {
  constexpr double kPriorWeight = 6;
  constexpr double kFade = 0.98;
  if (!own_) {
    of_intent_ = &learnt.Of(intent_);
    own_ = Experience{Acceptance(of_intent_->acceptance, kPriorWeight, kFade),
                      of_intent_->model_run, of_intent_->run_after_lookup};
  }
  Learn(by_lookup_, tokens);
  Learn(by_model_, tokens);
  by_lookup_.Begin(static_cast<int>(tokens.size()));
  by_model_.Begin(static_cast<int>(tokens.size()));
  if (constraint_ != nullptr) after_model_ = constraint_->state();
}

void Drafting::Learn(const Guesses& guesses, std::span<const int32_t> tokens) {
  const auto observe = [this](int guess_class, bool came_true) {
    own_->acceptance.Observe(guess_class, came_true);
    of_intent_->acceptance.Observe(guess_class, came_true);
  };
  for (size_t i = 0; i < guesses.tokens.size(); ++i) {
    const size_t at = static_cast<size_t>(guesses.position) + i;
    if (at >= tokens.size()) return;
    const bool came_true = guesses.tokens[i] == tokens[at];
    observe(guesses.classes[i], came_true);
    if (&guesses == &by_model_) observe(GuessClass::kAnyOfModel, came_true);
    if (!came_true) return;
  }
}

void Drafting::ProposeByLookup(std::span<const int32_t> tokens, int count_max) {
  proposed_.clear();
  const int common = lookup_->Propose(tokens, count_max, proposed_);
  for (size_t i = 0; i < proposed_.size(); ++i) {
    const int length = std::min(common + static_cast<int>(i), PromptLookup::kMatchMax);
    by_lookup_.Append(proposed_[i], GuessClass::OfMatch(length), own_->acceptance);
  }
  CutForbidden(by_lookup_);
}

// A guess that the constraint forbids cannot come true, nor can those after it.
void Drafting::CutForbidden(Guesses& guesses) {
  if (constraint_ == nullptr) return;
  Constraint::State state = constraint_->state();
  size_t count = 0;
  while (count < guesses.tokens.size() && !constraint_->IsOver(state) &&
         constraint_->Advance(state, guesses.tokens[count])) {
    ++count;
  }
  guesses.Cut(count);
}

const TokenMask* Drafting::NextMask() {
  return constraint_ == nullptr ? nullptr : &constraint_->Mask(after_model_);
}

void Drafting::ProposeByModel(int32_t token, float probability) {
  by_model_.Append(token, GuessClass::OfDraft(probability), own_->acceptance);
  if (constraint_ == nullptr || constraint_->Advance(after_model_, token)) return;
  by_model_.Cut(by_model_.tokens.size() - 1);
}

void Drafting::PreferModel() {
  ++model_steps_;
  passed_over_ = 0;
  pass_over_max_ = kPassOverAfterRun;
}

void Drafting::LeaveToLookup() {
  EndModelRun();
  was_looked_up_ = true;
}

void Drafting::PassOverModel() {
  ++passed_over_;
  EndModelRun();
}

void Drafting::EndModelRun() {
  constexpr double kOwnFollows = 0.3;
  constexpr double kIntentFollows = 0.1;
  if (model_steps_ == 0) return;
  const auto observe = [this](Experience& experience, double follows) {
    double& run = was_looked_up_ ? experience.run_after_lookup : experience.model_run;
    run += follows * (model_steps_ - run);
  };
  observe(*own_, kOwnFollows);
  observe(*of_intent_, kIntentFollows);
  model_steps_ = 0;
}

void Drafting::TryModel() {
  passed_over_ = 0;
  pass_over_max_ = std::min(2 * pass_over_max_, kPassOverMax);
}

}  // namespace aio
