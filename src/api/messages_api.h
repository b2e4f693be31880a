// Anthropic's /v1/messages and /v1/messages/count_tokens: decodes what is asked, encodes the answer
// and its events. No sockets.
//
// `system` and the contents of messages are strings or arrays of text blocks, those of the
// assistant with tool_use blocks, those of the user with tool_result blocks (whose is_error is not
// told apart: their text says it); messages of one role that follow each other are one turn. Other
// blocks, the tools that Anthropic runs, and thinking are refused by name, and so is a conversation
// that ends with the assistant's turn, which models here cannot continue. The fields `seed`, `aio`
// and the like are those of openai_request.h.
//
// Beside Anthropic's members a finished message carries `timings` and `aio`, as chat completions
// do; in a stream they stand in message_delta, the decision in message_start.
#ifndef AIO_API_MESSAGES_API_H_
#define AIO_API_MESSAGES_API_H_

#include <memory>
#include <string>
#include <string_view>

#include "api/answer_encoder.h"
#include "api/openai_request.h"
#include "base/status.h"

namespace aio {

Result<ApiRequest> DecodeMessagesRequest(std::string_view body);

// Of /v1/messages/count_tokens, which needs no max_tokens.
Result<ApiRequest> DecodeCountTokensRequest(std::string_view body);

// {"input_tokens": n}
std::string EncodeTokenCount(int tokens);

// `hex_id` is what the message's id ends with: "msg_...".
std::unique_ptr<AnswerEncoder> MakeMessagesEncoder(std::string hex_id);

}  // namespace aio

#endif  // AIO_API_MESSAGES_API_H_
