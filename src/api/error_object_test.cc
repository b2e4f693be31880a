#include "api/error_object.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace aio {
namespace {

using Json = nlohmann::json;

TEST(ErrorObjectTest, CarriesAllFourMembers) {
  const Status status =
      InvalidArgument("too hot").WithParam("temperature").WithReason("invalid_value");
  EXPECT_EQ(Json::parse(EncodeError(status)), Json::parse(R"({"error": {"message": "too hot",
      "type": "invalid_request_error", "param": "temperature", "code": "invalid_value"}})"));
}

TEST(ErrorObjectTest, EmptyMembersAreNull) {
  const Json error = Json::parse(EncodeError(Internal("oops")))["error"];
  EXPECT_EQ(error["type"], "server_error");
  EXPECT_TRUE(error.at("param").is_null());
  EXPECT_TRUE(error.at("code").is_null());
}

TEST(ErrorObjectTest, HttpStatuses) {
  EXPECT_EQ(HttpStatusOf(StatusCode::kInvalidArgument), 400);
  EXPECT_EQ(HttpStatusOf(StatusCode::kUnauthenticated), 401);
  EXPECT_EQ(HttpStatusOf(StatusCode::kPermissionDenied), 403);
  EXPECT_EQ(HttpStatusOf(StatusCode::kNotFound), 404);
  EXPECT_EQ(HttpStatusOf(StatusCode::kResourceExhausted), 429);
  EXPECT_EQ(HttpStatusOf(StatusCode::kCancelled), 499);
  EXPECT_EQ(HttpStatusOf(StatusCode::kInternal), 500);
  EXPECT_EQ(HttpStatusOf(StatusCode::kUnimplemented), 501);
  EXPECT_EQ(HttpStatusOf(StatusCode::kUnavailable), 503);
  EXPECT_EQ(HttpStatusOf(StatusCode::kDeadlineExceeded), 504);
}

TEST(ErrorObjectTest, InAnthropicsForm) {
  EXPECT_EQ(EncodeAnthropicError(InvalidArgument("too hot"), "id-1"),
            R"({"type":"error","error":{"type":"invalid_request_error","message":"too hot"},)"
            R"("request_id":"id-1"})");
  const auto type_of = [](const Status& status) {
    return Json::parse(EncodeAnthropicError(status, ""))["error"]["type"];
  };
  EXPECT_EQ(type_of(NotFound("x")), "not_found_error");
  EXPECT_EQ(type_of(ResourceExhausted("x")), "rate_limit_error");
  EXPECT_EQ(type_of(Unavailable("x")), "overloaded_error");
  EXPECT_EQ(type_of(DeadlineExceeded("x")), "timeout_error");
  EXPECT_EQ(type_of(Internal("x")), "api_error");
}

TEST(ErrorObjectTest, BareHttpFaults) {
  const Json error = Json::parse(EncodeError(413, "too \xFF large"))["error"];
  EXPECT_EQ(error["type"], "invalid_request_error");
  EXPECT_EQ(error["message"], "too \xEF\xBF\xBD large");
}

}  // namespace
}  // namespace aio
