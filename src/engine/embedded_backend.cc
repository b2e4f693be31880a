#include "engine/embedded_backend.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <exception>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/check.h"
#include "base/thread_pool.h"
#include "engine/embedding.h"
#include "engine/engine_thread.h"
#include "engine/format_compiler.h"
#include "engine/generation.h"
#include "engine/held_handle.h"
#include "engine/inbox.h"
#include "engine/model_runner.h"
#include "engine/prompt_encoding.h"
#include "engine/reading.h"
#include "engine/request_checks.h"
#include "engine/scoring.h"
#include "engine/text_answers.h"
#include "engine/tool_calls.h"

namespace aio {

namespace {

Status ShuttingDown() { return Unavailable("the engine is shutting down"); }

class EngineTicket final : public Ticket {
 public:
  EngineTicket(std::weak_ptr<Inbox> inbox, int model, uint64_t sequence)
      : inbox_(std::move(inbox)), model_(model), sequence_(sequence) {}

  void Cancel() override {
    if (const auto inbox = inbox_.lock()) inbox->Post(CancelCommand{model_, sequence_});
  }

 private:
  const std::weak_ptr<Inbox> inbox_;
  const int model_;
  const uint64_t sequence_;
};

Status CheckModels(const std::vector<EmbeddedModel>& models) {
  if (models.empty()) return InvalidArgument("the engine needs at least one model");
  std::set<std::string> names;
  for (const EmbeddedModel& model : models) {
    AIO_CHECK(model.model != nullptr && model.tokenizer != nullptr);
    if (model.name.empty()) return InvalidArgument("a model has no name");
    if (!names.insert(model.name).second) {
      return InvalidArgument(fmt::format("the name \"{}\" is given twice", model.name));
    }
    // A model may be called by its role's name.
    if (!model.role.empty() && model.role != model.name && !names.insert(model.role).second) {
      return InvalidArgument(fmt::format("the role \"{}\" is given twice", model.role));
    }
    if (!(model.bandwidth_weight > 0 && std::isfinite(model.bandwidth_weight))) {
      return InvalidArgument(
          fmt::format("model \"{}\": its bandwidth weight is {}; it must be more "
                      "than 0",
                      model.name, model.bandwidth_weight));
    }
    const int known = model.tokenizer->vocabulary_size();
    const int computed = model.model->config().vocabulary_size;
    if (known > computed) {
      return InvalidArgument(
          fmt::format("model \"{}\": its tokenizer knows {} tokens, but the model only {}",
                      model.name, known, computed));
    }
  }
  return Status::Ok();
}

// Each model with the one that drafts for it, and all with the large one, for comparison.
Status LinkModels(const std::vector<std::unique_ptr<ModelRunner>>& runners) {
  for (const auto& runner : runners) {
    if (runner->model().role != "large") continue;
    for (const auto& other : runners) other->SetStaticLarge(runner->AsStaticLarge());
  }
  for (const auto& runner : runners) {
    const EmbeddedModel& model = runner->model();
    if (model.draft_model.empty()) continue;
    const auto drafter = std::find_if(runners.begin(), runners.end(), [&](const auto& other) {
      return other->model().name == model.draft_model && other != runner;
    });
    if (drafter == runners.end()) {
      return InvalidArgument(
          fmt::format("model \"{}\": there is no other model \"{}\" to draft "
                      "for it",
                      model.name, model.draft_model));
    }
    if ((*drafter)->model().tokenizer->fingerprint() != model.tokenizer->fingerprint()) {
      return InvalidArgument(
          fmt::format("\"{}\" cannot draft for \"{}\": their vocabularies "
                      "differ",
                      model.draft_model, model.name));
    }
    runner->SetDrafter(**drafter);
  }
  return Status::Ok();
}

Status CheckOptions(const EngineOptions& options) {
  using Limits = EngineLimits;
  const auto check = [](const char* name, int64_t value, int64_t min, int64_t max) {
    if (value >= min && value <= max) return Status::Ok();
    return InvalidArgument(
               fmt::format("{} is {}; it must be between {} and {}", name, value, min, max))
        .WithParam(name);
  };
  AIO_RETURN_IF_ERROR(check("num_threads", options.num_threads, 1, Limits::kThreadsMax));
  AIO_RETURN_IF_ERROR(check("max_running", options.max_running, 1, Limits::kRunningMax));
  AIO_RETURN_IF_ERROR(check("max_waiting", options.max_waiting, 1, Limits::kWaitingMax));
  AIO_RETURN_IF_ERROR(check("prefill_chunk_tokens", options.prefill_chunk_tokens, 1,
                            Limits::kPrefillChunkTokensMax));
  AIO_RETURN_IF_ERROR(check("max_draft_tokens", options.max_draft_tokens, Limits::kDraftTokensMin,
                            Limits::kDraftTokensMax));
  AIO_RETURN_IF_ERROR(check("prefill_step_max_ms",
                            options.prefill_step_max / std::chrono::milliseconds(1), 1,
                            Limits::kPrefillStepMax.count()));
  return check("kv_cache_tokens", options.kv_cache_tokens, Limits::kKvCacheTokensMin,
               Limits::kKvCacheTokensMax);
}

}  // namespace

class EmbeddedBackend::Impl {
 public:
  Impl(std::unique_ptr<ThreadPool> pool, std::vector<std::unique_ptr<ModelRunner>> runners,
       bool prefix_caching, const Clock& clock)
      : clock_(clock),
        prefix_caching_(prefix_caching),
        label_encoders_(runners.size()),
        pool_(std::move(pool)),
        engine_(std::move(runners)) {}

  // What Generate() has found out about a request before it takes a place in the queue.
  struct Prepared {
    int model = 0;
    std::vector<int32_t> prompt;
    int answer_tokens_max = 0;
  };

  int num_models() const { return engine_.num_models(); }
  ModelRunner& runner(int model) { return engine_.runner(model); }
  const EmbeddedModel& model(int model) { return runner(model).model(); }
  const ModelConfig& config(int index) { return model(index).model->config(); }
  const std::shared_ptr<Inbox>& inbox() const { return engine_.inbox(); }

  void Stop() { engine_.Stop(); }
  Result<int> FindModel(std::string_view name);
  // What no model of this engine would accept ...
  Status CheckParameters(const Request& request, int model);
  // ... and what this one would not.
  Status CheckHasDrafter(const Request& request, int model);
  Status ValidateLabels(int index, const LabelQuery& labels) {
    if (labels.head != nullptr) return CheckHead(labels, config(index));
    return LabelTokens(index, labels).status();
  }
  Result<std::vector<int32_t>> LabelTokens(int index, const LabelQuery& labels) {
    return label_encoders_[index].Encode(model(index), labels);
  }
  int longest_context();
  Result<Prepared> Prepare(const Request& request);
  Result<std::shared_ptr<Ticket>> ScoreLabels(const Request& request, const LabelQuery& labels,
                                              LabelScoresCallback done);
  Result<std::shared_ptr<Ticket>> ReadHidden(const Request& request, const HiddenQuery& query,
                                             HiddenCallback done);
  Result<std::shared_ptr<Ticket>> Generate(Request request, std::shared_ptr<EventSink> sink);
  Result<std::shared_ptr<Ticket>> Embed(const EmbeddingsQuery& query, EmbeddingsCallback done);

 private:
  // A prompt that a probe looks at.
  Result<std::vector<int32_t>> EncodeForProbe(int index, const Request& request);
  Result<std::shared_ptr<Ticket>> ScoreByHead(int index, const Request& request,
                                              const LabelQuery& labels, LabelScoresCallback done);
  Result<std::shared_ptr<Ticket>> ScoreByTemplate(int index, const Request& request,
                                                  const LabelQuery& labels,
                                                  LabelScoresCallback done);
  Result<std::vector<int32_t>> Encode(int index, const Request& request);
  // Null when the request has none, or that of another engine.
  const HeldHandle* HeldBy(const Request& request) const;
  SequenceSetup MakeSetup(const Request& request, std::vector<int32_t> prompt);
  Result<std::shared_ptr<Ticket>> Submit(int model, std::unique_ptr<Sequence> sequence);

  const Clock& clock_;
  const bool prefix_caching_;
  std::atomic<uint64_t> next_id_{1};
  std::vector<LabelEncoder> label_encoders_;  // [models]
  FormatCompiler formats_;
  const std::unique_ptr<ThreadPool> pool_;
  EngineThread engine_;  // last: joined before the rest goes
};

Result<int> EmbeddedBackend::Impl::FindModel(std::string_view name) {
  std::vector<std::string> known;
  for (int i = 0; i < num_models(); ++i) {
    const EmbeddedModel& candidate = model(i);
    if (name == candidate.name || (!name.empty() && name == candidate.role)) return i;
    known.push_back(candidate.role.empty()
                        ? fmt::format("\"{}\"", candidate.name)
                        : fmt::format("\"{}\" ({})", candidate.name, candidate.role));
  }
  return NotFound(fmt::format("the model \"{}\" does not exist; there is {}", name,
                              fmt::join(known, ", ")))
      .WithParam("model")
      .WithReason("model_not_found");
}

Status EmbeddedBackend::Impl::CheckParameters(const Request& request, int index) {
  const int vocabulary_size = model(index).tokenizer->vocabulary_size();
  AIO_RETURN_IF_ERROR(CheckSampling(request.sampling, vocabulary_size));
  // For whichever model it may go to: later there is no time, for that may be in a step.
  for (int i = 0; i < num_models(); ++i) {
    AIO_RETURN_IF_ERROR(formats_.Compile(request.format, *model(i).tokenizer).status());
  }
  return CheckStrategy(request.strategy.value_or(Strategy()));
}

Status EmbeddedBackend::Impl::CheckHasDrafter(const Request& request, int index) {
  const Strategy strategy = request.strategy.value_or(Strategy());
  if (strategy.kind == StrategyKind::kDraftModel && !runner(index).has_draft_model()) {
    return InvalidArgument(fmt::format("strategy draft_model: no model drafts for \"{}\"; use "
                                       "prompt_lookup or auto",
                                       model(index).name))
        .WithParam("aio.strategy");
  }
  return Status::Ok();
}

int EmbeddedBackend::Impl::longest_context() {
  int tokens = 0;
  for (int i = 0; i < num_models(); ++i) tokens = std::max(tokens, runner(i).limits().tokens());
  return tokens;
}

// Megabytes of text take long to encode; what cannot fit is refused before.
Result<std::vector<int32_t>> EmbeddedBackend::Impl::Encode(int index, const Request& request) {
  const Prompt& prompt = request.prompt;
  AIO_ASSIGN_OR_RETURN(const int fewest, FewestPromptTokens(model(index), prompt, request.tools));
  AIO_RETURN_IF_ERROR(CheckCanFit(prompt, fewest, runner(index).limits()));
  return EncodePrompt(model(index), prompt, request.tools);
}

Result<EmbeddedBackend::Impl::Prepared> EmbeddedBackend::Impl::Prepare(const Request& request) {
  Prepared prepared;
  AIO_ASSIGN_OR_RETURN(prepared.model, FindModel(request.model));
  AIO_RETURN_IF_ERROR(CheckParameters(request, prepared.model));
  AIO_RETURN_IF_ERROR(CheckHasDrafter(request, prepared.model));
  AIO_RETURN_IF_ERROR(CheckVendorFields(request.vendor_fields));
  const HeldHandle* held = HeldBy(request);
  if (held != nullptr && held->model() == prepared.model && held->encoded().IsOf(request)) {
    prepared.prompt = held->encoded().tokens;
  } else {
    AIO_ASSIGN_OR_RETURN(prepared.prompt, Encode(prepared.model, request));
  }
  AIO_ASSIGN_OR_RETURN(
      prepared.answer_tokens_max,
      AnswerTokensMax(request.prompt, static_cast<int>(prepared.prompt.size()),
                      request.sampling.max_tokens, runner(prepared.model).limits()));
  return prepared;
}

const HeldHandle* EmbeddedBackend::Impl::HeldBy(const Request& request) const {
  const auto* held = dynamic_cast<const HeldHandle*>(request.held_prompt.get());
  return held != nullptr && held->IsOf(inbox()) ? held : nullptr;
}

SequenceSetup EmbeddedBackend::Impl::MakeSetup(const Request& request,
                                               std::vector<int32_t> prompt) {
  SequenceSetup setup;
  setup.id = next_id_.fetch_add(1, std::memory_order_relaxed);
  const HeldHandle* held = HeldBy(request);
  setup.arrival = held != nullptr ? held->arrival() : setup.id;
  if (!prefix_caching_) setup.cache_salt = held != nullptr ? held->cache_salt() : setup.id;
  setup.prompt = std::move(prompt);
  setup.accepted = clock_.Now();
  setup.deadline = request.deadline;
  return setup;
}

Result<std::shared_ptr<Ticket>> EmbeddedBackend::Impl::Submit(int model,
                                                              std::unique_ptr<Sequence> sequence) {
  auto ticket = std::make_shared<EngineTicket>(inbox(), model, sequence->id());
  AIO_RETURN_IF_ERROR(runner(model).TakeQueuePlace());
  if (!inbox()->Post(SubmitCommand{model, std::move(sequence)})) {
    runner(model).GiveBackQueuePlace();
    return ShuttingDown();
  }
  return std::shared_ptr<Ticket>(std::move(ticket));
}

Result<std::shared_ptr<Ticket>> EmbeddedBackend::Impl::ScoreLabels(const Request& request,
                                                                   const LabelQuery& labels,
                                                                   LabelScoresCallback done) {
  AIO_CHECK(done != nullptr);
  AIO_ASSIGN_OR_RETURN(const int index, FindModel(request.model));
  AIO_RETURN_IF_ERROR(CheckParameters(request, index));
  if (labels.head != nullptr) return ScoreByHead(index, request, labels, std::move(done));
  return ScoreByTemplate(index, request, labels, std::move(done));
}

Result<std::vector<int32_t>> EmbeddedBackend::Impl::EncodeForProbe(int index,
                                                                   const Request& request) {
  AIO_ASSIGN_OR_RETURN(std::vector<int32_t> tokens, Encode(index, request));
  AIO_RETURN_IF_ERROR(AnswerTokensMax(request.prompt, static_cast<int>(tokens.size()), std::nullopt,
                                      runner(index).limits())
                          .status());
  return tokens;
}

Result<std::shared_ptr<Ticket>> EmbeddedBackend::Impl::ScoreByHead(int index,
                                                                   const Request& request,
                                                                   const LabelQuery& labels,
                                                                   LabelScoresCallback done) {
  AIO_RETURN_IF_ERROR(CheckHead(labels, config(index)));
  AIO_ASSIGN_OR_RETURN(std::vector<int32_t> tokens, EncodeForProbe(index, request));
  AIO_ASSIGN_OR_RETURN(HeadPrompt prompt, EncodeForHead(model(index), request.prompt, tokens,
                                                        labels.window_tokens, request.tools));
  const ProbeHead& head = *labels.head;
  ReadingSetup setup;
  setup.pool = PoolOptionsFor(config(index), {head.layers}, prompt.text, head.window_tokens);
  setup.sequence = MakeSetup(request, std::move(prompt.tokens));
  if (labels.early_exit && head.layers < config(index).num_layers) {
    setup.sequence.num_layers = head.layers;
  }
  LabelScores scores;
  scores.prompt_tokens = static_cast<int>(tokens.size());
  scores.held_prompt =
      std::make_shared<HeldHandle>(inbox(), index, setup.sequence,
                                   EncodedPrompt{request.prompt, request.tools, std::move(tokens)});
  setup.done = ScoreReading(labels.head, std::move(scores), std::move(done));
  return Submit(index, std::make_unique<ReadingSequence>(std::move(setup)));
}

Result<std::shared_ptr<Ticket>> EmbeddedBackend::Impl::ReadHidden(const Request& request,
                                                                  const HiddenQuery& query,
                                                                  HiddenCallback done) {
  AIO_CHECK(done != nullptr);
  AIO_ASSIGN_OR_RETURN(const int index, FindModel(request.model));
  AIO_RETURN_IF_ERROR(CheckHiddenLayers(query.layers, query.window_tokens, config(index)));
  AIO_ASSIGN_OR_RETURN(std::vector<int32_t> tokens, EncodeForProbe(index, request));
  AIO_ASSIGN_OR_RETURN(HeadPrompt prompt, EncodeForHead(model(index), request.prompt,
                                                        std::move(tokens), /*window_tokens=*/0));
  ReadingSetup setup;
  setup.pool = PoolOptionsFor(config(index), query.layers, prompt.text, query.window_tokens);
  setup.sequence = MakeSetup(request, std::move(prompt.tokens));
  setup.done = [done = std::move(done)](Result<Reading> reading) {
    if (!reading.ok()) return done(reading.status());
    done(std::move(reading->windows));
  };
  return Submit(index, std::make_unique<ReadingSequence>(std::move(setup)));
}

Result<std::shared_ptr<Ticket>> EmbeddedBackend::Impl::ScoreByTemplate(int index,
                                                                       const Request& request,
                                                                       const LabelQuery& labels,
                                                                       LabelScoresCallback done) {
  const ContextLimits limits = runner(index).limits();
  ScoringSetup setup;
  AIO_ASSIGN_OR_RETURN(setup.label_tokens, LabelTokens(index, labels));
  AIO_ASSIGN_OR_RETURN(std::vector<int32_t> tokens, EncodeForProbe(index, request));
  setup.prompt_tokens = static_cast<int>(tokens.size());
  AIO_ASSIGN_OR_RETURN(std::vector<int32_t> probe,
                       EncodeProbe(model(index), request.prompt, labels, request.tools));
  AIO_RETURN_IF_ERROR(CheckProbeFits(request.prompt, static_cast<int>(probe.size()), limits));
  setup.sequence = MakeSetup(request, std::move(probe));
  setup.held_prompt =
      std::make_shared<HeldHandle>(inbox(), index, setup.sequence,
                                   EncodedPrompt{request.prompt, request.tools, std::move(tokens)});
  setup.done = std::move(done);
  return Submit(index, std::make_unique<ScoringSequence>(std::move(setup)));
}

Result<std::shared_ptr<Ticket>> EmbeddedBackend::Impl::Generate(Request request,
                                                                std::shared_ptr<EventSink> sink) {
  AIO_CHECK(sink != nullptr);
  AIO_ASSIGN_OR_RETURN(Prepared prepared, Prepare(request));
  const EmbeddedModel& chosen = model(prepared.model);
  GenerationSetup setup;
  setup.sequence = MakeSetup(request, std::move(prepared.prompt));
  setup.sequence.answer_tokens_max = prepared.answer_tokens_max;
  setup.model = chosen.name;
  setup.tokenizer = chosen.tokenizer;
  setup.sampling = std::move(request.sampling);
  setup.strategy = request.strategy.value_or(Strategy());
  setup.intent = std::move(request.intent);
  setup.token_entropies_max = request.token_entropies_max;
  setup.continues_text = !std::holds_alternative<std::vector<ChatMessage>>(request.prompt);
  AIO_ASSIGN_OR_RETURN(setup.grammar, formats_.Compile(request.format, *chosen.tokenizer));
  if (request.hold_prompt) {
    setup.held_prompt = std::make_shared<HeldHandle>(
        inbox(), prepared.model, setup.sequence,
        EncodedPrompt{std::move(request.prompt), request.tools, setup.sequence.prompt});
  }
  setup.sink = ReadToolCalls(chosen, request, std::move(sink));
  return Submit(prepared.model, std::make_unique<GenerationSequence>(std::move(setup)));
}

Result<std::shared_ptr<Ticket>> EmbeddedBackend::Impl::Embed(const EmbeddingsQuery& query,
                                                             EmbeddingsCallback done) {
  AIO_CHECK(done != nullptr && !query.inputs.empty());
  AIO_ASSIGN_OR_RETURN(const int index, FindModel(query.model));
  std::vector<std::vector<int32_t>> inputs;
  inputs.reserve(query.inputs.size());
  Request request;
  request.deadline = query.deadline;
  for (const Prompt& input : query.inputs) {
    request.prompt = input;
    AIO_ASSIGN_OR_RETURN(inputs.emplace_back(), EncodeForProbe(index, request));
  }
  request.prompt = std::string();
  const EmbeddingBatch::Submit submit = [this, index, request](std::vector<int32_t> tokens,
                                                               ReadingCallback read) {
    ReadingSetup setup;
    const TokenRange all{0, static_cast<int>(tokens.size())};
    setup.pool = PoolOptionsFor(config(index), {config(index).num_layers}, all, all.size());
    setup.sequence = MakeSetup(request, std::move(tokens));
    setup.done = std::move(read);
    return this->Submit(index, std::make_unique<ReadingSequence>(std::move(setup)));
  };
  return EmbeddingBatch::Start(model(index), std::move(inputs), submit, std::move(done));
}

EmbeddedBackend::EmbeddedBackend(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
// The last callbacks may still call in, so the thread ends before anything else does.
EmbeddedBackend::~EmbeddedBackend() { impl_->Stop(); }

Result<std::unique_ptr<EmbeddedBackend>> EmbeddedBackend::Create(std::vector<EmbeddedModel> models,
                                                                 const EngineOptions& options,
                                                                 const Clock& clock) {
  AIO_RETURN_IF_ERROR(CheckModels(models));
  AIO_RETURN_IF_ERROR(CheckOptions(options));
  try {
    auto pool = std::make_unique<ThreadPool>(options.num_threads, options.pin_threads);
    std::vector<std::unique_ptr<ModelRunner>> runners;
    for (EmbeddedModel& model : models) {
      AIO_ASSIGN_OR_RETURN(auto runner,
                           ModelRunner::Create(std::move(model), options, *pool, clock));
      runners.push_back(std::move(runner));
    }
    AIO_RETURN_IF_ERROR(LinkModels(runners));
    return std::unique_ptr<EmbeddedBackend>(new EmbeddedBackend(std::make_unique<Impl>(
        std::move(pool), std::move(runners), options.prefix_caching, clock)));
  } catch (const std::exception& e) {  // memory or threads
    return ResourceExhausted(
        fmt::format("the engine could not start: {}; lower engine.threads, engine.kv_cache_tokens "
                    "or engine.prefill_chunk_tokens",
                    e.what()));
  }
}

Result<int64_t> EmbeddedBackend::WorkingBytes(const ModelConfig& config,
                                              const EngineOptions& options) {
  return ModelRunner::WorkingBytes(config, options);
}

std::vector<ModelInfo> EmbeddedBackend::Models() const {
  std::vector<ModelInfo> infos;
  infos.reserve(impl_->num_models());
  for (int i = 0; i < impl_->num_models(); ++i) {
    const EmbeddedModel& model = impl_->model(i);
    ModelInfo info;
    info.name = model.name;
    info.role = model.role;
    info.architecture = model.model->config().architecture;
    info.parameters = model.model->summary().parameters;
    info.bytes = model.model->summary().weight_bytes;
    info.context_length = impl_->runner(i).limits().tokens();
    info.vocabulary_size = model.tokenizer->vocabulary_size();
    info.num_layers = model.model->config().num_layers;
    info.hidden_size = model.model->config().hidden_size;
    info.vocabulary_fingerprint = model.tokenizer->fingerprint();
    info.fingerprint = model.model->fingerprint();
    info.running_max = impl_->runner(i).running_max();
    DescribeText(model, info);
    infos.push_back(std::move(info));
  }
  return infos;
}

std::vector<ModelLoad> EmbeddedBackend::Load() const {
  std::vector<ModelLoad> loads;
  loads.reserve(impl_->num_models());
  for (int i = 0; i < impl_->num_models(); ++i) loads.push_back(impl_->runner(i).Load());
  return loads;
}

Result<int> EmbeddedBackend::CountPromptTokens(const Request& request) const {
  AIO_ASSIGN_OR_RETURN(const int index, impl_->FindModel(request.model));
  const EmbeddedModel& model = impl_->model(index);
  AIO_ASSIGN_OR_RETURN(const int fewest, FewestPromptTokens(model, request.prompt, request.tools));
  if (fewest >= impl_->longest_context()) return fewest;  // no model has room: as good as the count
  AIO_ASSIGN_OR_RETURN(const std::vector<int32_t> prompt,
                       EncodePrompt(model, request.prompt, request.tools));
  return static_cast<int>(prompt.size());
}

Status EmbeddedBackend::ValidateLabels(std::string_view model, const LabelQuery& labels) const {
  AIO_ASSIGN_OR_RETURN(const int index, impl_->FindModel(model));
  return impl_->ValidateLabels(index, labels);
}

Result<std::shared_ptr<Ticket>> EmbeddedBackend::ReadHidden(const Request& request,
                                                            const HiddenQuery& query,
                                                            HiddenCallback done) {
  return impl_->ReadHidden(request, query, std::move(done));
}

Result<std::shared_ptr<Ticket>> EmbeddedBackend::ScoreLabels(const Request& request,
                                                             const LabelQuery& labels,
                                                             LabelScoresCallback done) {
  return impl_->ScoreLabels(request, labels, std::move(done));
}

Status EmbeddedBackend::Decide(const Request& request, DecisionCallback done) {
  AIO_CHECK(done != nullptr);
  AIO_ASSIGN_OR_RETURN(const Impl::Prepared prepared, impl_->Prepare(request));
  const EmbeddedModel& model = impl_->model(prepared.model);
  Decision decision;
  decision.model = model.name;
  decision.role = model.role;
  decision.strategy = request.strategy.value_or(Strategy());
  decision.reason =
      request.model == model.name ? "model requested by name" : "model requested by role";
  decision.rule = "override";
  decision.prompt_tokens = static_cast<int>(prepared.prompt.size());
  done(std::move(decision));
  return Status::Ok();
}

Result<std::shared_ptr<Ticket>> EmbeddedBackend::Generate(Request request,
                                                          std::shared_ptr<EventSink> sink) {
  return impl_->Generate(std::move(request), std::move(sink));
}

Result<Tokenized> EmbeddedBackend::Tokenize(const TokenizeQuery& query) const {
  AIO_ASSIGN_OR_RETURN(const int index, impl_->FindModel(query.model));
  AIO_ASSIGN_OR_RETURN(Tokenized tokenized, TokenizeFor(impl_->model(index), query));
  tokenized.context_length = impl_->runner(index).limits().tokens();
  return tokenized;
}

Result<std::string> EmbeddedBackend::Detokenize(std::string_view model,
                                                std::span<const int32_t> tokens) const {
  AIO_ASSIGN_OR_RETURN(const int index, impl_->FindModel(model));
  return DetokenizeFor(impl_->model(index), tokens);
}

Result<std::string> EmbeddedBackend::RenderChat(const TokenizeQuery& query) const {
  AIO_ASSIGN_OR_RETURN(const int index, impl_->FindModel(query.model));
  return RenderChatFor(impl_->model(index), query);
}

Result<std::shared_ptr<Ticket>> EmbeddedBackend::Embed(EmbeddingsQuery query,
                                                       EmbeddingsCallback done) {
  return impl_->Embed(query, std::move(done));
}

}  // namespace aio
