#include "app/probe_prompts.h"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <utility>

namespace aio {
namespace {

constexpr size_t kInFlightMax = 8;
constexpr std::string_view kContextLengthExceeded = "context_length_exceeded";

// What is common to all prompts.
Result<Signals> ReadRoles(const Backend& router, std::string& small_model) {
  Signals signals;
  for (const ModelInfo& model : router.Models()) {
    if (model.role != kSmallRole && model.role != kLargeRole) continue;
    RoleSignals& role = model.role == kSmallRole ? signals.small : signals.large;
    if (!model.weights.empty()) {
      role.variants.push_back(model.weights);
      continue;
    }
    role.context.context_length = model.context_length;
    role.context.answer_tokens = 1;
    role.weight_bytes = model.bytes;
    if (model.role == kSmallRole) small_model = model.name;
  }
  if (small_model.empty()) return NotFound("there is no small model");
  return signals;
}

// Results as they come in, for the thread that waits for them.
class Pending {
 public:
  explicit Pending(size_t count) : scores_(count, Internal("not asked")) {}

  void Begin() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return in_flight_ < kInFlightMax; });
    ++in_flight_;
  }
  void End(size_t i, Result<LabelScores> scores) {
    if (scores.ok()) scores->held_prompt.reset();
    {
      std::lock_guard lock(mutex_);
      scores_[i] = std::move(scores);
      --in_flight_;
      changed_.notify_all();  // under the lock: who waits for the last may destroy this
    }
  }
  std::vector<Result<LabelScores>> WaitForAll() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return in_flight_ == 0; });
    return std::move(scores_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t in_flight_ = 0;
  std::vector<Result<LabelScores>> scores_;
};

// A prompt that does not fit is not probed; how long it is, the router knows.
Status AddProbe(const Result<LabelScores>& scores, const LabelQuery& labels, Signals& signals) {
  if (!scores.ok()) {
    if (scores.status().reason() == kContextLengthExceeded) return Status::Ok();
    return scores.status();
  }
  std::vector<std::string> names;
  names.reserve(labels.labels.size());
  for (const LabelQuery::Label& label : labels.labels) names.push_back(label.name);
  AIO_ASSIGN_OR_RETURN(signals.intent,
                       IntentDistribution::FromLogits(std::move(names), scores->logits));
  signals.label_logits = scores->logits;
  return Status::Ok();
}

}  // namespace

Result<std::vector<Signals>> ProbePrompts(Backend& router, const LabelQuery& labels,
                                          const std::vector<std::string>& prompts,
                                          const std::function<void(size_t done)>& progress) {
  std::string small_model;
  AIO_ASSIGN_OR_RETURN(const Signals roles, ReadRoles(router, small_model));
  std::vector<Signals> all(prompts.size(), roles);
  Pending pending(prompts.size());
  for (size_t i = 0; i < prompts.size(); ++i) {
    Request request;
    request.id = fmt::format("prompt-{}", i + 1);
    request.model = small_model;
    request.prompt = std::vector<ChatMessage>{{"user", prompts[i]}};
    const Result<int> tokens = router.CountPromptTokens(request);
    if (tokens.ok()) {
      all[i].prompt_tokens = *tokens;
      all[i].small.context.prompt_tokens = all[i].large.context.prompt_tokens = *tokens;
    }
    pending.Begin();
    const auto asked = router.ScoreLabels(
        request, labels, [&pending, i](auto scores) { pending.End(i, std::move(scores)); });
    if (!asked.ok()) pending.End(i, asked.status());
    progress(i + 1);
  }
  const std::vector<Result<LabelScores>> scores = pending.WaitForAll();
  for (size_t i = 0; i < prompts.size(); ++i) {
    const Status added = AddProbe(scores[i], labels, all[i]);
    if (!added.ok()) return Status(added).WithContext(fmt::format("prompt {}", i + 1));
  }
  return all;
}

}  // namespace aio
