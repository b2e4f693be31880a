// The client's side of OpenAI's streamed answers, of chats and of completions: what the chunks say.
// Chunks of this project's own server say more (docs/traffic.md), which is read where it is there.
#ifndef AIO_REMOTE_ANSWER_CHUNK_H_
#define AIO_REMOTE_ANSWER_CHUNK_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/events.h"
#include "base/status.h"

namespace aio {

// A piece of a call of a tool. What is empty goes on as it was.
struct ToolCallPiece {
  int index = 0;
  std::string id;
  std::string name;
  std::string arguments;  // to be appended
};

struct AnswerChunk {
  std::string model;        // empty: not said
  std::string text;         // may be empty
  std::string reasoning;    // likewise
  bool has_choice = false;  // it is a part of the answer, if only of what is not shown
  std::vector<ToolCallPiece> tool_calls;
  std::vector<TokenLogprob> logprobs;  // without token ids, which engines do not tell: -1
  std::optional<FinishReason> reason;  // the answer has ended
  std::string stop_string;             // that ended it, where the engine says so
  std::optional<Usage> usage;
  std::optional<Decision> decision;   // only of this project's server, as the next
  std::optional<FinishEvent> totals;  // timings, traffic and speculation; no usage
  Status error;                       // not ok: the stream says that it broke off
};

// Of one event's data that is not "[DONE]". kInternal if that is no JSON object.
Result<AnswerChunk> ParseAnswerChunk(std::string_view data);

// Of an answer that is an error: OpenAI's error object, that of an engine, or any text; and the
// HTTP status, whose meaning becomes the code. Keeps `param` and `code`, as reason.
Status StatusOfResponse(int http_status, std::string_view body);

// Whether that body is an error object, of any of those forms.
bool IsErrorObject(std::string_view body);

}  // namespace aio

#endif  // AIO_REMOTE_ANSWER_CHUNK_H_
