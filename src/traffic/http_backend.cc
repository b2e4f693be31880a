#include "traffic/http_backend.h"

#include <fmt/format.h>

#include <future>
#include <mutex>
#include <set>
#include <utility>

#include "base/check.h"
#include "remote/answer_reader.h"
#include "remote/curl_http_transport.h"
#include "remote/encode_request.h"
#include "remote/http_transport.h"

namespace aio {
namespace {

constexpr std::string_view kChatPath = "/chat/completions";

// "http://h:1", "http://h:1/" and "http://h:1/v1" all are that server's chats.
Result<std::string> ChatUrl(std::string url) {
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    return InvalidArgument(
        fmt::format("'{}' is no server's URL; write http://HOST:PORT or https://HOST", url));
  }
  while (url.ends_with('/')) url.pop_back();
  if (url.ends_with(kChatPath)) return url;
  const size_t path = url.find('/', url.find("://") + 3);
  if (path == std::string::npos) url += "/v1";
  return url + std::string(kChatPath);
}

// What servers other than our own ignore is written only where it is asked for.
Result<std::string> ChatBody(Request request) {
  if (std::holds_alternative<std::vector<int32_t>>(request.prompt)) {
    return Unimplemented("token ids cannot be sent as a chat; give the text");
  }
  if (const auto* text = std::get_if<std::string>(&request.prompt)) {
    request.prompt = std::vector<ChatMessage>{{.role = "user", .content = *text}};
  }
  const EngineProfile own = *FindEngineProfile("aio");
  AIO_ASSIGN_OR_RETURN(EncodedRequest encoded, EncodeRequest(request, request.model, own));
  return std::move(encoded.body);
}

// One streamed answer on its way. For the transport's thread, but for Cancel().
class Transfer final : public HttpReceiver,
                       public Ticket,
                       public std::enable_shared_from_this<Transfer> {
 public:
  Transfer(HttpTransport& transport, Duration silence_max, std::shared_ptr<EventSink> sink)
      : transport_(transport), silence_max_(silence_max), sink_(std::move(sink)) {}

  void Begin(HttpCall call, std::function<void()> on_end) {
    on_end_ = std::move(on_end);
    last_bytes_ = transport_.Now();
    handle_ = transport_.Start(std::move(call), shared_from_this());
    WatchSilence();
  }

  void Cancel() override {
    transport_.Post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->GiveUp(Cancelled("was cancelled"));
    });
  }

  void GiveUp(const Status& why) {
    if (is_over_) return;
    if (handle_ != nullptr) handle_->Cancel();
    is_over_ = true;
    sink_->OnError(why);
    Over();
  }

  void OnHead(const HttpHead& head) override { reader_.SetHttpStatus(head.status); }
  bool OnBytes(std::string_view bytes) override {
    last_bytes_ = transport_.Now();
    return reader_.OnBytes(bytes);
  }
  void OnEnd(const Status& fault) override {
    if (std::exchange(is_over_, true)) return;
    reader_.OnEnd(fault);
    Over();
  }

 private:
  void Over() {
    if (const auto on_end = std::exchange(on_end_, nullptr)) on_end();
  }
  void WatchSilence() {
    transport_.RunAt(last_bytes_ + silence_max_, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (self == nullptr || self->is_over_) return;
      if (self->transport_.Now() - self->last_bytes_ < self->silence_max_) {
        return self->WatchSilence();
      }
      self->GiveUp(DeadlineExceeded("the server has been silent for too long"));
    });
  }

  HttpTransport& transport_;
  const Duration silence_max_;
  const std::shared_ptr<EventSink> sink_;
  AnswerReader reader_{*sink_};
  std::shared_ptr<HttpCallHandle> handle_;
  std::function<void()> on_end_;
  TimePoint last_bytes_{};
  bool is_over_ = false;
};

// What the server counted, or why it did not.
class CountingSink final : public EventSink {
 public:
  std::future<Result<int>> future() { return promise_.get_future(); }

  void OnStart(const StartEvent&) override {}
  void OnToken(const TokenEvent&) override {}
  void OnFinish(const FinishEvent& event) override {
    if (event.usage.prompt_tokens > 0) return promise_.set_value(event.usage.prompt_tokens);
    promise_.set_value(Unimplemented("the server does not say how many tokens a prompt has"));
  }
  void OnError(const Status& status) override { promise_.set_value(status); }

 private:
  std::promise<Result<int>> promise_;
};

}  // namespace

class HttpBackend::Impl {
 public:
  Impl(HttpBackendOptions options, std::string url, std::unique_ptr<HttpTransport> transport)
      : options_(std::move(options)), url_(std::move(url)), transport_(std::move(transport)) {
    auto headers = std::make_shared<std::vector<std::string>>();
    headers->push_back("content-type: application/json");
    headers->push_back("accept: text/event-stream");
    if (!options_.api_key.empty()) headers->push_back("authorization: Bearer " + options_.api_key);
    headers_ = std::move(headers);
  }

  ~Impl() {
    std::promise<void> ended;
    transport_->Post([this, &ended] {
      for (const auto& transfer : std::exchange(running_, {})) {
        transfer->GiveUp(Unavailable("the client was shut down"));
      }
      ended.set_value();
    });
    ended.get_future().wait();
  }

  std::shared_ptr<Ticket> Start(std::string body, std::shared_ptr<EventSink> sink) {
    const auto transfer =
        std::make_shared<Transfer>(*transport_, options_.silence_max, std::move(sink));
    transport_->Post([this, transfer, body = std::make_shared<const std::string>(std::move(body))] {
      running_.insert(transfer);
      transfer->Begin({.url = url_,
                       .address = {},
                       .port = 0,
                       .headers = headers_,
                       .body = body,
                       .connect_timeout = options_.connect_timeout},
                      [this, raw = std::weak_ptr(transfer)] { running_.erase(raw.lock()); });
    });
    return transfer;
  }

 private:
  const HttpBackendOptions options_;
  const std::string url_;
  std::shared_ptr<const std::vector<std::string>> headers_;
  std::set<std::shared_ptr<Transfer>> running_;  // the transport's thread's own
  const std::unique_ptr<HttpTransport> transport_;
};

HttpBackend::HttpBackend(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpBackend::~HttpBackend() = default;

Result<std::unique_ptr<HttpBackend>> HttpBackend::Create(HttpBackendOptions options) {
  static const SystemClock clock;
  AIO_ASSIGN_OR_RETURN(std::string url, ChatUrl(options.url));
  AIO_ASSIGN_OR_RETURN(auto transport, MakeCurlHttpTransport({}, clock));
  return std::unique_ptr<HttpBackend>(new HttpBackend(
      std::make_unique<Impl>(std::move(options), std::move(url), std::move(transport))));
}

Result<int> HttpBackend::CountPromptTokens(const Request& request) const {
  Request one = request;
  one.sampling.max_tokens = 1;
  AIO_ASSIGN_OR_RETURN(std::string body, ChatBody(std::move(one)));
  const auto sink = std::make_shared<CountingSink>();
  std::future<Result<int>> counted = sink->future();
  impl_->Start(std::move(body), sink);
  return counted.get();
}

Status HttpBackend::ValidateLabels(std::string_view, const LabelQuery&) const {
  return Unimplemented("a server is asked for answers only, not for label scores");
}

Result<std::shared_ptr<Ticket>> HttpBackend::ScoreLabels(const Request&, const LabelQuery&,
                                                         LabelScoresCallback) {
  return Unimplemented("a server is asked for answers only, not for label scores");
}

Status HttpBackend::Decide(const Request&, DecisionCallback) {
  return Unimplemented("a server is asked for answers only, not for decisions");
}

Result<std::shared_ptr<Ticket>> HttpBackend::Generate(Request request,
                                                      std::shared_ptr<EventSink> sink) {
  AIO_ASSIGN_OR_RETURN(std::string body, ChatBody(std::move(request)));
  return impl_->Start(std::move(body), std::move(sink));
}

}  // namespace aio
