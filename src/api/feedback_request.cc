#include "api/feedback_request.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/faults.h"
#include "api/json_body.h"
#include "api/json_text.h"
#include "api/object_reader.h"

namespace aio {
namespace {

constexpr std::string_view kScore = "a number from -1 (bad) to 1 (good)";

Status ReadScore(const ObjectReader& reader, double& score) {
  const nlohmann::json* value = reader.Find("score");
  if (value == nullptr) return MissingField("score", kScore);
  if (!value->is_number()) return WrongType("score", kScore, *value);
  score = value->get<double>();
  if (score >= -1 && score <= 1) return Status::Ok();
  return BadValue("score", fmt::format("{} is not {}.", score, kScore));
}

Status ReadComment(const ObjectReader& reader, std::optional<std::string>& comment) {
  const nlohmann::json* value = reader.Find("comment");
  if (value == nullptr) return Status::Ok();
  if (!value->is_string()) return WrongType("comment", "a string", *value);
  comment = value->get<std::string>();
  if (comment->size() <= kFeedbackCommentBytesMax) return Status::Ok();
  return BadValue("comment", fmt::format("it has {} bytes; at most {} are kept.", comment->size(),
                                         kFeedbackCommentBytesMax));
}

}  // namespace

Result<FeedbackRequest> DecodeFeedbackRequest(std::string_view body) {
  nlohmann::json object;
  AIO_RETURN_IF_ERROR(ParseJsonObject(body, object));
  const ObjectReader reader(object);
  AIO_RETURN_IF_ERROR(reader.RefuseUnknown({"id", "score", "comment"}));
  FeedbackRequest feedback;
  AIO_RETURN_IF_ERROR(
      reader.ReadRequired("id", "the x-request-id of the answer it is about", feedback.id));
  AIO_RETURN_IF_ERROR(ReadScore(reader, feedback.score));
  AIO_RETURN_IF_ERROR(ReadComment(reader, feedback.comment));
  return feedback;
}

std::string EncodeFeedback(const FeedbackRequest& feedback) {
  OrderedJson object;
  object["object"] = "feedback";
  object["id"] = feedback.id;
  object["score"] = feedback.score;
  return ToText(object);
}

}  // namespace aio
