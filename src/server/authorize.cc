#include "server/authorize.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "backend/estimate_tokens.h"
#include "server/foreign_pages.h"
#include "server/headers.h"

namespace aio {
namespace {

constexpr size_t kShownBytesMax = 128;

Status Unauthenticated(std::string message) {
  return Status(StatusCode::kUnauthenticated, std::move(message)).WithReason("invalid_api_key");
}

Status PermissionDenied(std::string message) {
  return Status(StatusCode::kPermissionDenied, std::move(message));
}

Status TooMuch(Call& call, const OverLimit& over) {
  call.set_retry_after(over.retry_after);
  return ResourceExhausted(fmt::format("This API key's limit of {} {} is used up; try again in {}.",
                                       over.allowed, over.limit, ShortDuration(over.retry_after)))
      .WithReason("rate_limit_exceeded");
}

// An administrator's request has the priority that it says; another's is never better than its
// key's, whatever it says.
int PriorityOf(const ApiKey& key, const Request& request) {
  if (key.is_admin) return key.priority + request.priority;
  return key.priority + std::max(0, request.priority);
}

Status ApplyTimeout(const Call& call, TimePoint& deadline) {
  AIO_ASSIGN_OR_RETURN(const Duration timeout, RequestedTimeout(call.request()));
  if (timeout > Duration::zero()) deadline = std::min(deadline, call.arrival() + timeout);
  return Status::Ok();
}

Status Reserve(Call& call, int64_t tokens) {
  if (const auto over = call.account()->budgets->Reserve(tokens, call.context().clock.Now())) {
    return TooMuch(call, *over);
  }
  call.set_reserved_tokens(tokens);
  return Status::Ok();
}

}  // namespace

Status Authenticate(Call& call, bool admin) {
  const ServerContext& context = call.context();
  const AccessControl& access = *context.access;
  if (!access.required()) {
    return CheckNoForeignPage(call.request(), context.cors_origins, context.on_loopback);
  }
  const std::string_view secret = PresentedKey(call.request());
  if (secret.empty()) {
    return Unauthenticated(
        "You did not provide an API key. Send it in an Authorization header: \"Authorization: "
        "Bearer YOUR_KEY\".");
  }
  std::shared_ptr<const Account> account = access.Find(secret);
  if (account == nullptr) return Unauthenticated("Incorrect API key provided.");
  const bool may = !admin || account->key.is_admin;
  call.set_account(std::move(account));
  if (may) return Status::Ok();
  return PermissionDenied("This needs an administrator's API key.");
}

Status CountAgainstLimit(Call& call) {
  if (call.account() == nullptr) return Status::Ok();
  const auto over = call.account()->budgets->TakeRequest(call.context().clock.Now());
  return over ? TooMuch(call, *over) : Status::Ok();
}

Status CheckModel(const Call& call, std::string_view model) {
  if (call.account() == nullptr || AllowsModel(call.account()->key, model)) return Status::Ok();
  return PermissionDenied(fmt::format("This API key may not use the model '{}'.",
                                      model.substr(0, kShownBytesMax)))
      .WithParam("model")
      .WithReason("model_not_allowed");
}

Status AdmitRequest(Call& call, Request& request, int choices) {
  AIO_RETURN_IF_ERROR(ApplyTimeout(call, request.deadline));
  AIO_RETURN_IF_ERROR(CheckModel(call, request.model));
  if (call.account() == nullptr) return Status::Ok();
  const ApiKey& key = call.account()->key;
  request.client = key.name;
  request.priority = PriorityOf(key, request);
  return Reserve(call, EstimateTokens(request) + (choices - 1) * EstimateAnswerTokens(request));
}

Status AdmitEmbeddings(Call& call, EmbeddingsQuery& query) {
  AIO_RETURN_IF_ERROR(ApplyTimeout(call, query.deadline));
  AIO_RETURN_IF_ERROR(CheckModel(call, query.model));
  if (call.account() == nullptr) return Status::Ok();
  int64_t tokens = 0;
  for (const auto& input : query.inputs) tokens += EstimatePromptTokens(input);
  return Reserve(call, tokens);
}

}  // namespace aio
