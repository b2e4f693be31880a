// The hinge of the system. The server knows one Backend and nothing of routing; the
// router is a Backend over Backends and knows nothing of engines; the embedded engine, a
// remote engine and the simulator are Backends.
//
// Threads: every method may be called from any thread. Calls return quickly (they
// tokenize and enqueue; they never wait for a model). Events arrive on the backend's own
// thread; a sink must not block there and must not call back into the backend that
// called it, except Generate(), ScoreLabels() and Ticket::Cancel().
#ifndef AIO_BACKEND_BACKEND_H_
#define AIO_BACKEND_BACKEND_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backend/events.h"
#include "backend/request.h"
#include "backend/text_query.h"
#include "base/status.h"

namespace aio {

// A model as /v1/models lists it.
struct ModelInfo {
  std::string name;          // what a request's `model` says
  std::string role;          // "small", "large", or "router" for a name that routes
  std::string weights;       // kW8A16 for that variant of a role's model; else empty
  std::string draft_model;   // the name of the one that drafts for it; empty: none
  std::string architecture;  // "llama", ...; empty for a router's virtual name
  int64_t parameters = 0;    // 0: unknown
  int64_t bytes = 0;         // of weights; 0: unknown
  int context_length = 0;    // tokens, prompt and answer together; 0: unknown
  int vocabulary_size = 0;   // 0: unknown
  int num_layers = 0;        // 0: unknown, as the next
  int hidden_size = 0;
  // Models with equal ones give every text the same token ids; 0: unknown.
  uint64_t vocabulary_fingerprint = 0;
  // Hexadecimal; equal ones are the same weights, vocabulary and settings. Empty: unknown.
  std::string fingerprint;
  // What clients of other servers ask for; empty or 0: unknown.
  std::string chat_template = {};  // its family: "chatml", ...
  std::string bos_token = {};      // as the vocabulary writes it: "<s>"
  std::string eos_token = {};
  int running_max = 0;  // sequences that take part in one step
  // What not every backend can tell:
  bool tells_entropies = true;  // TokenEvent::entropies, where they are asked for
  bool counts_exactly = true;  // CountPromptTokens(); else it is a guess, and nothing is refused by
                               // more than LeastPromptTokens()
};

// One of the servers that hold a model.
struct ReplicaLoad {
  std::string name;   // its address
  std::string state;  // "ready", "trial", "ejected", "down", "draining"
  int running = 0;
  int64_t outstanding_tokens = 0;  // of prompts and answers, as estimated: asked, not yet come
  // Since it is known:
  int64_t requests = 0;
  int64_t failures = 0;   // its own
  int64_t ejections = 0;  // times that it was left alone for a while
};

// A point-in-time load reading; exported as metrics, and a routing signal.
struct ModelLoad {
  std::string name;
  int running = 0;  // sequences that take part in steps
  int waiting = 0;  // accepted, not yet started
  int64_t kv_blocks_used = 0;
  int64_t kv_blocks_idle = 0;  // in no use, kept for whoever begins with the same tokens
  int64_t kv_blocks_total = 0;
  double step_ms = 0;  // of a step that computes one token, as lately measured; 0: unknown
  double tokens_per_second = 0;  // of one answer, as lately measured; 0: unknown
  // Since the start:
  int64_t preemptions = 0;                 // sequences sent back to the queue for want of blocks
  int64_t prefix_tokens_asked = 0;         // prompt tokens looked up in the prefix cache
  int64_t prefix_tokens_found = 0;         // of these, found
  std::vector<ReplicaLoad> replicas = {};  // of a model that other servers hold
};

// What the caller of accepted work holds: of a generation or a probe. Destroying it does
// not cancel.
class Ticket {
 public:
  virtual ~Ticket() = default;
  // If the work had not ended before, it ends within one step: a sink gets
  // OnFinish(kCancelled), a callback the Status kCancelled. Idempotent.
  virtual void Cancel() = 0;
  // A wish: no more events for now, since nobody takes them, or on again. Who computes for many at
  // once goes on all the same; who only passes events on may let its source wait. Thread-safe.
  virtual void SetPaused(bool /*paused*/) {}
};

// Where the events of one generation go: OnStart once, OnToken any number of times, then
// exactly one of OnFinish and OnError; OnError may come without OnStart.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void OnStart(const StartEvent& event) = 0;
  virtual void OnToken(const TokenEvent& event) = 0;
  virtual void OnFinish(const FinishEvent& event) = 0;
  virtual void OnError(const Status& status) = 0;
};

using DecisionCallback = std::function<void(Result<Decision>)>;
using LabelScoresCallback = std::function<void(Result<LabelScores>)>;
using EmbeddingsCallback = std::function<void(Result<Embeddings>)>;

class Backend {
 public:
  virtual ~Backend() = default;

  // What a client chooses from, in display order: every name by which a request's `model`
  // may call for routing, and every model's own.
  virtual std::vector<ModelInfo> Models() const = 0;
  virtual std::vector<ModelLoad> Load() const = 0;

  // Tokens of request.prompt as `request.model` would see it (chat template and
  // generation prompt included).
  virtual Result<int> CountPromptTokens(const Request& request) const = 0;

  // Checks that `labels` can be told apart by their first token under `model`, or that their head
  // is one for it. kInvalidArgument names the labels that collide, or the sizes that differ.
  virtual Status ValidateLabels(std::string_view model, const LabelQuery& labels) const = 0;

  // One forward pass over request.prompt in the probe's template and the scores of the
  // labels' first tokens, or what the labels' head makes of it. A Generate() that carries
  // LabelScores::held_prompt takes the probe's place in the queue, and on the same model goes on
  // from the prompt's KV. Refuses the parameters that Generate() would refuse whatever the model,
  // before any work. A failure to accept the work comes back as the return value and `done` is then
  // never called; otherwise `done` is called exactly once.
  virtual Result<std::shared_ptr<Ticket>> ScoreLabels(const Request& request,
                                                      const LabelQuery& labels,
                                                      LabelScoresCallback done) = 0;

  // What Generate() would decide, without generating; makes Generate()'s checks. Same calling
  // rule as ScoreLabels(), but `done` may be called before this returns.
  virtual Status Decide(const Request& request, DecisionCallback done) = 0;

  // Starts a generation. A request that cannot be served at all (unknown model, context
  // too long, bad parameter) fails here and the sink is never called.
  virtual Result<std::shared_ptr<Ticket>> Generate(Request request,
                                                   std::shared_ptr<EventSink> sink) = 0;

  // What not every backend can do: unless overridden these are kUnimplemented, and say so by the
  // model's name. A name that routes stands for the small model.

  // A text or conversation as the token ids that the model sees.
  virtual Result<Tokenized> Tokenize(const TokenizeQuery& query) const;
  // The bytes of `tokens`, special ones by their name; perhaps not UTF-8 at either end.
  // kInvalidArgument with param "tokens" for an id that is none of the model's.
  virtual Result<std::string> Detokenize(std::string_view model,
                                         std::span<const int32_t> tokens) const;
  // A conversation as the text that the model's chat template makes of it.
  virtual Result<std::string> RenderChat(const TokenizeQuery& query) const;
  // Same calling rule as ScoreLabels().
  virtual Result<std::shared_ptr<Ticket>> Embed(EmbeddingsQuery query, EmbeddingsCallback done);
};

}  // namespace aio

#endif  // AIO_BACKEND_BACKEND_H_
