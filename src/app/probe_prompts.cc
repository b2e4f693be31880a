#include "app/probe_prompts.h"

#include <fmt/format.h>

#include <utility>

#include "eval/probe_queries.h"
#include "eval/query_set.h"

namespace aio {
namespace {

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

// A prompt that does not fit is not probed; how long it is, the router knows.
Status AddProbe(const ProbedQuery& probed, const LabelQuery& labels, Signals& signals) {
  if (!probed.ok()) return Status::Ok();
  std::vector<std::string> names;
  names.reserve(labels.labels.size());
  for (const LabelQuery::Label& label : labels.labels) names.push_back(label.name);
  AIO_ASSIGN_OR_RETURN(signals.intent,
                       IntentDistribution::FromLogits(std::move(names), probed.logits));
  signals.label_logits = probed.logits;
  return Status::Ok();
}

}  // namespace

Result<std::vector<Signals>> ProbePrompts(Backend& router, const LabelQuery& labels,
                                          const std::vector<std::string>& prompts,
                                          const std::function<void(size_t done)>& progress) {
  std::string small_model;
  AIO_ASSIGN_OR_RETURN(const Signals roles, ReadRoles(router, small_model));
  std::vector<Signals> all(prompts.size(), roles);
  std::vector<ProbeJob> jobs;
  jobs.reserve(prompts.size());
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
    jobs.push_back({HashMessages({{"user", prompts[i]}}), {{"user", prompts[i]}}});
  }
  ProbeCache seen;  // of this run alone: equal prompts are asked once
  const ProbeRun run{.model = small_model, .labels = labels, .progress = progress};
  AIO_ASSIGN_OR_RETURN(const std::vector<ProbedQuery> probed, ProbeAll(router, run, jobs, seen));
  for (size_t i = 0; i < prompts.size(); ++i) {
    AIO_RETURN_IF_ERROR(AddProbe(probed[i], labels, all[i]));
  }
  return all;
}

}  // namespace aio
