// What the engine is given: loaded models and how much of the machine they may use.
#ifndef AIO_ENGINE_EMBEDDED_MODEL_H_
#define AIO_ENGINE_EMBEDDED_MODEL_H_

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
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
  // The name of the model that drafts for this one; empty: none does. They must have the same
  // vocabulary.
  std::string draft_model;
  // While models compete, each gets memory bandwidth in proportion to this (FairShare); > 0.
  double bandwidth_weight = 1;
};

// The bounds of EngineOptions; all other minima are 1.
struct EngineLimits {
  static constexpr int kThreadsMax = 1024;
  static constexpr int kRunningMax = 1024;
  static constexpr int kWaitingMax = 1 << 20;
  static constexpr int kPrefillChunkTokensMax = 1 << 16;
  static constexpr std::chrono::milliseconds kPrefillStepMax{60'000};
  static constexpr int kDraftTokensMin = 0;
  static constexpr int kDraftTokensMax = 4096;
  static constexpr int kKvCacheTokensMin = KvCache::kBlockTokens;
  static constexpr int kKvCacheTokensMax = std::numeric_limits<int>::max() - KvCache::kBlockTokens;
};

struct EngineOptions {
  int num_threads = 1;
  int max_running = 16;            // sequences in one model's step
  int max_waiting = 256;           // accepted and not started, a model; beyond: kResourceExhausted
  int prefill_chunk_tokens = 256;  // most prompt tokens one step computes
  // The longest step that computes prompt tokens while somebody waits for another answer's
  // next token, but for what reading the weights takes.
  Duration prefill_step_max = std::chrono::milliseconds(500);
  int max_draft_tokens = 64;        // most guesses one step computes, over all sequences
  int64_t kv_cache_tokens = 16384;  // positions a model's KV cache holds, rounded up to blocks
  KvType kv_type = KvType::kF16;
  bool prefix_caching = true;  // off: only a probe and its generation share a prompt's KV
  bool pin_threads = false;    // one core each
};

}  // namespace aio

#endif  // AIO_ENGINE_EMBEDDED_MODEL_H_
