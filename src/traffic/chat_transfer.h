// One streamed answer on its way: bytes of a server's response in, events out. Internal to
// traffic/.
#ifndef AIO_TRAFFIC_CHAT_TRANSFER_H_
#define AIO_TRAFFIC_CHAT_TRANSFER_H_

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "backend/backend.h"
#include "traffic/chat_stream.h"
#include "traffic/sse_reader.h"

namespace aio {

// Used by one thread at a time, but for Cancel().
class ChatTransfer {
 public:
  ChatTransfer(std::string body, std::shared_ptr<EventSink> sink)
      : body_(std::move(body)), sink_(std::move(sink)) {}

  const std::string& body() const { return body_; }

  void Cancel() { cancelled_ = true; }
  bool cancelled() const { return cancelled_; }

  // A part of the response's body. False: there is no use in more of it.
  bool OnBytes(long http_status, std::string_view bytes);
  // The response is over; `fault` says why if it did not come whole. Ends the sink's events, as
  // does the last good chunk's end.
  void OnEnd(long http_status, const Status& fault);

 private:
  void OnEvent(std::string_view data);
  void OnChunk(ChatChunk chunk);
  Status EndStatus(long http_status, const Status& fault) const;

  const std::string body_;
  const std::shared_ptr<EventSink> sink_;
  std::atomic<bool> cancelled_{false};
  SseReader reader_;
  std::string error_body_;
  StartEvent start_;
  bool has_started_ = false;
  bool has_usage_ = false;
  bool is_done_ = false;  // its finish_reason or [DONE] came
  Status broken_;         // what the stream itself said
  FinishEvent finish_;
  int text_events_ = 0;
};

}  // namespace aio

#endif  // AIO_TRAFFIC_CHAT_TRANSFER_H_
