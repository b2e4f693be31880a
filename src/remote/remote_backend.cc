#include "remote/remote_backend.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <nlohmann/json.hpp>
#include <utility>
#include <variant>

#include "backend/estimate_tokens.h"
#include "base/check.h"
#include "remote/encode_request.h"
#include "remote/health_checks.h"
#include "remote/label_scores.h"
#include "remote/remote_generation.h"

namespace aio {
namespace {

constexpr size_t kPrefixBytes = 1024;  // that make two prompts begin alike

uint64_t HashInto(uint64_t hash, std::string_view text) {  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}
constexpr uint64_t kHashBegin = 0xcbf29ce484222325u;

uint64_t PrefixHash(const Prompt& prompt) {
  if (const auto* text = std::get_if<std::string>(&prompt)) {
    return HashInto(kHashBegin, std::string_view(*text).substr(0, kPrefixBytes));
  }
  uint64_t hash = kHashBegin;
  if (const auto* ids = std::get_if<std::vector<int32_t>>(&prompt)) {
    const size_t count = std::min(ids->size(), kPrefixBytes / sizeof(int32_t));
    for (size_t i = 0; i < count; ++i) hash = HashInto(hash, std::to_string((*ids)[i]) + " ");
    return hash;
  }
  size_t left = kPrefixBytes;
  for (const ChatMessage& message : std::get<std::vector<ChatMessage>>(prompt)) {
    const std::string_view text = std::string_view(message.content).substr(0, left);
    hash = HashInto(HashInto(hash, message.role), text);
    left -= text.size();
    if (left == 0) break;
  }
  return hash;
}

// 0: none.
uint64_t AffinityOf(const Request& request, Affinity affinity) {
  if (affinity == Affinity::kNone) return 0;
  if (!request.session.empty()) return HashInto(kHashBegin, request.session) | 1;
  return affinity == Affinity::kPrefix ? PrefixHash(request.prompt) | 1 : 0;
}

// vLLM refuses these where it speculates (https://github.com/vllm-project/vllm/issues/42744).
bool NeedsPlain(const Request& request, const EngineProfile& profile) {
  const bool is_vllm = profile.name == "vllm" || profile.name == "vllm-ascend";
  return is_vllm && (request.sampling.min_p > 0 || !request.sampling.logit_bias.empty());
}

// The strategy that replicas must have been started with, if they differ in that.
std::string ReplicaStrategy(const Request& request, bool is_probe, bool has_replica,
                            RemoteModel& model) {
  if (is_probe || NeedsPlain(request, model.options.profile)) return "";
  if (request.strategy && request.strategy->kind != StrategyKind::kAuto) {
    return std::string(StrategyName(request.strategy->kind));
  }
  if (has_replica) return "";
  const std::vector<std::string> strategies = model.replicas.Strategies();
  if (strategies.empty()) return "";
  return model.governor.Choose(request.intent, strategies);
}

// The probe's question: the conversation with the suffix after its last message.
Prompt WithSuffix(Prompt prompt, const std::string& suffix) {
  if (auto* chat = std::get_if<std::vector<ChatMessage>>(&prompt)) {
    if (!chat->empty()) chat->back().content += suffix;
  } else if (auto* text = std::get_if<std::string>(&prompt)) {
    *text += suffix;
  }
  return prompt;
}

int PromptTokens(const Request& request, const RemoteModel& model) {
  const auto* ids = std::get_if<std::vector<int32_t>>(&request.prompt);
  return ids != nullptr ? static_cast<int>(ids->size())
                        : model.ratio.Estimate(PromptBytes(request));
}

std::string ChoiceOf(const std::vector<LabelQuery::Label>& labels) {
  nlohmann::json words = nlohmann::json::array();
  for (const LabelQuery::Label& label : labels) words.push_back(label.word);
  return words.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// From the first token's log-probabilities to scores.
class ProbeSink final : public EventSink {
 public:
  ProbeSink(std::vector<LabelQuery::Label> labels, const HttpTransport& transport,
            int prompt_tokens, LabelScoresCallback done)
      : labels_(std::move(labels)),
        transport_(transport),
        begun_(transport.Now()),
        prompt_tokens_(prompt_tokens),
        done_(std::move(done)) {}

  void OnStart(const StartEvent& event) override { held_prompt_ = event.held_prompt; }
  void OnToken(const TokenEvent& event) override {
    if (logprobs_.empty()) logprobs_ = event.logprobs;
  }
  void OnFinish(const FinishEvent& event) override {
    if (event.reason == FinishReason::kCancelled)
      return done_(Cancelled("the probe was cancelled"));
    Result<std::vector<float>> logits = ScoresOf(logprobs_, labels_);
    if (!logits.ok()) return done_(logits.status());
    LabelScores scores;
    scores.logits = *std::move(logits);
    scores.prompt_tokens = prompt_tokens_;
    scores.probe_tokens = event.usage.prompt_tokens - event.usage.cached_prompt_tokens;
    scores.elapsed = transport_.Now() - begun_;
    scores.held_prompt = held_prompt_;
    done_(std::move(scores));
  }
  void OnError(const Status& status) override {
    // What the probe adds is not the client's to mend.
    if (status.code() != StatusCode::kInvalidArgument) return done_(status);
    done_(Unavailable(fmt::format("the engine refuses the probe: {}", status.message())));
  }

 private:
  const std::vector<LabelQuery::Label> labels_;
  const HttpTransport& transport_;
  const TimePoint begun_;
  const int prompt_tokens_;
  const LabelScoresCallback done_;
  std::shared_ptr<HeldPrompt> held_prompt_;
  std::vector<TokenLogprob> logprobs_;
};

}  // namespace

RemoteBackend::RemoteBackend(RemoteOptions options, HttpTransport& transport,
                             ReplicaStateCallback on_state)
    : model_(std::make_shared<RemoteModel>(std::move(options), transport, std::move(on_state))) {
  AIO_CHECK(!model_->options.name.empty(), "a remote model without a name");
  StartHealthChecks(model_);
}

RemoteBackend::~RemoteBackend() {
  std::promise<void> ended;
  model_->transport.Post([model = model_, &ended] {
    model->closing = true;
    while (!model->running.empty()) {
      const std::shared_ptr<RemoteGeneration> generation = *model->running.begin();
      generation->Fail(Cancelled("the server is shutting down"));
    }
    ended.set_value();
  });
  ended.get_future().wait();
  model_->Close();
}

void RemoteBackend::SetReplicas(const std::vector<ReplicaSpec>& replicas) {
  model_->replicas.Update(replicas);
}

std::vector<ReplicaReading> RemoteBackend::Replicas() const { return model_->replicas.Readings(); }

std::vector<ModelInfo> RemoteBackend::Models() const {
  const RemoteOptions& options = model_->options;
  const auto replicas = static_cast<int64_t>(std::max<size_t>(1, model_->replicas.specs().size()));
  constexpr int64_t kRunningMax = 1'000'000;
  return {{.name = options.name,
           .role = options.role,
           .weights = {},
           .draft_model = {},
           .architecture = {},
           .context_length = options.context_length,
           .fingerprint = {},
           .running_max = static_cast<int>(std::min(replicas * options.running_max, kRunningMax)),
           .tells_entropies = false,
           .counts_exactly = false}};
}

std::vector<ModelLoad> RemoteBackend::Load() const {
  ModelLoad load{.name = model_->options.name};
  double tokens_per_second = 0;
  int known = 0;
  for (const ReplicaReading& replica : model_->replicas.Readings()) {
    load.running += replica.running;
    load.replicas.push_back({.name = replica.key,
                             .state = std::string(ReplicaStateName(replica.state)),
                             .running = replica.running,
                             .outstanding_tokens = replica.outstanding_tokens,
                             .requests = replica.requests,
                             .failures = replica.failures,
                             .ejections = replica.ejections});
    if (replica.token_ms <= 0) continue;
    tokens_per_second += 1000 / replica.token_ms;
    ++known;
  }
  if (known > 0) load.tokens_per_second = tokens_per_second / known;
  return {load};
}

Status RemoteBackend::CheckModel(std::string_view name) const {
  const RemoteOptions& options = model_->options;
  if (name == options.name || name == options.role) return Status::Ok();
  return NotFound(fmt::format("there is no model '{}' here", name)).WithParam("model");
}

Result<int> RemoteBackend::CountPromptTokens(const Request& request) const {
  AIO_RETURN_IF_ERROR(CheckModel(request.model));
  return PromptTokens(request, *model_);
}

Status RemoteBackend::ValidateLabels(std::string_view model, const LabelQuery& labels) const {
  AIO_RETURN_IF_ERROR(CheckModel(model));
  if (labels.head != nullptr) {
    return InvalidArgument(
        "a probe head reads hidden states, which a remote model does not show; use a suffix");
  }
  if (!labels.prefix.empty()) {
    return InvalidArgument(
        "a remote model is probed by a suffix alone, so that its prefix cache serves the answer; "
        "leave the prefix empty");
  }
  if (labels.window_tokens != 0) {
    return InvalidArgument(
        "a remote model is probed with the whole conversation, so that its prefix cache serves the "
        "answer; leave window_tokens out, and bound prompts by the policy's "
        "probe_prompt_tokens_max");
  }
  return CheckLabelWords(labels.labels);
}

// However many a client says that it wants.
int64_t RemoteBackend::AnswerTokensMax() const {
  constexpr int64_t kGuess = 8192;
  return model_->options.context_length > 0 ? model_->options.context_length : kGuess;
}

Status RemoteBackend::CheckContext(const Request& request) const {
  const int context = model_->options.context_length;
  const int64_t least = LeastPromptTokens(request.prompt);
  if (context == 0 || least < context) return Status::Ok();
  const bool is_chat = std::holds_alternative<std::vector<ChatMessage>>(request.prompt);
  return InvalidArgument(fmt::format("the prompt's at least {} tokens do not fit the context of "
                                     "'{}', {} tokens; shorten the prompt",
                                     least, model_->options.name, context))
      .WithReason("context_length_exceeded")
      .WithParam(is_chat ? "messages" : "prompt");
}

Result<std::shared_ptr<Ticket>> RemoteBackend::Start(const Request& request, Duration whole_timeout,
                                                     std::shared_ptr<EventSink> sink) {
  AIO_RETURN_IF_ERROR(CheckModel(request.model));
  AIO_RETURN_IF_ERROR(CheckContext(request));
  if (request.weights && !request.weights->empty()) {
    return InvalidArgument(
               fmt::format("'{}' is served elsewhere, with weights of its own; leave them out",
                           model_->options.name))
        .WithParam("aio.weights");
  }
  AIO_ASSIGN_OR_RETURN(EncodedRequest encoded, EncodeRequest(request, model_->options.served_name,
                                                             model_->options.profile));
  const auto* held = dynamic_cast<const RemoteHeldPrompt*>(request.held_prompt.get());
  std::string url_with_prompt = held == nullptr ? "" : held->UrlOf(model_);
  const size_t bytes = PromptBytes(request);
  const bool is_probe = whole_timeout != Duration::max();
  std::string strategy = ReplicaStrategy(request, is_probe, !url_with_prompt.empty(), *model_);
  RemoteWork work{.path = encoded.path,
                  .body = std::make_shared<const std::string>(std::move(encoded.body)),
                  .strategy = std::move(strategy),
                  .only_plain = NeedsPlain(request, model_->options.profile),
                  .intent = request.intent,
                  .affinity = AffinityOf(request, model_->options.affinity),
                  .prompt_tokens = PromptTokens(request, *model_),
                  .answer_tokens = std::min(EstimateAnswerTokens(request), AnswerTokensMax()),
                  .prompt_bytes = bytes,
                  .url_with_prompt = std::move(url_with_prompt),
                  .deadline = request.deadline,
                  .whole_timeout = whole_timeout,
                  .whole = request.whole};
  const auto generation =
      std::make_shared<RemoteGeneration>(model_, std::move(work), std::move(sink));
  model_->transport.Post([generation] { generation->Begin(); });
  return std::shared_ptr<Ticket>(generation);
}

Result<std::shared_ptr<Ticket>> RemoteBackend::ScoreLabels(const Request& request,
                                                           const LabelQuery& labels,
                                                           LabelScoresCallback done) {
  AIO_RETURN_IF_ERROR(ValidateLabels(request.model, labels));
  // What Generate() would refuse is refused before any work.
  AIO_RETURN_IF_ERROR(
      EncodeRequest(request, model_->options.served_name, model_->options.profile).status());
  // A request may be sent to those that are not well, for want of others; it does not wait for a
  // probe by them.
  if (!model_->replicas.HasReady()) {
    return Unavailable(fmt::format("no replica of '{}' is well", model_->options.name));
  }
  if (std::holds_alternative<std::vector<int32_t>>(request.prompt)) {
    return Unimplemented("a prompt of token ids cannot be probed by another engine");
  }
  const bool is_chat = std::holds_alternative<std::vector<ChatMessage>>(request.prompt);
  const EngineProfile& profile = model_->options.profile;
  const int told = is_chat ? profile.top_logprobs_max : profile.completion_logprobs_max;
  if (told == 0) {
    return Unimplemented(
        fmt::format("the engine ({}) tells no log-probabilities of completions", profile.name));
  }
  Request probe;
  probe.id = request.id;
  probe.model = request.model;
  probe.prompt = WithSuffix(request.prompt, labels.suffix);
  probe.sampling.temperature = 0;
  probe.sampling.seed_is_ours = true;
  probe.sampling.max_tokens = 1;
  probe.sampling.top_logprobs = told;
  if (profile.label_choice != LabelChoice::kNone) {
    probe.format = {AnswerFormatKind::kChoice, ChoiceOf(labels.labels), "probe"};
  }
  probe.session = request.session;
  probe.deadline = request.deadline;
  probe.priority = request.priority;
  const int prompt_tokens = PromptTokens(request, *model_);
  return Start(probe, model_->options.probe_timeout,
               std::make_shared<ProbeSink>(labels.labels, model_->transport, prompt_tokens,
                                           std::move(done)));
}

Status RemoteBackend::Decide(const Request& request, DecisionCallback done) {
  AIO_RETURN_IF_ERROR(CheckModel(request.model));
  AIO_RETURN_IF_ERROR(
      EncodeRequest(request, model_->options.served_name, model_->options.profile).status());
  Decision decision;
  decision.model = model_->options.name;
  decision.role = model_->options.role;
  decision.strategy = request.strategy.value_or(Strategy());
  decision.reason = fmt::format("{} model requested", decision.role);
  decision.rule = "override";
  decision.prompt_tokens = PromptTokens(request, *model_);
  done(std::move(decision));
  return Status::Ok();
}

Result<std::shared_ptr<Ticket>> RemoteBackend::Generate(Request request,
                                                        std::shared_ptr<EventSink> sink) {
  return Start(request, Duration::max(), std::move(sink));
}

}  // namespace aio
