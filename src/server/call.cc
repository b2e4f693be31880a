#include "server/call.h"

#include <chrono>
#include <utility>

#include "api/error_object.h"
#include "api/openai_response.h"
#include "server/cors.h"
#include "server/headers.h"
#include "server/request_log.h"

namespace aio {
namespace {

constexpr size_t kLoggedPathBytesMax = 128;
constexpr int kClientLeft = 499;

std::string NewOrSaneId(const HttpRequest& request) {
  const std::string_view id = request.headers.Get("x-request-id");
  return IsSaneRequestId(id) ? std::string(id) : NewRequestId();
}

// Which of two traceparents would be meant, nobody can tell.
std::optional<TraceContext> ClientTrace(const HttpHeaders& headers) {
  int parents = 0;
  std::string states;
  for (const auto& [name, value] : headers.entries()) {
    if (SameHeaderName(name, "traceparent")) ++parents;
    if (!SameHeaderName(name, "tracestate")) continue;
    if (!states.empty()) states += ',';
    states += value;
  }
  if (parents != 1) return std::nullopt;
  return ParseTraceContext(headers.Get("traceparent"), states);
}

}  // namespace

Call::Call(std::shared_ptr<ServerContext> context, HttpRequest request,
           std::shared_ptr<ResponseWriter> response)
    : context_(std::move(context)),
      request_(std::move(request)),
      response_(std::move(response)),
      arrival_(context_->clock.Now()),
      id_(NewOrSaneId(request_)) {
  facts_.id = id_;
  facts_.method = PrintableAscii(request_.method, kLoggedPathBytesMax);
  facts_.path = PrintableAscii(request_.path, kLoggedPathBytesMax);
  facts_.route = "other";
}

// Of a call that nobody answered: the connection says so to the client.
Call::~Call() {
  try {
    End(Outcome(500));
  } catch (...) {  // NOLINT(bugprone-empty-catch): want of memory; there is nobody left to tell
  }
}

void Call::StartTrace() {
  const std::optional<TraceContext> client = ClientTrace(request_.headers);
  if (context_->tracer == nullptr) {
    trace_context_ = client;
    return;
  }
  TracedRequest traced = context_->tracer->Start(client, arrival_);
  trace_context_ = std::move(traced.context);
  trace_ = std::move(traced.trace);
}

void Call::FollowTrace(const std::string& id, int choice) {
  if (trace_ == nullptr) return;
  if (choice == 0) trace_->Asked(context_->clock.Now());
  context_->tracer->Follow(id, trace_, choice);
}

// What is counted and logged of an answer with `status`, which may reach nobody.
int Call::Outcome(int status) const {
  if (response_->open()) return status;
  return response_->stopped() ? 503 : kClientLeft;
}

void Call::AddCommonHeaders(HttpHeaders& headers) const {
  headers.Set("x-request-id", id_);
  if (speaks_anthropic()) headers.Set("request-id", id_);  // by the name that its clients read
  if (context_->tracer != nullptr && trace_context_) {
    headers.Set("traceresponse", FormatTraceparent(*trace_context_));
  }
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

int Call::FailureCode(const Status& status) {
  const int code = Outcome(HttpStatusOf(status.code()));
  facts_.failure = status;
  if (code >= 500) LogFailure(*context_, facts_, trace_context_);
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
  context_->metrics.CountRequest(facts_.route, status);
  if (reserved_tokens_ > 0) {
    const int64_t known = facts_.prompt_tokens + facts_.completion_tokens;
    const bool was_left = status == kClientLeft && known == 0 && !shows_use_;
    account_->budgets->Settle(reserved_tokens_, was_left ? reserved_tokens_ : known,
                              context_->clock.Now());
  }
  facts_.status = status;
  if (account_ != nullptr) facts_.key = account_->key.name;
  LogRequest(*context_, facts_, trace_context_, context_->clock.Now() - arrival_);
  if (trace_ == nullptr) return;
  context_->tracer->End(*std::exchange(trace_, nullptr), std::move(facts_));
}

}  // namespace aio
