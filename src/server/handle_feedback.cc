#include <utility>

#include "api/feedback_request.h"
#include "server/handlers.h"

namespace aio {

void HandleFeedback(const std::shared_ptr<Call>& call) {
  const FeedbackHandler& handler = call->context().feedback;
  if (handler == nullptr) {
    return call->Fail(
        Unimplemented("This server keeps no decision log, to which feedback would be added; its "
                      "owner may set one (decision_log.path)."));
  }
  Result<FeedbackRequest> feedback = DecodeFeedbackRequest(call->request().body);
  if (!feedback.ok()) return call->Fail(feedback.status());
  handler(*feedback, [call, feedback = *feedback](const Status& status) {
    if (!status.ok()) return call->Fail(status);
    call->RespondJson(200, EncodeFeedback(feedback));
  });
}

}  // namespace aio
