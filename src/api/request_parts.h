// The parts of a request, each decoded by a file of its own. Internal to api/.
#ifndef AIO_API_REQUEST_PARTS_H_
#define AIO_API_REQUEST_PARTS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/object_reader.h"
#include "api/openai_request.h"
#include "backend/request.h"
#include "base/status.h"

namespace aio {

// `messages`: system/developer/user/assistant, content as text or as text parts.
Status DecodeMessages(const ObjectReader& body, std::vector<ChatMessage>& messages);

// `prompt`: one string or one array of token ids, bare or as the only element of an array.
Status DecodePrompt(const ObjectReader& body, Prompt& prompt);

// temperature, penalties, seed, stop, logit_bias, max_tokens, logprobs, ...
Status DecodeSampling(const ObjectReader& body, ApiRequest& out);

// The object `aio`, but for its strategy.
Status DecodeOverrides(const ObjectReader& body, Request& request);

// How to decode: `aio.strategy`, and what other servers call it. Absent where nothing says.
Status DecodeStrategy(const ObjectReader& body, std::optional<Strategy>& strategy);

// What the answer must be: `response_format`, and what other servers call it. `text` is the body's,
// from which schemas are taken as they are written: the order of properties is theirs.
Status DecodeFormat(const ObjectReader& body, std::string_view text, AnswerFormat& format);

// Refuses the known fields that would change the answer.
Status RefuseUnsupported(const ObjectReader& body, ApiKind kind);

}  // namespace aio

#endif  // AIO_API_REQUEST_PARTS_H_
