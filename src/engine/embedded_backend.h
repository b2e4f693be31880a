// The engine inside this process: loaded models behind the Backend interface.
//
// Start here to read the engine. A request becomes a Sequence (sequence.h); the Scheduler
// (scheduler.h) decides each step which sequences advance by how many tokens; the step
// runs Forward() over all of them at once; the Sampler picks tokens; the sinks get
// events. One engine thread runs the steps of all models, interleaved, never two at once.
#ifndef AIO_ENGINE_EMBEDDED_BACKEND_H_
#define AIO_ENGINE_EMBEDDED_BACKEND_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "base/clock.h"
#include "base/status.h"
#include "model/kv_cache.h"
#include "model/model.h"
#include "tokenizer/chat_template.h"
#include "tokenizer/tokenizer.h"

namespace aio {

// One model and what it needs to speak.
struct EmbeddedModel {
  std::string name;  // what clients call it
  std::string role;  // "small", "large"; also accepted as a request's `model`
  std::shared_ptr<const Model> model;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::optional<ChatTemplate> chat_template;  // absent: chat prompts are refused by name
};

struct EngineOptions {
  int num_threads = 0;              // 0: one a core
  int max_running = 16;             // sequences in one model's step
  int max_waiting = 256;            // accepted and not started, a model; beyond: kResourceExhausted
  int prefill_chunk_tokens = 256;   // most prompt tokens one step computes
  int64_t kv_cache_tokens = 16384;  // positions a model's KV cache holds
  KvType kv_type = KvType::kF16;
};

class EmbeddedBackend final : public Backend {
 public:
  // `clock` must outlive the result. Names and roles must be distinct.
  static Result<std::unique_ptr<EmbeddedBackend>> Create(std::vector<EmbeddedModel> models,
                                                         const EngineOptions& options,
                                                         const Clock& clock);
  // Cancels what runs and joins the engine thread.
  ~EmbeddedBackend() override;

  std::vector<ModelInfo> Models() const override;
  std::vector<ModelLoad> Load() const override;
  Result<int> CountPromptTokens(const Request& request) const override;
  Status ValidateLabels(std::string_view model, const LabelQuery& labels) const override;
  Status ScoreLabels(const Request& request, const LabelQuery& labels,
                     LabelScoresCallback done) override;
  Status Decide(const Request& request, DecisionCallback done) override;
  Result<std::shared_ptr<Generation>> Generate(Request request,
                                               std::shared_ptr<EventSink> sink) override;

 private:
  class Impl;
  explicit EmbeddedBackend(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aio

#endif  // AIO_ENGINE_EMBEDDED_BACKEND_H_
