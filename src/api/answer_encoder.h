// From a backend's events to an answer in one of the protocols. No sockets.
#ifndef AIO_API_ANSWER_ENCODER_H_
#define AIO_API_ANSWER_ENCODER_H_

#include <string>
#include <string_view>
#include <vector>

#include "backend/events.h"
#include "base/status.h"

namespace aio {

// A whole answer, gathered from TokenEvents.
struct WholeAnswer {
  std::string text;
  std::vector<TokenLogprob> logprobs;
  FinishReason reason = FinishReason::kStop;
  std::string stop_string = {};  // FinishEvent::stop_string
  std::vector<ToolCall> tool_calls = {};
  std::string reasoning = {};  // TokenEvent::reasoning
};

// One for each request; either Whole(), or for a stream of server-sent events Start(), Delta() and
// End() of each choice, Finish(). What these return is bytes of the stream, perhaps none. `total`
// is of all choices together, its reason that of the last to end. Not thread-safe.
class AnswerEncoder {
 public:
  virtual ~AnswerEncoder() = default;

  // The body of an answer that is not streamed.
  virtual std::string Whole(const StartEvent& start, const std::vector<WholeAnswer>& choices,
                            const FinishEvent& total) = 0;

  virtual std::string Start(const StartEvent& start) = 0;
  virtual std::string Delta(int choice, const TokenEvent& event) = 0;
  virtual std::string End(int choice, const FinishEvent& finish) = 0;
  virtual std::string Finish(const FinishEvent& total) = 0;
  // Ends a stream that has begun, instead of the rest.
  virtual std::string Fail(const Status& status) = 0;
};

// "event: <type>\ndata: <json>\n\n"
std::string NamedSseEvent(std::string_view type, std::string_view json);

}  // namespace aio

#endif  // AIO_API_ANSWER_ENCODER_H_
