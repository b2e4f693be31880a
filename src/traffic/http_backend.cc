#include "traffic/http_backend.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "traffic/chat_stream.h"
#include "traffic/chat_transfer.h"

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

bool IsLoopback(std::string_view url) {
  for (const std::string_view host : {"://127.0.0.1", "://localhost", "://[::1]"}) {
    if (url.find(host) != std::string_view::npos) return true;
  }
  return false;
}

long HttpStatusOf(CURL* easy) {
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

Status FaultOf(CURLcode code) {
  if (code == CURLE_OK) return Status::Ok();
  const std::string what = curl_easy_strerror(code);
  if (code == CURLE_OPERATION_TIMEDOUT) return DeadlineExceeded(what);
  return Unavailable(what);
}

// A transfer with the handle that carries it.
struct Carried {
  std::shared_ptr<ChatTransfer> transfer;
  CURL* easy = nullptr;

  static size_t OnBytes(char* bytes, size_t size, size_t count, void* self) {
    auto& carried = *static_cast<Carried*>(self);
    const size_t length = size * count;
    const bool goes_on = carried.transfer->OnBytes(HttpStatusOf(carried.easy), {bytes, length});
    return goes_on ? length : CURL_WRITEFUNC_ERROR;
  }
};

class TransferTicket final : public Ticket {
 public:
  TransferTicket(std::weak_ptr<ChatTransfer> transfer, std::function<void()> wake)
      : transfer_(std::move(transfer)), wake_(std::move(wake)) {}
  void Cancel() override {
    const auto transfer = transfer_.lock();
    if (transfer == nullptr) return;
    transfer->Cancel();
    wake_();
  }

 private:
  const std::weak_ptr<ChatTransfer> transfer_;
  const std::function<void()> wake_;
};

// Wakes the thread while there is one; tickets may outlive it.
struct Waker {
  std::mutex mutex;
  CURLM* multi = nullptr;

  void Wake() {
    const std::lock_guard lock(mutex);
    if (multi != nullptr) curl_multi_wakeup(multi);
  }
};

}  // namespace

class HttpBackend::Impl {
 public:
  Impl(HttpBackendOptions options, std::string url)
      : options_(std::move(options)), url_(std::move(url)) {
    static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
    AIO_CHECK(initialised == CURLE_OK, "libcurl cannot be initialised");
    multi_ = curl_multi_init();
    AIO_CHECK(multi_ != nullptr, "libcurl gives no handle");
    waker_->multi = multi_;
    headers_ = curl_slist_append(headers_, "content-type: application/json");
    headers_ = curl_slist_append(headers_, "accept: text/event-stream");
    headers_ = curl_slist_append(headers_, "expect:");  // no waiting for 100 Continue
    if (!options_.api_key.empty()) {
      headers_ = curl_slist_append(headers_, ("authorization: Bearer " + options_.api_key).c_str());
    }
    thread_ = std::thread([this] { Drive(); });
  }

  ~Impl() {
    stop_ = true;
    waker_->Wake();
    thread_.join();
    {
      const std::lock_guard lock(waker_->mutex);
      waker_->multi = nullptr;
    }
    curl_multi_cleanup(multi_);
    curl_slist_free_all(headers_);
  }

  std::shared_ptr<Ticket> Start(std::string body, std::shared_ptr<EventSink> sink) {
    const auto transfer = std::make_shared<ChatTransfer>(std::move(body), std::move(sink));
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(transfer);
    }
    waker_->Wake();
    return std::make_shared<TransferTicket>(transfer, [waker = waker_] { waker->Wake(); });
  }

 private:
  // The thread: takes what waits, moves what runs, ends what is over.
  void Drive() {
    constexpr int kPollMs = 1000;
    while (!stop_) {
      for (auto& transfer : TakeWaiting()) Begin(std::move(transfer));
      int running = 0;
      curl_multi_perform(multi_, &running);
      EndWhatIsOver();
      EndWhatIsCancelled();
      curl_multi_poll(multi_, nullptr, 0, kPollMs, nullptr);
    }
    const Status gone = Unavailable("the client was shut down");
    while (!carried_.empty()) End(carried_.begin()->first, gone);
    for (const auto& transfer : TakeWaiting()) transfer->OnEnd(0, gone);
  }

  std::vector<std::shared_ptr<ChatTransfer>> TakeWaiting() {
    const std::lock_guard lock(mutex_);
    return std::exchange(waiting_, {});
  }

  void Begin(std::shared_ptr<ChatTransfer> transfer) {
    CURL* easy = curl_easy_init();
    if (easy == nullptr) return transfer->OnEnd(0, ResourceExhausted("no memory for a transfer"));
    auto carried = std::make_unique<Carried>(Carried{std::move(transfer), easy});
    const std::string& body = carried->transfer->body();
    curl_easy_setopt(easy, CURLOPT_URL, url_.c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.c_str());  // not copied: lives as long
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Carried::OnBytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, carried.get());
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    const auto ms = [](Duration d) { return static_cast<long>(ToMs(d)); };
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, ms(options_.connect_timeout));
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, std::max(1L, ms(options_.silence_max) / 1000));
    if (IsLoopback(url_)) curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_multi_add_handle(multi_, easy);
    carried_.emplace(easy, std::move(carried));
  }

  void EndWhatIsOver() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg == CURLMSG_DONE) End(message->easy_handle, FaultOf(message->data.result));
    }
  }

  void EndWhatIsCancelled() {
    std::vector<CURL*> cancelled;
    for (const auto& [easy, carried] : carried_) {
      if (carried->transfer->cancelled()) cancelled.push_back(easy);
    }
    for (CURL* easy : cancelled) End(easy, Status::Ok());
  }

  void End(CURL* easy, const Status& fault) {
    const auto found = carried_.find(easy);
    AIO_CHECK(found != carried_.end(), "a transfer that nobody began has ended");
    const std::shared_ptr<ChatTransfer> transfer = found->second->transfer;
    const long http_status = HttpStatusOf(easy);
    curl_multi_remove_handle(multi_, easy);
    curl_easy_cleanup(easy);
    carried_.erase(found);
    transfer->OnEnd(http_status, fault);
  }

  const HttpBackendOptions options_;
  const std::string url_;
  CURLM* multi_ = nullptr;
  curl_slist* headers_ = nullptr;
  const std::shared_ptr<Waker> waker_ = std::make_shared<Waker>();
  std::atomic<bool> stop_{false};
  std::map<CURL*, std::unique_ptr<Carried>> carried_;  // the thread's own

  std::mutex mutex_;  // guards waiting_
  std::vector<std::shared_ptr<ChatTransfer>> waiting_;
  std::thread thread_;
};

namespace {

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

HttpBackend::HttpBackend(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpBackend::~HttpBackend() = default;

Result<std::unique_ptr<HttpBackend>> HttpBackend::Create(HttpBackendOptions options) {
  AIO_ASSIGN_OR_RETURN(std::string url, ChatUrl(options.url));
  return std::unique_ptr<HttpBackend>(
      new HttpBackend(std::make_unique<Impl>(std::move(options), std::move(url))));
}

Result<int> HttpBackend::CountPromptTokens(const Request& request) const {
  Request one = request;
  one.sampling.max_tokens = 1;
  AIO_ASSIGN_OR_RETURN(std::string body, EncodeChatBody(one));
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
  AIO_ASSIGN_OR_RETURN(std::string body, EncodeChatBody(request));
  return impl_->Start(std::move(body), std::move(sink));
}

}  // namespace aio
