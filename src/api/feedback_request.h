// Decodes the body of POST /v1/feedback:
//   {"id": "...", "score": -1..1, "comment": "..."}
// `id` is the x-request-id of an answer (OpenAI's clients show it as _request_id); `comment` may be
// left out. Other fields are refused: a typing error would lose what a client meant to say.
#ifndef AIO_API_FEEDBACK_REQUEST_H_
#define AIO_API_FEEDBACK_REQUEST_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace aio {

inline constexpr size_t kFeedbackCommentBytesMax = 4096;

struct FeedbackRequest {
  std::string id;
  double score = 0;  // -1 (bad) to 1 (good)
  std::optional<std::string> comment;
};

Result<FeedbackRequest> DecodeFeedbackRequest(std::string_view body);

// {"object": "feedback", "id", "score"}
std::string EncodeFeedback(const FeedbackRequest& feedback);

}  // namespace aio

#endif  // AIO_API_FEEDBACK_REQUEST_H_
