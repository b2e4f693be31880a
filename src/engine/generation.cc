#include "engine/generation.h"

#include <utility>

#include "base/check.h"
#include "engine/prompt_lookup.h"
#include "engine/verifier.h"

namespace aio {

namespace {

std::unique_ptr<Drafter> MakeDrafter(const Strategy& strategy) {
  switch (strategy.kind) {
    case StrategyKind::kPlain:
      return nullptr;
    case StrategyKind::kPromptLookup:
      return std::make_unique<PromptLookupDrafter>(
          strategy.prompt_lookup_max, strategy.prompt_lookup_min, strategy.num_speculative_tokens);
    case StrategyKind::kDraftModel:
    case StrategyKind::kAuto:
      return nullptr;
  }
  return nullptr;
}

}  // namespace

GenerationSequence::GenerationSequence(GenerationSetup setup)
    : Sequence(std::move(setup.sequence)),
      model_(std::move(setup.model)),
      tokenizer_(std::move(setup.tokenizer)),
      answer_(*tokenizer_, std::move(setup.sampling), tokens(),
              num_positions_max() - num_prompt_tokens() + 1, setup.continues_text),
      drafter_(MakeDrafter(setup.strategy)),
      sink_(std::move(setup.sink)) {}

void GenerationSequence::Abort(Status why) {
  if (finished()) return;
  if (why.code() == StatusCode::kCancelled) {
    cancelled_ = true;
  } else {
    failure_ = std::move(why);
  }
}

void GenerationSequence::OnAdmitted(TimePoint now) { first_step_ = now; }

void GenerationSequence::AppendDraft(int count_max, std::vector<int32_t>& draft) {
  if (drafter_ != nullptr) drafter_->Draft(tokens(), count_max, draft);
}

void GenerationSequence::Consume(const LogitRows& logits, Sampler& sampler, TimePoint now,
                                 std::vector<int32_t>& known) {
  draft_tokens_ += static_cast<int>(draft().size());
  draft_accepted_tokens_ += Verify(logits, draft(), num_tokens(), sampler, answer_, known);
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
    sink_->OnStart({model_, std::nullopt, num_prompt_tokens()});
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
  event.speculation.draft_tokens = draft_tokens_;
  event.speculation.draft_accepted_tokens = draft_accepted_tokens_;
  return event;
}

}  // namespace aio
