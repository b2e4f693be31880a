#include "backend/testing/fake_backend.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>

#include "base/check.h"

namespace aio {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

int CountWords(std::string_view text) {
  int words = 0;
  bool in_word = false;
  for (char c : text) {
    if (!IsSpace(c) && !in_word) ++words;
    in_word = !IsSpace(c);
  }
  return words;
}

// The hold counts itself in `alive`, which also tells whose hold it is.
class FakeHeldPrompt final : public HeldPrompt {
 public:
  explicit FakeHeldPrompt(std::shared_ptr<std::atomic<int>> alive) : alive_(std::move(alive)) {
    ++*alive_;
  }
  ~FakeHeldPrompt() override { --*alive_; }

  const std::shared_ptr<std::atomic<int>>& alive() const { return alive_; }

 private:
  std::shared_ptr<std::atomic<int>> alive_;
};

// Work accepted: a sequence of events, delivered one a turn.
class Work {
 public:
  virtual ~Work() = default;
  // Delivers the next event; false if it was the last.
  virtual bool Deliver() = 0;
  void Cancel() { cancelled_ = true; }

 protected:
  bool cancelled() const { return cancelled_; }

 private:
  std::atomic<bool> cancelled_{false};
};

// Does not keep the work alive, whose callback may hold the ticket.
class FakeTicket final : public Ticket {
 public:
  FakeTicket(std::weak_ptr<Work> work, std::shared_ptr<std::atomic<int>> cancel_calls,
             std::shared_ptr<std::atomic<bool>> is_paused)
      : work_(std::move(work)),
        cancel_calls_(std::move(cancel_calls)),
        is_paused_(std::move(is_paused)) {}

  void Cancel() override {
    if (const auto work = work_.lock()) work->Cancel();
    ++*cancel_calls_;  // last: tests wait for it and then rely on the cancellation
  }
  void SetPaused(bool paused) override { *is_paused_ = paused; }

 private:
  const std::weak_ptr<Work> work_;
  const std::shared_ptr<std::atomic<int>> cancel_calls_;
  const std::shared_ptr<std::atomic<bool>> is_paused_;
};

class ProbeWork final : public Work {
 public:
  ProbeWork(Result<LabelScores> scores, LabelScoresCallback done)
      : scores_(std::move(scores)), done_(std::move(done)) {}

  bool Deliver() override {
    if (cancelled()) scores_ = Cancelled("the probe was cancelled");
    LabelScoresCallback done = std::move(done_);
    done(std::move(scores_));
    return false;
  }

 private:
  Result<LabelScores> scores_;
  LabelScoresCallback done_;
};

class EmbeddingWork final : public Work {
 public:
  EmbeddingWork(Result<Embeddings> embeddings, EmbeddingsCallback done)
      : embeddings_(std::move(embeddings)), done_(std::move(done)) {}

  bool Deliver() override {
    if (cancelled()) embeddings_ = Cancelled("the embedding was cancelled");
    done_(std::move(embeddings_));
    return false;
  }

 private:
  Result<Embeddings> embeddings_;
  EmbeddingsCallback done_;
};

class DecisionWork final : public Work {
 public:
  DecisionWork(Decision decision, DecisionCallback done)
      : decision_(std::move(decision)), done_(std::move(done)) {}

  bool Deliver() override {
    done_(std::move(decision_));
    return false;
  }

 private:
  Decision decision_;
  DecisionCallback done_;
};

class GenerationWork final : public Work {
 public:
  GenerationWork(StartEvent start, FakeAnswer answer, FinishEvent finish, const Request& request,
                 std::shared_ptr<EventSink> sink)
      : start_(std::move(start)),
        answer_(std::move(answer)),
        finish_(finish),
        top_logprobs_(request.sampling.top_logprobs),
        entropies_max_(static_cast<size_t>(request.token_entropies_max)),
        sink_(std::move(sink)) {}

  bool Deliver() override {
    if (!started_ && answer_.error_before_start && !answer_.error.ok()) {
      return Last([&](EventSink& sink) { sink.OnError(answer_.error); });
    }
    if (!started_) {
      started_ = true;
      sink_->OnStart(start_);
      if (!cancelled()) return true;
    }
    if (cancelled()) {
      finish_.reason = FinishReason::kCancelled;
      return Last([&](EventSink& sink) { sink.OnFinish(finish_); });
    }
    if (next_ < answer_.tokens.size()) {
      sink_->OnToken(NextToken());
      return true;
    }
    if (!answer_.error.ok()) return Last([&](EventSink& sink) { sink.OnError(answer_.error); });
    return Last([&](EventSink& sink) { sink.OnFinish(finish_); });
  }

 private:
  // The sink is let go before its last event, as a real backend would forget the work.
  template <typename Event>
  bool Last(const Event& event) {
    std::shared_ptr<EventSink> sink = std::move(sink_);
    event(*sink);
    return false;
  }

  TokenEvent NextToken() {
    const int32_t id = static_cast<int32_t>(next_);
    TokenEvent event{
        .text = answer_.tokens[next_], .tokens = {id}, .logprobs = {}, .entropies = {}};
    if (top_logprobs_ >= 0) {
      TokenLogprob logprob{.token = id, .bytes = event.text, .logprob = -0.5f, .top = {}};
      for (int i = 0; i < top_logprobs_; ++i) {
        logprob.top.push_back({.token = id + i,
                               .bytes = i == 0 ? event.text : "alternative" + std::to_string(i),
                               .logprob = -0.5f - static_cast<float>(i),
                               .top = {}});
      }
      event.logprobs.push_back(std::move(logprob));
    }
    if (next_ < entropies_max_) {
      event.entropies = {next_ < answer_.entropies.size() ? answer_.entropies[next_] : 0.0f};
    }
    ++finish_.usage.completion_tokens;
    ++next_;
    return event;
  }

  StartEvent start_;
  FakeAnswer answer_;
  FinishEvent finish_;
  int top_logprobs_;
  size_t entropies_max_;
  std::shared_ptr<EventSink> sink_;
  bool started_ = false;
  size_t next_ = 0;
};

Status UnknownModel(std::string_view name) {
  return NotFound("no model '" + std::string(name) + "' here")
      .WithReason("model_not_found")
      .WithParam("model");
}

Status CheckFits(const FakeModel& model, int prompt_tokens, int more_tokens) {
  const int64_t wanted = int64_t{prompt_tokens} + more_tokens;
  if (model.info.context_length == 0 || wanted <= model.info.context_length) return Status::Ok();
  return InvalidArgument("the prompt is " + std::to_string(prompt_tokens) + " tokens and " +
                         std::to_string(more_tokens) + " more are asked for; the context of '" +
                         model.info.name + "' is " + std::to_string(model.info.context_length) +
                         " tokens")
      .WithReason("context_length_exceeded");
}

// What Generate() refuses; otherwise the prompt's tokens.
Result<int> CheckGenerate(const FakeModel& model, const Request& request) {
  AIO_RETURN_IF_ERROR(model.generate_refusal);
  const int prompt_tokens = model.count_tokens(request.prompt);
  AIO_RETURN_IF_ERROR(CheckFits(model, prompt_tokens, request.sampling.max_tokens.value_or(1)));
  return prompt_tokens;
}

}  // namespace

int FakeTokenCount(const Prompt& prompt) {
  if (const auto* ids = std::get_if<std::vector<int32_t>>(&prompt)) {
    return static_cast<int>(ids->size());
  }
  return CountWords(FakePromptText(prompt));
}

std::string FakePromptText(const Prompt& prompt) {
  if (const auto* text = std::get_if<std::string>(&prompt)) return *text;
  std::string joined;
  if (const auto* messages = std::get_if<std::vector<ChatMessage>>(&prompt)) {
    for (const ChatMessage& message : *messages) {
      if (!joined.empty()) joined += '\n';
      joined += message.content;
    }
  }
  return joined;
}

FakeModel FakeModel::Named(std::string name, std::string role) {
  FakeModel model;
  model.info.name = std::move(name);
  model.info.role = std::move(role);
  model.info.architecture = "fake";
  model.info.context_length = 4096;
  model.info.vocabulary_fingerprint = 1;
  return model;
}

class FakeBackend::Impl {
 public:
  Impl(std::vector<FakeModel> models, Delivery delivery)
      : models_(std::move(models)), delivery_(delivery) {
    if (delivery_ == Delivery::kThread) thread_ = std::thread([this] { ThreadLoop(); });
  }

  ~Impl() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  Result<FakeModel> Find(std::string_view name) const {
    std::lock_guard lock(mutex_);
    auto found = FindLocked(name);
    if (found == models_.end()) return UnknownModel(name);
    return *found;
  }

  void Update(std::string_view name, const std::function<void(FakeModel&)>& change) {
    std::lock_guard lock(mutex_);
    auto found = FindLocked(name);
    AIO_CHECK(found != models_.end(), "FakeBackend::Update of a model that is not there");
    change(models_[static_cast<size_t>(found - models_.begin())]);
  }

  std::vector<FakeModel> models() const {
    std::lock_guard lock(mutex_);
    return models_;
  }

  std::shared_ptr<Ticket> Submit(std::shared_ptr<Work> work) {
    auto ticket = std::make_shared<FakeTicket>(work, cancel_calls_, is_paused_);
    if (delivery_ == Delivery::kImmediate) {
      while (work->Deliver()) {
      }
      return ticket;
    }
    {
      std::lock_guard lock(mutex_);
      queue_.push_back(std::move(work));
    }
    wake_.notify_one();
    return ticket;
  }

  bool DeliverOne() {
    std::shared_ptr<Work> work;
    {
      std::lock_guard lock(mutex_);
      if (queue_.empty()) return false;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    if (work->Deliver()) {
      std::lock_guard lock(mutex_);
      queue_.push_back(std::move(work));
    }
    return true;
  }

  int pending() const {
    std::lock_guard lock(mutex_);
    return static_cast<int>(queue_.size());
  }

  template <typename T>
  T Copy(const T& guarded) const {
    std::lock_guard lock(mutex_);
    return guarded;
  }

  void RecordProbe(const Request& request, const LabelQuery& labels) {
    FakeCall call{.request = request, .had_held_prompt = request.held_prompt != nullptr};
    call.request.held_prompt.reset();
    std::lock_guard lock(mutex_);
    probes_.push_back(std::move(call));
    label_queries_.push_back(labels);
  }

  void RecordGeneration(const Request& request) {
    FakeCall call{.request = request, .had_held_prompt = request.held_prompt != nullptr};
    call.request.held_prompt.reset();
    std::lock_guard lock(mutex_);
    generations_.push_back(std::move(call));
  }

  bool Holds(const Request& request) const {
    const auto* held = dynamic_cast<const FakeHeldPrompt*>(request.held_prompt.get());
    return held != nullptr && held->alive() == held_prompts_;
  }

  const std::shared_ptr<std::atomic<int>> held_prompts_ = std::make_shared<std::atomic<int>>(0);
  const std::shared_ptr<std::atomic<int>> cancel_calls_ = std::make_shared<std::atomic<int>>(0);
  const std::shared_ptr<std::atomic<bool>> is_paused_ = std::make_shared<std::atomic<bool>>(false);
  mutable std::atomic<int> count_calls_{0};

  // Guarded by mutex_; read through Copy().
  std::vector<FakeCall> probes_;
  std::vector<FakeCall> generations_;
  std::vector<LabelQuery> label_queries_;

 private:
  std::vector<FakeModel>::const_iterator FindLocked(std::string_view name) const {
    return std::find_if(models_.begin(), models_.end(),
                        [&](const FakeModel& m) { return m.info.name == name; });
  }

  void ThreadLoop() {
    while (true) {
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return stop_ || !queue_.empty(); });
        if (stop_) return;
      }
      DeliverOne();
    }
  }

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<FakeModel> models_;            // guarded by mutex_
  std::deque<std::shared_ptr<Work>> queue_;  // guarded by mutex_
  bool stop_ = false;                        // guarded by mutex_
  const Delivery delivery_;
  std::thread thread_;
};

FakeBackend::FakeBackend(std::vector<FakeModel> models, Delivery delivery)
    : impl_(std::make_unique<Impl>(std::move(models), delivery)) {}
FakeBackend::~FakeBackend() = default;

void FakeBackend::Update(std::string_view model, const std::function<void(FakeModel&)>& change) {
  impl_->Update(model, change);
}

bool FakeBackend::DeliverOne() { return impl_->DeliverOne(); }

int FakeBackend::DeliverAll() {
  int delivered = 0;
  while (DeliverOne()) ++delivered;
  return delivered;
}

int FakeBackend::pending() const { return impl_->pending(); }
std::vector<FakeCall> FakeBackend::probes() const { return impl_->Copy(impl_->probes_); }
std::vector<FakeCall> FakeBackend::generations() const { return impl_->Copy(impl_->generations_); }
std::vector<LabelQuery> FakeBackend::label_queries() const {
  return impl_->Copy(impl_->label_queries_);
}
int FakeBackend::count_calls() const { return impl_->count_calls_; }
int FakeBackend::cancel_calls() const { return *impl_->cancel_calls_; }
bool FakeBackend::is_paused() const { return *impl_->is_paused_; }
int FakeBackend::held_prompts() const { return *impl_->held_prompts_; }

std::vector<ModelInfo> FakeBackend::Models() const {
  std::vector<ModelInfo> infos;
  for (FakeModel& model : impl_->models()) infos.push_back(std::move(model.info));
  return infos;
}

std::vector<ModelLoad> FakeBackend::Load() const {
  std::vector<ModelLoad> loads;
  for (FakeModel& model : impl_->models()) {
    loads.push_back(std::move(model.load));
    loads.back().name = model.info.name;
  }
  return loads;
}

Result<int> FakeBackend::CountPromptTokens(const Request& request) const {
  ++impl_->count_calls_;
  AIO_ASSIGN_OR_RETURN(FakeModel model, impl_->Find(request.model));
  AIO_RETURN_IF_ERROR(model.count_fault);
  return model.count_tokens(request.prompt);
}

Status FakeBackend::ValidateLabels(std::string_view name, const LabelQuery& labels) const {
  AIO_ASSIGN_OR_RETURN(FakeModel model, impl_->Find(name));
  AIO_RETURN_IF_ERROR(model.validate_fault);
  for (size_t i = 0; i < labels.labels.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (labels.labels[i].word != labels.labels[j].word) continue;
      return InvalidArgument("labels '" + labels.labels[j].name + "' and '" +
                             labels.labels[i].name + "' begin with the same token");
    }
  }
  return Status::Ok();
}

Result<std::shared_ptr<Ticket>> FakeBackend::ScoreLabels(const Request& request,
                                                         const LabelQuery& labels,
                                                         LabelScoresCallback done) {
  impl_->RecordProbe(request, labels);
  AIO_ASSIGN_OR_RETURN(FakeModel model, impl_->Find(request.model));
  AIO_RETURN_IF_ERROR(model.probe_refusal);
  const int template_tokens = CountWords(labels.prefix) + CountWords(labels.suffix);
  LabelScores scores;
  scores.prompt_tokens = model.count_tokens(request.prompt);
  scores.traffic = model.probe_traffic;
  scores.probe_tokens = scores.prompt_tokens + template_tokens;
  AIO_RETURN_IF_ERROR(CheckFits(model, scores.prompt_tokens, template_tokens));
  scores.logits =
      model.logits ? model.logits(request, labels) : std::vector<float>(labels.labels.size(), 0.0f);
  if (labels.head != nullptr && model.window_logits) {
    scores.window_logits = model.window_logits(request);
  }
  if (model.holds_prompts) {
    scores.held_prompt = std::make_shared<FakeHeldPrompt>(impl_->held_prompts_);
  }
  Result<LabelScores> result = std::move(scores);
  if (!model.probe_fault.ok()) result = model.probe_fault;
  return impl_->Submit(std::make_shared<ProbeWork>(std::move(result), std::move(done)));
}

Status FakeBackend::Decide(const Request& request, DecisionCallback done) {
  AIO_ASSIGN_OR_RETURN(FakeModel model, impl_->Find(request.model));
  Decision decision;
  decision.model = model.info.name;
  decision.role = model.info.role;
  AIO_ASSIGN_OR_RETURN(decision.prompt_tokens, CheckGenerate(model, request));
  if (model.decision) decision = *model.decision;
  impl_->Submit(std::make_shared<DecisionWork>(std::move(decision), std::move(done)));
  return Status::Ok();
}

Result<std::shared_ptr<Ticket>> FakeBackend::Generate(Request request,
                                                      std::shared_ptr<EventSink> sink) {
  impl_->RecordGeneration(request);
  AIO_ASSIGN_OR_RETURN(FakeModel model, impl_->Find(request.model));
  AIO_ASSIGN_OR_RETURN(const int prompt_tokens, CheckGenerate(model, request));
  FakeAnswer answer = model.answer ? model.answer(request) : FakeAnswer{};
  FinishEvent finish;
  finish.reason = answer.finish;
  finish.stop_string = answer.stop_string;
  finish.timings = answer.timings;
  finish.traffic = answer.traffic;
  finish.usage.prompt_tokens = prompt_tokens;
  if (impl_->Holds(request)) finish.usage.cached_prompt_tokens = prompt_tokens;
  const int max_tokens = request.sampling.max_tokens.value_or(std::numeric_limits<int>::max());
  if (answer.tokens.size() > static_cast<size_t>(std::max(0, max_tokens))) {
    answer.tokens.resize(static_cast<size_t>(std::max(0, max_tokens)));
    finish.reason = FinishReason::kLength;
  }
  StartEvent start{
      .model = request.model, .decision = model.decision, .prompt_tokens = prompt_tokens};
  if (request.hold_prompt && model.holds_prompts) {
    start.held_prompt = std::make_shared<FakeHeldPrompt>(impl_->held_prompts_);
  }
  if (!model.info.tells_entropies) request.token_entropies_max = 0;
  auto work = std::make_shared<GenerationWork>(std::move(start), std::move(answer), finish, request,
                                               std::move(sink));
  request.held_prompt.reset();  // taken over, as a real engine would
  return impl_->Submit(std::move(work));
}

Result<Tokenized> FakeBackend::Tokenize(const TokenizeQuery& query) const {
  AIO_ASSIGN_OR_RETURN(FakeModel model, impl_->Find(query.model));
  if (!model.answers_text_queries) return Backend::Tokenize(query);
  Tokenized tokenized;
  tokenized.model = model.info.name;
  tokenized.context_length = model.info.context_length;
  const std::string text = FakePromptText(query.prompt);
  tokenized.tokens.reserve(text.size());
  tokenized.pieces.reserve(text.size());
  for (const char byte : text) {
    tokenized.tokens.push_back(static_cast<unsigned char>(byte));
    tokenized.pieces.emplace_back(1, byte);
  }
  return tokenized;
}

Result<std::string> FakeBackend::Detokenize(std::string_view name,
                                            std::span<const int32_t> tokens) const {
  AIO_ASSIGN_OR_RETURN(FakeModel model, impl_->Find(name));
  if (!model.answers_text_queries) return Backend::Detokenize(name, tokens);
  std::string bytes;
  for (const int32_t token : tokens) {
    if (token < 0 || token > 255) return InvalidArgument("no such token").WithParam("tokens");
    bytes += static_cast<char>(token);
  }
  return bytes;
}

Result<std::string> FakeBackend::RenderChat(const TokenizeQuery& query) const {
  AIO_ASSIGN_OR_RETURN(FakeModel model, impl_->Find(query.model));
  if (!model.answers_text_queries) return Backend::RenderChat(query);
  std::string text;
  for (const ChatMessage& message : std::get<std::vector<ChatMessage>>(query.prompt)) {
    text += message.role + ": " + message.content + "\n";
  }
  return text + (query.add_generation_prompt ? "assistant: " : "");
}

Result<std::shared_ptr<Ticket>> FakeBackend::Embed(EmbeddingsQuery query, EmbeddingsCallback done) {
  AIO_ASSIGN_OR_RETURN(FakeModel model, impl_->Find(query.model));
  if (!model.answers_text_queries) return Backend::Embed(std::move(query), std::move(done));
  Embeddings embeddings;
  embeddings.model = model.info.name;
  embeddings.vectors.assign(query.inputs.size(), {0.6f, 0.8f});
  for (const Prompt& input : query.inputs) embeddings.prompt_tokens += model.count_tokens(input);
  Result<Embeddings> result = std::move(embeddings);
  if (!model.embed_fault.ok()) result = model.embed_fault;
  return impl_->Submit(std::make_shared<EmbeddingWork>(std::move(result), std::move(done)));
}

// --- RecordingSink ---------------------------------------------------------------------

struct RecordingSink::Shared {
  mutable std::mutex mutex;
  std::condition_variable finished;
  Record record;
};

std::shared_ptr<RecordingSink::Shared> RecordingSink::MakeShared() {
  return std::make_shared<Shared>();
}

std::string RecordingSink::Record::text() const {
  std::string joined;
  for (const TokenEvent& event : tokens) joined += event.text;
  return joined;
}

void RecordingSink::OnStart(const StartEvent& event) {
  {
    std::lock_guard lock(shared_->mutex);
    Record& record = shared_->record;
    if (!record.starts.empty() || !record.tokens.empty() || record.done()) record.in_order = false;
    record.starts.push_back(event);
  }
  if (on_start) on_start();
}

void RecordingSink::OnToken(const TokenEvent& event) {
  {
    std::lock_guard lock(shared_->mutex);
    Record& record = shared_->record;
    if (record.starts.empty() || record.done()) record.in_order = false;
    record.tokens.push_back(event);
  }
  if (on_token) on_token();
}

void RecordingSink::OnFinish(const FinishEvent& event) {
  // The waiter may destroy the sink as soon as it sees the end, hence the copy.
  std::shared_ptr<Shared> shared = shared_;
  {
    std::lock_guard lock(shared->mutex);
    if (shared->record.starts.empty() || shared->record.done()) shared->record.in_order = false;
    shared->record.finishes.push_back(event);
  }
  shared->finished.notify_all();
}

void RecordingSink::OnError(const Status& status) {
  std::shared_ptr<Shared> shared = shared_;
  {
    std::lock_guard lock(shared->mutex);
    if (shared->record.done()) shared->record.in_order = false;
    shared->record.errors.push_back(status);
  }
  shared->finished.notify_all();
}

RecordingSink::Record RecordingSink::record() const {
  std::lock_guard lock(shared_->mutex);
  return shared_->record;
}

void RecordingSink::Wait() const {
  std::shared_ptr<Shared> shared = shared_;
  std::unique_lock lock(shared->mutex);
  shared->finished.wait(lock, [&] { return shared->record.done(); });
}

}  // namespace aio
