// From a backend's events to the answer of one request. Internal to server/.
#ifndef AIO_SERVER_ANSWER_SINK_H_
#define AIO_SERVER_ANSWER_SINK_H_

#include <memory>

#include "api/openai_request.h"
#include "backend/backend.h"
#include "server/call.h"

namespace aio {

// The sink for `request`: events as they come if it asks for a stream, else one body at the
// end.
std::shared_ptr<EventSink> MakeAnswerSink(std::shared_ptr<Call> call, const ApiRequest& request);

}  // namespace aio

#endif  // AIO_SERVER_ANSWER_SINK_H_
