// The client's side of OpenAI's streamed chat completions: the request's body, and what the chunks
// of the answer say. Chunks of this project's own server say more (docs/traffic.md), which is read
// where it is there.
#ifndef AIO_TRAFFIC_CHAT_STREAM_H_
#define AIO_TRAFFIC_CHAT_STREAM_H_

#include <optional>
#include <string>
#include <string_view>

#include "backend/events.h"
#include "backend/request.h"
#include "base/status.h"

namespace aio {

// A body for POST /v1/chat/completions, streamed and with usage. A text becomes a user's message.
// Only what is not OpenAI's default is written, so that other servers take it too. kUnimplemented
// for token ids.
Result<std::string> EncodeChatBody(const Request& request);

struct ChatChunk {
  std::string model;                   // empty: not said
  std::string text;                    // may be empty
  std::optional<FinishReason> reason;  // the answer has ended
  std::optional<Usage> usage;
  std::optional<Decision> decision;   // only of this project's server, as the next
  std::optional<FinishEvent> totals;  // timings, traffic and speculation; no usage
  Status error;                       // not ok: the stream says that it broke off
};

// Of one event's data that is not "[DONE]". kInternal if that is no JSON object.
Result<ChatChunk> ParseChatChunk(std::string_view data);

// Of an answer that is an error: OpenAI's error object or any text, and the HTTP status, whose
// meaning becomes the code.
Status StatusOfResponse(long http_status, std::string_view body);

}  // namespace aio

#endif  // AIO_TRAFFIC_CHAT_STREAM_H_
