// The engine inside this process: loaded models behind the Backend interface.
//
// Start here to read the engine. A request becomes a Sequence (sequence.h); the Scheduler
// (scheduler.h) decides each step which sequences advance by how many tokens; the step
// (model_runner.h) runs Forward() over all of them at once; the Verifier and the Sampler
// pick tokens; the sinks get events. One engine thread (engine_thread.h) runs the steps
// of all models, in turn, never two at once.
//
// The text and log-probabilities of a seeded request depend on the request alone: not on
// what else runs, the strategy, a held prompt, or the number of threads.
#ifndef AIO_ENGINE_EMBEDDED_BACKEND_H_
#define AIO_ENGINE_EMBEDDED_BACKEND_H_

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "backend/probe_head.h"
#include "base/clock.h"
#include "base/status.h"
#include "engine/embedded_model.h"

namespace aio {

// Thread-safe. Prompts are encoded and all checks made on the calling thread; events and
// callbacks come from the engine thread, with no lock held. A sink that throws gets no
// more events and its generation ends; what a callback throws is dropped.
class EmbeddedBackend final : public Backend {
 public:
  // `clock` must outlive the result. Names and roles must be distinct. kInvalidArgument
  // names the option or model at fault; kResourceExhausted when memory does not suffice.
  static Result<std::unique_ptr<EmbeddedBackend>> Create(std::vector<EmbeddedModel> models,
                                                         const EngineOptions& options,
                                                         const Clock& clock);
  // What a model takes beside its weights: KV cache and activations. kInvalidArgument when
  // no machine has so much.
  static Result<int64_t> WorkingBytes(const ModelConfig& config, const EngineOptions& options);
  // Cancels what runs, fails what waits with kUnavailable, joins the engine thread. Not
  // from one of its callbacks.
  ~EmbeddedBackend() override;

  // context_length is what can be used: the KV cache may hold less than the model allows.
  std::vector<ModelInfo> Models() const override;
  std::vector<ModelLoad> Load() const override;
  // Of a prompt that no model's context can hold perhaps fewer, but never so few that one could.
  Result<int> CountPromptTokens(const Request& request) const override;
  // Of a prompt's last message, or of all of a text or token ids, after each of `layers` (distinct,
  // 0 to the model's): one a layer. For fitting a head. Same calling rule as ScoreLabels().
  struct HiddenQuery {
    std::vector<int> layers;
    int window_tokens = ProbeHead().window_tokens;
  };
  using HiddenCallback = std::function<void(Result<std::vector<HiddenWindows>>)>;
  Result<std::shared_ptr<Ticket>> ReadHidden(const Request& request, const HiddenQuery& query,
                                             HiddenCallback done);
  Status ValidateLabels(std::string_view model, const LabelQuery& labels) const override;
  Result<std::shared_ptr<Ticket>> ScoreLabels(const Request& request, const LabelQuery& labels,
                                              LabelScoresCallback done) override;
  // No router took part: the model named by the request. Calls `done` before it returns.
  Status Decide(const Request& request, DecisionCallback done) override;
  // Usage::completion_tokens counts every sampled token, the ending one included.
  Result<std::shared_ptr<Ticket>> Generate(Request request,
                                           std::shared_ptr<EventSink> sink) override;
  Result<Tokenized> Tokenize(const TokenizeQuery& query) const override;
  Result<std::string> Detokenize(std::string_view model,
                                 std::span<const int32_t> tokens) const override;
  Result<std::string> RenderChat(const TokenizeQuery& query) const override;
  // Inputs share no KV, and a few of them take part in a step at a time.
  Result<std::shared_ptr<Ticket>> Embed(EmbeddingsQuery query, EmbeddingsCallback done) override;

 private:
  class Impl;
  explicit EmbeddedBackend(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aio

#endif  // AIO_ENGINE_EMBEDDED_BACKEND_H_
