// The parts of an answer that several objects share; the commands write them too.
#ifndef AIO_API_RESPONSE_PARTS_H_
#define AIO_API_RESPONSE_PARTS_H_

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "api/json_text.h"
#include "backend/events.h"
#include "base/json_writer.h"

namespace aio {

// {"content": [{"token", "logprob", "bytes", "top_logprobs"}], "refusal": null}
OrderedJson ChatLogprobs(const std::vector<TokenLogprob>& logprobs);

// {"tokens", "token_logprobs", "top_logprobs", "text_offset"}; `text_offset` counts the
// characters before the first token and is moved past the last.
OrderedJson CompletionLogprobs(const std::vector<TokenLogprob>& logprobs, size_t& text_offset);

// OpenAI's. Guesses that were rejected are in no other count of it: they are no part of the answer.
void WriteUsage(const FinishEvent& finish, JsonWriter& json);
// llama-server's.
void WriteTimings(const FinishEvent& finish, JsonWriter& json);
void WriteDecision(const Decision& decision, JsonWriter& json);
// A finished answer's `aio`: the members of the decision, if one was made, and "accounting", which
// openai_response.h describes.
void WriteAio(const StartEvent& start, const FinishEvent& finish, JsonWriter& json);

// The same as trees, for objects that are put together from them.
OrderedJson UsageObject(const FinishEvent& finish);
OrderedJson TimingsObject(const FinishEvent& finish);
OrderedJson DecisionObject(const Decision& decision);
OrderedJson AioObject(const StartEvent& start, const FinishEvent& finish);

}  // namespace aio

#endif  // AIO_API_RESPONSE_PARTS_H_
