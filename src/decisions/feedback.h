#ifndef AIO_DECISIONS_FEEDBACK_H_
#define AIO_DECISIONS_FEEDBACK_H_

#include <optional>
#include <string>

namespace aio {

// What a client thinks of an answer.
struct Feedback {
  std::string request_id;  // x-request-id; of several rows with it the latest is meant
  double score = 0;        // -1 (bad) to 1 (good)
  std::optional<std::string> comment;
};

}  // namespace aio

#endif  // AIO_DECISIONS_FEEDBACK_H_
