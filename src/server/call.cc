#include "server/call.h"

#include <spdlog/logger.h>

#include <chrono>
#include <utility>

#include "api/error_object.h"
#include "api/openai_response.h"
#include "server/cors.h"
#include "server/headers.h"

namespace aio {
namespace {

constexpr size_t kLoggedPathBytesMax = 128;
constexpr int kClientLeft = 499;

std::string NewOrSaneId(const HttpRequest& request) {
  const std::string_view id = request.headers.Get("x-request-id");
  return IsSaneRequestId(id) ? std::string(id) : NewRequestId();
}

}  // namespace

Call::Call(std::shared_ptr<ServerContext> context, HttpRequest request,
           std::shared_ptr<ResponseWriter> response)
    : context_(std::move(context)),
      request_(std::move(request)),
      response_(std::move(response)),
      arrival_(context_->clock.Now()),
      id_(NewOrSaneId(request_)) {}

// What is counted and logged of an answer with `status`, which may reach nobody.
int Call::Outcome(int status) const {
  if (response_->open()) return status;
  return response_->stopped() ? 503 : kClientLeft;
}

void Call::AddCommonHeaders(HttpHeaders& headers) const {
  headers.Set("x-request-id", id_);
  if (speaks_anthropic()) headers.Set("request-id", id_);  // by the name that its clients read
  headers.Add("x-content-type-options", "nosniff");
  if (account_ != nullptr) AddLimitHeaders(account_->budgets->Read(context_->clock.Now()), headers);
  if (!context_->cors_origins.empty()) AddCorsHeaders(context_->cors_origins, request_, headers);
}

void Call::Respond(HttpResponse response) {
  End(Outcome(response.status));  // before it is sent: who has the answer finds it in the metrics
  AddCommonHeaders(response.headers);
  response_->Send(std::move(response));
}

void Call::RespondJson(int status, std::string json, HttpHeaders headers) {
  headers.Set("content-type", "application/json");
  Respond({.status = status, .headers = std::move(headers), .body = std::move(json)});
}

int Call::FailureCode(const Status& status) const {
  const int code = Outcome(HttpStatusOf(status.code()));
  if (code >= 500 && context_->logger != nullptr) {
    context_->logger->warn("request {} failed: {}", id_, status.ToString());
  }
  return code;
}

void Call::Fail(const Status& status) {
  const int code = FailureCode(status);
  HttpHeaders headers;
  if (code == 401) headers.Set("www-authenticate", "Bearer");
  if (code == 429 || code == 503) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(retry_after_).count();
    headers.Set("retry-after", std::to_string(seconds));
  }
  RespondJson(code, speaks_anthropic() ? EncodeAnthropicError(status, id_) : EncodeError(status),
              std::move(headers));
}

void Call::StartStream(HttpHeaders headers, std::string first_bytes) {
  streaming_ = true;
  headers.Set("content-type", "text/event-stream; charset=utf-8");
  headers.Set("cache-control", "no-cache");
  headers.Set("x-accel-buffering", "no");  // nginx would hold events back
  AddCommonHeaders(headers);
  response_->Start({.status = 200, .headers = std::move(headers), .body = std::move(first_bytes)},
                   std::string(kSsePing));
}

void Call::WriteStream(std::string bytes) { response_->Write(std::move(bytes)); }

void Call::FinishStream() {
  End(Outcome(200));
  response_->Finish();
}

void Call::FailStream(const Status& status, std::string last_event) {
  const int code = FailureCode(status);
  response_->Write(std::move(last_event));
  End(code);
  response_->Finish();
}

void Call::End(int status) {
  if (std::exchange(ended_, true)) return;
  context_->metrics.CountRequest(endpoint_, status);
  if (reserved_tokens_ > 0) {
    account_->budgets->Settle(reserved_tokens_, facts_.prompt_tokens + facts_.completion_tokens,
                              context_->clock.Now());
  }
  if (context_->logger == nullptr) return;
  const std::string key = account_ != nullptr ? " key=" + account_->key.name : "";
  const double ms = ToMs(context_->clock.Now() - arrival_);
  const std::string target =
      PrintableAscii(request_.method + " " + request_.path, kLoggedPathBytesMax);
  if (facts_.model.empty()) {
    context_->logger->info("{} {} {:.1f} ms{} id={}", target, status, ms, key, id_);
    return;
  }
  context_->logger->info("{} {} {:.1f} ms model={} prompt_tokens={} completion_tokens={}{} id={}",
                         target, status, ms, facts_.model, facts_.prompt_tokens,
                         facts_.completion_tokens, key, id_);
}

}  // namespace aio
