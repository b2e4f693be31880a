// What is found out about a request before the probe.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "backend/estimate_tokens.h"
#include "router/router_state.h"

namespace aio {
namespace {

constexpr std::string_view kContextLengthExceeded = "context_length_exceeded";

// A guess is no reason to refuse a prompt: what it must have at least may be.
bool FitsAtLeast(const Target& target, const Prompt& prompt, ContextNeed& need) {
  if (!target.counts_exactly) {
    need.prompt_tokens = std::min<int64_t>(need.prompt_tokens, LeastPromptTokens(prompt));
  }
  return need.fits();
}

Status FitsNowhere(const RoutedRequest& routed, const Target& small_model,
                   const Target& large_model) {
  // The wider of the two, unless that one would do and only its model is gone.
  const bool small =
      !routed.small.fits() && routed.small.context_length > routed.large.context_length;
  const ContextNeed& need = small ? routed.small : routed.large;
  const bool is_exact = (small ? small_model : large_model).counts_exactly;
  const bool chat = std::holds_alternative<std::vector<ChatMessage>>(routed.request.prompt);
  const bool limited = routed.request.sampling.max_tokens.has_value();
  return InvalidArgument(
             fmt::format("the prompt's {}{} tokens and {} for the answer are {}, more than the "
                         "largest context, {} tokens; shorten the prompt{}",
                         is_exact ? "" : "at least ", need.prompt_tokens, need.answer_tokens,
                         need.prompt_tokens + need.answer_tokens, need.context_length,
                         limited ? " or lower max_tokens" : ""))
      .WithReason(std::string(kContextLengthExceeded))
      .WithParam(chat ? "messages" : "prompt");
}

}  // namespace

Result<RoutedRequest> Router::State::Prepare(Request request, const NamedRoute& route) const {
  AIO_RETURN_IF_ERROR(CheckArm(request));
  AIO_RETURN_IF_ERROR(CheckTokenIds(request));
  RoutedRequest routed;
  routed.strategy = request.strategy;
  routed.weights = request.weights;
  routed.request = std::move(request);
  routed.request.model = small.model();
  routed.request.weights.reset();
  routed.request.held_prompt.reset();  // the probe makes its own
  // No model drafts for the small one. Its probe decodes nothing, but checks the parameters.
  std::optional<Strategy>& strategy = routed.request.strategy;
  if (strategy && strategy->kind == StrategyKind::kDraftModel) {
    strategy->kind = StrategyKind::kPromptLookup;
  }
  if (!routed.request.entropy_threshold) {
    routed.request.entropy_threshold = route.entropy_threshold;
  }
  AIO_RETURN_IF_ERROR(CountTokens(routed));
  AIO_RETURN_IF_ERROR(CheckContext(routed));
  ReadLoads(routed);
  routed.session_keys = KeysOf(routed.request);
  routed.session = sessions->Find(routed.session_keys);
  return routed;
}

// What no role could do. What only one can, the other does in its own way.
Status Router::State::CheckArm(const Request& request) const {
  const std::string weights = request.weights.value_or("");
  if (small.ModelWith(weights) == nullptr && large.ModelWith(weights) == nullptr) {
    return NoSuchWeights(weights, {&small, &large});
  }
  const bool drafts = request.strategy && request.strategy->kind == StrategyKind::kDraftModel;
  if (!drafts || !large.place.draft_model.empty()) return Status::Ok();
  return InvalidArgument(
             fmt::format("no model drafts for '{}'; choose another strategy", large.model()))
      .WithParam("aio.strategy");
}

// Ids are of one vocabulary, and which model will read them is not known yet.
Status Router::State::CheckTokenIds(const Request& request) const {
  if (small.vocabulary != 0 && small.vocabulary == large.vocabulary) return Status::Ok();
  const bool in_prompt = std::holds_alternative<std::vector<int32_t>>(request.prompt);
  if (!in_prompt && request.sampling.logit_bias.empty()) return Status::Ok();
  return InvalidArgument(fmt::format("token ids mean different things to '{}' and '{}', whose "
                                     "vocabularies differ; name one of them as the model",
                                     small.model(), large.model()))
      .WithParam(in_prompt ? "prompt" : "logit_bias");
}

// A prompt that is wrong fails; a small model that cannot count just now does not.
Status Router::State::CountTokens(RoutedRequest& routed) const {
  Result<int> count = small.backend().CountPromptTokens(routed.request);
  if (!count.ok()) {
    if (count.status().code() == StatusCode::kInvalidArgument) return count.status();
    routed.count_fault = Brief(count.status());
    count = large.backend().CountPromptTokens(ForModel(routed.request, large.model()));
    if (!count.ok()) return count.status();
  }
  routed.prompt_tokens = *count;
  return Status::Ok();
}

// Everything about the context is settled here, before the probe: its callback may not ask
// the backend that calls it for a count.
Status Router::State::CheckContext(RoutedRequest& routed) const {
  // A prompt that is this many times shorter than a context fits it by any tokenizer of
  // practice, and need not be counted twice.
  constexpr int64_t kTokenizerSpread = 4;
  const int64_t answer_tokens = std::max(0, routed.request.sampling.max_tokens.value_or(1));
  routed.small = {.prompt_tokens = routed.prompt_tokens,
                  .answer_tokens = answer_tokens,
                  .context_length = small.context_length};
  routed.large = routed.small;
  routed.large.context_length = large.context_length;

  const int64_t need = routed.prompt_tokens + answer_tokens;
  if (large.context_length != 0 && kTokenizerSpread * need > large.context_length) {
    const Result<int> count =
        large.backend().CountPromptTokens(ForModel(routed.request, large.model()));
    // If it cannot count now, its own check in Generate() has the last word.
    if (count.ok()) routed.large.prompt_tokens = *count;
  }
  const bool small_answers = routed.small.fits() && routed.count_fault.empty();
  if (small_answers || routed.large.fits()) return Status::Ok();
  const Prompt& prompt = routed.request.prompt;
  if (FitsAtLeast(large, prompt, routed.large)) return Status::Ok();
  if (routed.count_fault.empty() && FitsAtLeast(small, prompt, routed.small)) return Status::Ok();
  return FitsNowhere(routed, small, large);
}

void Router::State::ReadLoads(RoutedRequest& routed) const {
  const std::vector<ModelLoad> loads = small.backend().Load();
  routed.small_load = LoadOf(loads, small.model());
  const bool shared = &large.backend() == &small.backend();
  routed.large_load = LoadOf(shared ? loads : large.backend().Load(), large.model());
}

bool Router::State::WantsProbe(const RoutedRequest& routed) const {
  return policy.wants_probe() && routed.count_fault.empty() &&
         routed.prompt_tokens <= policy.probe_prompt_tokens_max();
}

}  // namespace aio
