#include "stress/stub_backend.h"

#include <algorithm>
#include <atomic>
#include <queue>
#include <set>
#include <utility>
#include <variant>

namespace aio {
namespace {

constexpr int kBlockTokens = 32;
constexpr int kContextLength = 1 << 20;
constexpr std::string_view kModel = "stub";

const std::string* LastText(const Prompt& prompt) {
  if (const auto* text = std::get_if<std::string>(&prompt)) return text;
  const auto* messages = std::get_if<std::vector<ChatMessage>>(&prompt);
  return messages == nullptr || messages->empty() ? nullptr : &messages->back().content;
}

// Four bytes a token, as a rule of thumb.
int PromptTokens(const Prompt& prompt) {
  if (const auto* tokens = std::get_if<std::vector<int32_t>>(&prompt)) {
    return static_cast<int>(tokens->size());
  }
  size_t bytes = 0;
  if (const auto* messages = std::get_if<std::vector<ChatMessage>>(&prompt)) {
    for (const ChatMessage& message : *messages) bytes += message.content.size();
  } else {
    bytes = std::get<std::string>(prompt).size();
  }
  return static_cast<int>(bytes / 4 + 1);
}

Status CheckModel(std::string_view model) {
  if (model == "auto" || model == kModel) return Status::Ok();
  return NotFound("there is no such model; this one is called stub").WithParam("model");
}

}  // namespace

// One generation. Events are the stub's thread's; `cancelled` is anyone's.
class StubBackend::Work {
 public:
  Work(const Request& request, int tokens, std::shared_ptr<EventSink> sink)
      : sink(std::move(sink)), prompt_tokens(PromptTokens(request.prompt)), tokens(tokens) {
    const std::string* text = LastText(request.prompt);
    stalls = text != nullptr && *text == "stall";
    fails = text != nullptr && *text == "fail";
    floods = text != nullptr && *text == "flood";
  }

  int64_t blocks() const { return (prompt_tokens + tokens) / kBlockTokens + 1; }

  std::shared_ptr<EventSink> sink;
  const int prompt_tokens;
  const int tokens;
  bool stalls = false;
  bool fails = false;
  bool floods = false;
  bool begun = false;  // OnStart() was told
  int sent = 0;
  std::atomic<bool> cancelled = false;
};

struct StubBackend::Later {
  TimePoint due;
  std::shared_ptr<Work> work;

  friend bool operator<(const Later& a, const Later& b) { return a.due > b.due; }  // soonest on top
};

// Outlives the backend in the hands of tickets.
struct StubBackend::Shared {
  mutable std::mutex mutex;
  std::condition_variable changed;
  // All below guarded by mutex.
  std::priority_queue<Later> later;
  std::set<std::shared_ptr<Work>> stalled;
  std::vector<std::shared_ptr<Work>> cancelled;
  StubCounts counts;
  bool stopping = false;

  void Cancel(const std::shared_ptr<Work>& work) {
    if (work->cancelled.exchange(true)) return;
    const std::lock_guard lock(mutex);
    cancelled.push_back(work);
    changed.notify_one();
  }
};

class StubBackend::StubTicket final : public Ticket {
 public:
  StubTicket(std::weak_ptr<Shared> shared, std::weak_ptr<Work> work)
      : shared_(std::move(shared)), work_(std::move(work)) {}
  void Cancel() override {
    const auto shared = shared_.lock();
    const auto work = work_.lock();
    if (shared != nullptr && work != nullptr) shared->Cancel(work);
  }

 private:
  const std::weak_ptr<Shared> shared_;
  const std::weak_ptr<Work> work_;
};

StubBackend::StubBackend(StubBackendOptions options, const Clock& clock)
    : options_(options),
      clock_(clock),
      shared_(std::make_shared<Shared>()),
      thread_([this] { Run(); }) {}

StubBackend::~StubBackend() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopping = true;
    shared_->changed.notify_one();
  }
  thread_.join();
}

StubCounts StubBackend::counts() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->counts;
}

std::vector<ModelInfo> StubBackend::Models() const {
  ModelInfo info;
  info.name = kModel;
  info.role = "small";
  info.architecture = "stub";
  info.context_length = kContextLength;
  return {info};
}

std::vector<ModelLoad> StubBackend::Load() const {
  const StubCounts now = counts();
  ModelLoad load;
  load.name = kModel;
  load.running = now.running;
  load.kv_blocks_used = now.kv_blocks_used;
  return {load};
}

Result<int> StubBackend::CountPromptTokens(const Request& request) const {
  AIO_RETURN_IF_ERROR(CheckModel(request.model));
  return PromptTokens(request.prompt);
}

Status StubBackend::ValidateLabels(std::string_view /*model*/, const LabelQuery& /*labels*/) const {
  return Unimplemented("the stub scores no labels");
}

Result<std::shared_ptr<Ticket>> StubBackend::ScoreLabels(const Request& /*request*/,
                                                         const LabelQuery& /*labels*/,
                                                         LabelScoresCallback /*done*/) {
  return Unimplemented("the stub scores no labels");
}

Status StubBackend::Decide(const Request& request, DecisionCallback done) {
  AIO_RETURN_IF_ERROR(CheckModel(request.model));
  Decision decision;
  decision.model = kModel;
  decision.role = "small";
  decision.reason = "there is no other";
  decision.prompt_tokens = PromptTokens(request.prompt);
  done(std::move(decision));
  return Status::Ok();
}

Result<std::shared_ptr<Ticket>> StubBackend::Generate(Request request,
                                                      std::shared_ptr<EventSink> sink) {
  AIO_RETURN_IF_ERROR(CheckModel(request.model));
  const int tokens = request.sampling.max_tokens.value_or(options_.tokens_default);
  if (PromptTokens(request.prompt) > kContextLength - tokens) {
    return InvalidArgument("the prompt and max_tokens do not fit the context")
        .WithReason("context_length_exceeded");
  }
  auto work = std::make_shared<Work>(request, tokens, std::move(sink));
  auto ticket = std::make_shared<StubTicket>(shared_, work);
  const std::lock_guard lock(shared_->mutex);
  shared_->later.push({.due = clock_.Now(), .work = work});  // may throw; nothing after it does
  ++shared_->counts.started;
  ++shared_->counts.running;
  shared_->counts.kv_blocks_used += work->blocks();
  shared_->changed.notify_one();
  return std::shared_ptr<Ticket>(std::move(ticket));
}

void StubBackend::Ended(const Work& work, bool cancelled) {
  const std::lock_guard lock(shared_->mutex);
  StubCounts& counts = shared_->counts;
  --counts.running;
  counts.kv_blocks_used -= work.blocks();
  ++(cancelled ? counts.cancelled : counts.finished);
  if (cancelled) counts.last_cancelled = clock_.Now();
}

bool StubBackend::Step(Work& work) {
  if (work.sink == nullptr) return false;  // ended by a cancellation
  const bool at_once = options_.token_interval == Duration::zero() || work.floods;
  if (!std::exchange(work.begun, true)) {
    work.sink->OnStart({.model = std::string(kModel),
                        .decision = std::nullopt,
                        .prompt_tokens = work.prompt_tokens});
    if (!at_once) return true;
  }
  if (work.stalls) return true;
  do {
    if (!StepToken(work)) return false;
  } while (at_once && !work.cancelled);
  return true;
}

bool StubBackend::StepToken(Work& work) {
  if (work.fails && work.sent == 1) {
    Ended(work, /*cancelled=*/false);
    std::exchange(work.sink, nullptr)->OnError(Internal("the stub was asked to fail"));
    return false;
  }
  if (work.sent < work.tokens) {
    TokenEvent event;
    event.text = std::to_string(work.sent) + " ";
    event.tokens = {work.sent};
    ++work.sent;
    work.sink->OnToken(event);
  }
  if (work.sent < work.tokens) return true;
  Ended(work, /*cancelled=*/false);
  FinishEvent finish;
  finish.reason = FinishReason::kLength;
  finish.usage = {.prompt_tokens = work.prompt_tokens, .completion_tokens = work.sent};
  std::exchange(work.sink, nullptr)->OnFinish(finish);
  return false;
}

void StubBackend::EndCancelled(const std::vector<std::shared_ptr<Work>>& cancelled) {
  for (const auto& work : cancelled) {
    if (work->sink == nullptr) continue;
    Ended(*work, /*cancelled=*/true);
    FinishEvent finish;
    finish.reason = FinishReason::kCancelled;
    std::exchange(work->sink, nullptr)->OnFinish(finish);
  }
}

void StubBackend::Run() {
  std::unique_lock lock(shared_->mutex);
  while (!shared_->stopping) {
    if (!shared_->cancelled.empty()) {
      const std::vector<std::shared_ptr<Work>> cancelled = std::exchange(shared_->cancelled, {});
      for (const auto& work : cancelled) shared_->stalled.erase(work);
      lock.unlock();
      EndCancelled(cancelled);
      lock.lock();
    } else if (shared_->later.empty()) {
      shared_->changed.wait(lock);
    } else if (const TimePoint due = shared_->later.top().due; due > clock_.Now()) {
      shared_->changed.wait_until(lock, due);
    } else {
      std::shared_ptr<Work> work = shared_->later.top().work;
      shared_->later.pop();
      lock.unlock();
      const bool more = Step(*work);
      lock.lock();
      if (!more) continue;
      if (work->stalls) {
        shared_->stalled.insert(std::move(work));
      } else {  // from when it was due, so that the pace does not drift
        shared_->later.push({.due = due + options_.token_interval, .work = std::move(work)});
      }
    }
  }
}

}  // namespace aio
