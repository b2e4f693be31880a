// From a backend's events to the answer of one call. Internal to server/.
#ifndef AIO_SERVER_CALL_ANSWER_H_
#define AIO_SERVER_CALL_ANSWER_H_

#include <memory>

#include "api/answer_encoder.h"
#include "api/openai_request.h"
#include "server/call.h"

namespace aio {

// Starts the generation of `request`, whose `request` is complete, and answers `call` with what
// `encoder` makes of it: events as they come if it asks for a stream, else one body at the end.
//
// Of several choices the first alone is routed. The others start when its first token is there, on
// the same model in the same way, each with a seed of its own: by then the prompt's KV is in the
// prefix cache. If one fails, all do.
void StartAnswer(const std::shared_ptr<Call>& call, ApiRequest request,
                 std::unique_ptr<AnswerEncoder> encoder);

}  // namespace aio

#endif  // AIO_SERVER_CALL_ANSWER_H_
