// One request and its answer, from arrival to the line in the log. Internal to server/.
#ifndef AIO_SERVER_CALL_H_
#define AIO_SERVER_CALL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "access/access_control.h"
#include "base/clock.h"
#include "base/status.h"
#include "http/http_message.h"
#include "http/http_server.h"
#include "server/context.h"
#include "telemetry/request_record.h"
#include "telemetry/tracer.h"

namespace aio {

// Ends exactly once: by Respond(), by Fail() or by FinishStream(); whichever it is counts and
// logs the request, and ends its trace. Methods are for one thread at a time.
class Call {
 public:
  Call(std::shared_ptr<ServerContext> context, HttpRequest request,
       std::shared_ptr<ResponseWriter> response);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  ServerContext& context() const { return *context_; }
  const HttpRequest& request() const { return request_; }
  const std::string& id() const { return id_; }
  TimePoint arrival() const { return arrival_; }
  // The route's name in metrics; "other" until it is known.
  void set_endpoint(std::string_view endpoint) { facts_.route = endpoint; }
  // What the log and the trace say of it; all but the answer and the question is the call's own.
  RequestFacts& facts() { return facts_; }

  // Takes over what the client says of its trace. Before any work.
  void StartTrace();
  // What is now asked of the backend as `id` belongs to this call's trace.
  void FollowTrace(const std::string& id, int choice);

  // Whose key the request shows; null if none was asked for.
  const std::shared_ptr<const Account>& account() const { return account_; }
  void set_account(std::shared_ptr<const Account> account) { account_ = std::move(account); }
  // Set aside of the account's budgets; the tokens of facts() take their place in the end.
  void set_reserved_tokens(int64_t tokens) { reserved_tokens_ = tokens; }
  // Whether facts() grow while the answer is made, wherever that is. Where they may not, a client
  // that leaves pays what was set aside.
  void set_shows_use(bool shows) { shows_use_ = shows; }
  // What a failure tells a client that may try again; a second if nothing is set.
  void set_retry_after(Duration after) { retry_after_ = after; }

  // The client's leaving before the end, or the server's stopping.
  void OnClose(std::function<void()> callback) { response_->OnClose(std::move(callback)); }
  void OnFull(std::function<void(bool full)> callback) { response_->OnFull(std::move(callback)); }

  void Respond(HttpResponse response);
  void RespondJson(int status, std::string json, HttpHeaders headers = {});
  // An error object: Anthropic's under /v1/messages, else OpenAI's. Not after StartStream().
  void Fail(const Status& status);

  // A stream of server-sent events.
  void StartStream(HttpHeaders headers, std::string first_bytes);
  void WriteStream(std::string bytes);
  void FinishStream();
  // The status line is long gone: `last_event` says it.
  void FailStream(const Status& status, std::string last_event);
  bool streaming() const { return streaming_; }

  // Frees the body once it is decoded: answers may take long and prompts be large.
  void DropBody() { request_.body = std::string(); }

 private:
  int Outcome(int status) const;
  // Of a failure; logged if it is ours.
  int FailureCode(const Status& status);
  bool speaks_anthropic() const { return request_.path.starts_with("/v1/messages"); }
  void End(int status);
  // What every answer has; of a stream's the limits are those at its start.
  void AddCommonHeaders(HttpHeaders& headers) const;

  const std::shared_ptr<ServerContext> context_;
  HttpRequest request_;
  const std::shared_ptr<ResponseWriter> response_;
  const TimePoint arrival_;
  const std::string id_;
  RequestFacts facts_;
  std::optional<TraceContext> trace_context_;
  std::shared_ptr<RequestTrace> trace_;  // null: it is not sampled
  std::shared_ptr<const Account> account_;
  int64_t reserved_tokens_ = 0;
  bool shows_use_ = true;
  Duration retry_after_ = std::chrono::seconds(1);
  bool streaming_ = false;
  bool ended_ = false;
};

}  // namespace aio

#endif  // AIO_SERVER_CALL_H_
