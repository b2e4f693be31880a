// What a probe, or a first answer, leaves to further answers to the same prompt. Internal to
// engine/.
#ifndef AIO_ENGINE_HELD_HANDLE_H_
#define AIO_ENGINE_HELD_HANDLE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backend/request.h"
#include "engine/inbox.h"
#include "engine/sequence.h"

namespace aio {

// A prompt and what Generate() computes for it.
struct EncodedPrompt {
  Prompt prompt;
  std::string tools;
  std::vector<int32_t> tokens;

  bool IsOf(const Request& request) const {
    return prompt == request.prompt && tools == request.tools;
  }
};

// The tokens, which need not be encoded again (least of all on the engine thread, from where
// Generate() then comes), and the place in the queue. The prompt's KV is in the prefix cache.
class HeldHandle final : public HeldPrompt {
 public:
  HeldHandle(std::weak_ptr<Inbox> engine, int model, const SequenceSetup& first,
             EncodedPrompt encoded)
      : engine_(std::move(engine)),
        model_(model),
        arrival_(first.arrival),
        cache_salt_(first.cache_salt),
        encoded_(std::move(encoded)) {}

  bool IsOf(const std::shared_ptr<Inbox>& engine) const { return engine_.lock() == engine; }
  int model() const { return model_; }
  uint64_t arrival() const { return arrival_; }
  uint64_t cache_salt() const { return cache_salt_; }
  const EncodedPrompt& encoded() const { return encoded_; }

 private:
  const std::weak_ptr<Inbox> engine_;
  const int model_;
  const uint64_t arrival_;
  const uint64_t cache_salt_;
  const EncodedPrompt encoded_;
};

}  // namespace aio

#endif  // AIO_ENGINE_HELD_HANDLE_H_
