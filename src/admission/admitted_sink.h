// Passes the events of one admitted generation on, and gives its place back when it ends. Internal
// to admission/.
#ifndef AIO_ADMISSION_ADMITTED_SINK_H_
#define AIO_ADMISSION_ADMITTED_SINK_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "backend/backend.h"

namespace aio {

class AdmittedSink final : public EventSink {
 public:
  // `ended` is called once, with the tokens that it came to.
  AdmittedSink(std::shared_ptr<EventSink> client, Duration waited,
               std::function<void(int64_t tokens)> ended)
      : client_(std::move(client)), waited_(waited), ended_(std::move(ended)) {}
  ~AdmittedSink() override { End(); }

  void OnStart(const StartEvent& event) override {
    tokens_ = event.prompt_tokens;
    client_->OnStart(event);
  }
  void OnToken(const TokenEvent& event) override {
    tokens_ += static_cast<int64_t>(event.tokens.size());
    client_->OnToken(event);
  }
  // The place first: who has the answer finds it free.
  void OnFinish(const FinishEvent& event) override {
    tokens_ = event.usage.prompt_tokens + event.usage.completion_tokens;
    End();
    if (waited_ == Duration::zero()) return client_->OnFinish(event);
    FinishEvent told = event;
    told.timings.queue_ms += ToMs(waited_);
    client_->OnFinish(told);
  }
  void OnError(const Status& status) override {
    End();
    client_->OnError(status);
  }

  // It never started, or ends now.
  void End() {
    if (ended_ != nullptr) std::exchange(ended_, nullptr)(tokens_);
  }

 private:
  const std::shared_ptr<EventSink> client_;
  const Duration waited_;
  std::function<void(int64_t)> ended_;
  int64_t tokens_ = 0;
};

}  // namespace aio

#endif  // AIO_ADMISSION_ADMITTED_SINK_H_
