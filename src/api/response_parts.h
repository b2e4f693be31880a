// The parts of an answer that several objects share; the commands write them too.
#ifndef AIO_API_RESPONSE_PARTS_H_
#define AIO_API_RESPONSE_PARTS_H_

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "api/json_text.h"
#include "backend/events.h"

namespace aio {

// {"content": [{"token", "logprob", "bytes", "top_logprobs"}], "refusal": null}
OrderedJson ChatLogprobs(const std::vector<TokenLogprob>& logprobs);

// {"tokens", "token_logprobs", "top_logprobs", "text_offset"}; `text_offset` counts the
// characters before the first token and is moved past the last.
OrderedJson CompletionLogprobs(const std::vector<TokenLogprob>& logprobs, size_t& text_offset);

OrderedJson UsageObject(const Usage& usage);
OrderedJson TimingsObject(const FinishEvent& finish);
OrderedJson DecisionObject(const Decision& decision);

}  // namespace aio

#endif  // AIO_API_RESPONSE_PARTS_H_
