#include "engine/generation.h"

#include <utility>

#include "base/check.h"
#include "engine/verifier.h"

namespace aio {

GenerationSequence::GenerationSequence(GenerationSetup setup)
    : Sequence(std::move(setup.sequence)),
      model_(std::move(setup.model)),
      tokenizer_(std::move(setup.tokenizer)),
      held_prompt_(std::move(setup.held_prompt)),
      answer_(*tokenizer_, std::move(setup.sampling), tokens(),
              num_positions_max() - num_prompt_tokens() + 1, setup.continues_text),
      sink_(std::move(setup.sink)) {
  answer_.WantEntropies(setup.token_entropies_max);
  if (setup.grammar != nullptr) {
    const bool drops_space = tokenizer_->adds_space_prefix() && !setup.continues_text;
    answer_.Constrain(std::make_unique<Constraint>(
        std::move(setup.grammar),
        answer_.sampling().params().ignore_eos ? std::vector<int32_t>() : EndTokens(*tokenizer_),
        drops_space));
  }
  if (setup.strategy.kind == StrategyKind::kPlain) return;
  drafting_.emplace(setup.strategy, std::move(setup.intent), answer_.sampling(),
                    answer_.constraint());
}

void GenerationSequence::Abort(Status why) {
  if (finished()) return;
  if (why.code() == StatusCode::kCancelled) {
    cancelled_ = true;
  } else {
    failure_ = std::move(why);
  }
}

void GenerationSequence::OnAdmitted(TimePoint now) { first_step_ = now; }

void GenerationSequence::Consume(const LogitRows& logits, Sampler& sampler, TimePoint now,
                                 std::vector<int32_t>& known) {
  const auto drafted = static_cast<int>(draft().size());
  const int accepted = Verify(logits, draft(), num_tokens(), sampler, answer_, known);
  if (answer_.failure()) failure_ = answer_.failure();
  if (drafted > 0) {
    speculation_.draft_tokens += drafted;
    speculation_.draft_accepted_tokens += accepted;
    ++speculation_.steps_by_accepted[accepted];
  }
  if (!first_token_) first_token_ = now;
  last_token_ = now;
}

void GenerationSequence::Deliver() {
  if (sink_ == nullptr) return;
  try {
    Send();
  } catch (...) {
    // What a sink throws concerns the one who wrote it; the other requests go on.
    sink_.reset();
    Abort(Cancelled("the event sink threw an exception"));
  }
}

void GenerationSequence::Send() {
  if (failure_) {
    sink_->OnError(*failure_);
    sink_.reset();
    return;
  }
  if (!start_was_sent_) {
    start_was_sent_ = true;
    sink_->OnStart({.model = model_,
                    .decision = std::nullopt,
                    .prompt_tokens = num_prompt_tokens(),
                    .held_prompt = std::move(held_prompt_)});
  }
  if (answer_.text().has_event()) {
    sink_->OnToken(answer_.text().event());
    answer_.text().ClearEvent();
  }
  if (!finished()) return;
  sink_->OnFinish(Summary());
  sink_.reset();
}

FinishEvent GenerationSequence::Summary() const {
  FinishEvent event;
  event.reason = cancelled_ ? FinishReason::kCancelled : answer_.reason();
  event.usage.prompt_tokens = num_prompt_tokens();
  event.usage.cached_prompt_tokens = num_cached();
  event.usage.completion_tokens = answer_.num_tokens();
  if (first_step_) event.timings.queue_ms = ToMs(*first_step_ - accepted());
  if (first_token_) {
    event.timings.prompt_ms = ToMs(*first_token_ - *first_step_);
    event.timings.predicted_ms = ToMs(last_token_ - *first_token_);
  }
  event.speculation = speculation_;
  event.traffic = traffic();
  event.stop_string = answer_.stop_string();
  return event;
}

}  // namespace aio
