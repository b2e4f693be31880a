// A scripted Backend for tests of what stands above it (router, server): no model, no
// tokenizer, answers as told, remembers what it was asked. Link aio_backend_testing.
//
//   FakeBackend backend({FakeModel::Named("pocket-small", "small")});
//   backend.Update("pocket-small", [](FakeModel& m) { m.answer = ...; });
//   ... drive the code under test ...
//   backend.DeliverAll();                   // Delivery::kManual only
//   EXPECT_EQ(backend.generations().size(), 1u);
#ifndef AIO_BACKEND_TESTING_FAKE_BACKEND_H_
#define AIO_BACKEND_TESTING_FAKE_BACKEND_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "base/status.h"

namespace aio {

// What one generation says. More tokens than sampling.max_tokens are cut off and finish
// with kLength; stop strings are not looked at.
struct FakeAnswer {
  std::vector<std::string> tokens = {"Hello", " ", "world"};  // one TokenEvent each
  std::vector<float> entropies = {};  // of each token, if asked for; missing ones are 0
  FinishReason finish = FinishReason::kStop;
  std::string stop_string = {};  // FinishEvent::stop_string
  Timings timings;
  Traffic traffic;
  Status error;                     // not ok: after `tokens`, OnError(error) instead of OnFinish
  bool error_before_start = false;  // the error comes first and nothing else does
};

// Words (runs of non-space bytes) of all the text, or the number of token ids.
int FakeTokenCount(const Prompt& prompt);

// The text of a prompt: messages joined by '\n'; empty for token ids.
std::string FakePromptText(const Prompt& prompt);

struct FakeModel {
  ModelInfo info;
  ModelLoad load;  // as Load() reports it; `name` is filled in

  // Scripts; called without locks held, in the calling thread of Generate() and
  // ScoreLabels(), so they may also stand for "something happens right then".
  std::function<FakeAnswer(const Request&)> answer;  // empty: FakeAnswer{}
  std::function<std::vector<float>(const Request&, const LabelQuery&)> logits;  // empty: all 0
  // LabelScores::window_logits for a query with a head; empty: none.
  std::function<std::vector<std::vector<float>>(const Request&)> window_logits;
  std::function<int(const Prompt&)> count_tokens = FakeTokenCount;

  std::optional<Decision> decision;  // as if a router stood here: in OnStart and from Decide()
  bool holds_prompts = true;         // LabelScores carry a held_prompt
  Traffic probe_traffic;             // of LabelScores
  // Whether it tokenizes, renders and embeds: a byte is a token, a conversation one line a message,
  // an embedding (3, 4) / 5.
  bool answers_text_queries = true;

  // Faults; ok means none.
  Status count_fault;       // CountPromptTokens()
  Status validate_fault;    // ValidateLabels()
  Status probe_refusal;     // ScoreLabels() returns it
  Status probe_fault;       // ScoreLabels()'s callback gets it
  Status generate_refusal;  // Generate() and Decide() return it
  Status embed_fault;       // Embed()'s callback gets it

  // A model with a context of 4096 tokens; all have one vocabulary.
  static FakeModel Named(std::string name, std::string role);
};

// A call as it came in. `request.held_prompt` is cleared, so that the record does not keep
// the hold alive; `had_held_prompt` tells.
struct FakeCall {
  Request request;
  bool had_held_prompt = false;
};

// Thread-safe, except that Deliver*() are for one thread at a time per test's own order.
// Like a real engine it refuses unknown models and prompts that do not fit the context
// (with max_tokens, if given); held prompts that are not its own it does not use.
class FakeBackend final : public Backend {
 public:
  enum class Delivery {
    kImmediate,  // all events come from inside Generate() and ScoreLabels()
    kManual,     // events wait for DeliverOne() or DeliverAll()
    kThread,     // events come from a thread of the backend's own, in order, as fast as it can
  };

  explicit FakeBackend(std::vector<FakeModel> models, Delivery delivery = Delivery::kImmediate);
  // Undelivered events are dropped; under kThread joins the thread.
  ~FakeBackend() override;

  // Changes the script of a model (which must exist) for calls from now on.
  void Update(std::string_view model, const std::function<void(FakeModel&)>& change);

  // Delivers the next waiting event: running work takes turns, one event each, in order of
  // acceptance. Work cancelled before its next event ends with that: a generation with
  // OnFinish(kCancelled) (after OnStart, if that was still due). False if nothing waits.
  bool DeliverOne();
  // Until nothing waits; returns how many events were delivered.
  int DeliverAll();
  // Pieces of work with events still to come.
  int pending() const;

  std::vector<FakeCall> probes() const;           // accepted or refused, in order
  std::vector<FakeCall> generations() const;      // likewise
  std::vector<LabelQuery> label_queries() const;  // one a probe
  int count_calls() const;
  int cancel_calls() const;
  // What the last call of a Ticket's SetPaused() said.
  bool is_paused() const;
  int held_prompts() const;  // alive now

  std::vector<ModelInfo> Models() const override;
  std::vector<ModelLoad> Load() const override;
  Result<int> CountPromptTokens(const Request& request) const override;
  Status ValidateLabels(std::string_view model, const LabelQuery& labels) const override;
  Result<std::shared_ptr<Ticket>> ScoreLabels(const Request& request, const LabelQuery& labels,
                                              LabelScoresCallback done) override;
  // FakeModel::decision, or the model that the request names; makes Generate()'s checks.
  Status Decide(const Request& request, DecisionCallback done) override;
  Result<std::shared_ptr<Ticket>> Generate(Request request,
                                           std::shared_ptr<EventSink> sink) override;
  Result<Tokenized> Tokenize(const TokenizeQuery& query) const override;
  Result<std::string> Detokenize(std::string_view model,
                                 std::span<const int32_t> tokens) const override;
  Result<std::string> RenderChat(const TokenizeQuery& query) const override;
  Result<std::shared_ptr<Ticket>> Embed(EmbeddingsQuery query, EmbeddingsCallback done) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// A sink that writes down what it gets; for tests. Thread-safe.
class RecordingSink final : public EventSink {
 public:
  struct Record {
    std::vector<StartEvent> starts;
    std::vector<TokenEvent> tokens;
    std::vector<FinishEvent> finishes;
    std::vector<Status> errors;

    std::string text() const;
    bool done() const { return finishes.size() + errors.size() > 0; }
    // OnStart at most once and first, nothing after the one OnFinish or OnError.
    bool in_order = true;
  };

  void OnStart(const StartEvent& event) override;
  void OnToken(const TokenEvent& event) override;
  void OnFinish(const FinishEvent& event) override;
  void OnError(const Status& status) override;

  Record record() const;
  // Blocks until OnFinish or OnError came.
  void Wait() const;

  // Called at the end of OnStart / OnToken, without locks held.
  std::function<void()> on_start;
  std::function<void()> on_token;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_ = MakeShared();
  static std::shared_ptr<Shared> MakeShared();
};

}  // namespace aio

#endif  // AIO_BACKEND_TESTING_FAKE_BACKEND_H_
