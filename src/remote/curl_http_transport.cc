#include "remote/curl_http_transport.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/defer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <cerrno>
#include <exception>
#include <future>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/file_descriptor.h"
#include "base/io_threads.h"
#include "remote/timer_queue.h"

namespace aio {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

long Milliseconds(Duration duration) { return std::max(1L, static_cast<long>(ToMs(duration))); }

Status FaultOf(CURLcode code, const char* detail) {
  if (code == CURLE_OK) return Status::Ok();
  const std::string what = *detail != '\0' ? detail : curl_easy_strerror(code);
  if (code == CURLE_OPERATION_TIMEDOUT) return DeadlineExceeded(what);
  return Unavailable(what);
}

class Call;

// What a Call tells of itself.
class CallOwner {
 public:
  virtual ~CallOwner() = default;
  virtual void Remove(Call* call) = 0;
};

// One transfer. Kept by the transport until it is over.
class Call final : public HttpCallHandle {
 public:
  Call(CallOwner* owner, HttpCall call, std::shared_ptr<HttpReceiver> receiver)
      : owner_(owner), call_(std::move(call)), receiver_(std::move(receiver)) {}
  ~Call() override {
    if (easy_ != nullptr) curl_easy_cleanup(easy_);
    curl_slist_free_all(headers_);
    curl_slist_free_all(connect_to_);
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  CURL* easy() const { return easy_; }
  void set_easy(CURL* easy) { easy_ = easy; }
  CURL* ReleaseHandle() { return std::exchange(easy_, nullptr); }

  void SetOptions(const CurlHttpOptions& options) {
    curl_easy_setopt(easy_, CURLOPT_URL, call_.url.c_str());
    curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);  // never waits for a silent name server
    curl_easy_setopt(easy_, CURLOPT_PROXY, "");       // replicas are neighbours
    curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
    curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_.data());
    curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, Milliseconds(call_.connect_timeout));
    curl_easy_setopt(easy_, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy_, CURLOPT_MAXAGE_CONN, 60L);
    // A stream may be silent; whether its peer is still there, the kernels find out.
    curl_easy_setopt(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy_, CURLOPT_TCP_KEEPIDLE, 5L);
    curl_easy_setopt(easy_, CURLOPT_TCP_KEEPINTVL, 2L);
    unacknowledged_max_ms_ = static_cast<unsigned>(ToMs(options.unacknowledged_max));
    curl_easy_setopt(easy_, CURLOPT_SOCKOPTFUNCTION, &Call::OnSocketMade);
    curl_easy_setopt(easy_, CURLOPT_SOCKOPTDATA, this);
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Call::OnBytes);
    curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &Call::OnHeader);
    curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
    if (!options.ca_file.empty()) {
      curl_easy_setopt(easy_, CURLOPT_CAINFO, options.ca_file.c_str());
      curl_easy_setopt(easy_, CURLOPT_CAPATH, nullptr);  // the system's, which would count too
    }
    if (!options.client_certificate.empty()) {
      curl_easy_setopt(easy_, CURLOPT_SSLCERT, options.client_certificate.c_str());
      curl_easy_setopt(easy_, CURLOPT_SSLKEY, options.client_key.c_str());
    }
    if (!call_.address.empty()) {
      const bool is_v6 = call_.address.find(':') != std::string::npos;
      const std::string port = call_.port > 0 ? std::to_string(call_.port) : "";
      const std::string host = is_v6 ? "[" + call_.address + "]" : call_.address;
      connect_to_ = curl_slist_append(nullptr, fmt::format("::{}:{}", host, port).c_str());
      curl_easy_setopt(easy_, CURLOPT_CONNECT_TO, connect_to_);
    }
    if (call_.headers != nullptr) {
      for (const std::string& header : *call_.headers) AddHeader(header);
    }
    if (call_.body != nullptr) {
      AddHeader("expect:");  // no waiting for 100 Continue
      curl_easy_setopt(easy_, CURLOPT_POST, 1L);
      curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(call_.body->size()));
      curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, call_.body->c_str());  // not copied
    }
    curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
  }

  void Cancel() override {
    receiver_ = nullptr;
    if (owner_ != nullptr) owner_->Remove(this);  // may be the end of this
  }
  void SetPaused(bool paused) override {
    if (owner_ == nullptr) return;  // it has ended
    curl_easy_pause(easy_, paused ? CURLPAUSE_RECV : CURLPAUSE_CONT);
  }
  void Forget() { owner_ = nullptr; }

  void End(CURLcode code) {
    TellHead();  // of a response without a body
    const auto receiver = std::exchange(receiver_, nullptr);
    if (receiver != nullptr) receiver->OnEnd(FaultOf(code, error_.data()));
  }

 private:
  static int OnSocketMade(void* self, curl_socket_t socket, curlsocktype) {
    const unsigned ms = static_cast<Call*>(self)->unacknowledged_max_ms_;
    setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
    return CURL_SOCKOPT_OK;
  }
  static size_t OnBytes(char* bytes, size_t size, size_t count, void* self) {
    auto& call = *static_cast<Call*>(self);
    try {
      call.TellHead();
      // Held: the receiver may cancel, and so let go of itself.
      const auto receiver = call.receiver_;
      const bool goes_on = receiver != nullptr && receiver->OnBytes({bytes, size * count});
      return goes_on ? size * count : CURL_WRITEFUNC_ERROR;
    } catch (const std::exception&) {
      return CURL_WRITEFUNC_ERROR;  // libcurl is C, and must not be jumped over
    }
  }
  static size_t OnHeader(char* bytes, size_t size, size_t count, void* self) {
    auto& call = *static_cast<Call*>(self);
    const std::string_view line(bytes, size * count);
    if (line.starts_with("HTTP/")) call.has_head_ = false;  // after 100 Continue, another one
    return size * count;
  }

  void AddHeader(const std::string& header) {
    headers_ = curl_slist_append(headers_, header.c_str());
  }

  void TellHead() {
    if (std::exchange(has_head_, true) || receiver_ == nullptr) return;
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    if (status == 0) return;
    HttpHead head{.status = static_cast<int>(status)};
    curl_off_t seconds = 0;
    curl_easy_getinfo(easy_, CURLINFO_RETRY_AFTER, &seconds);
    constexpr curl_off_t kLongest = 3600;  // whatever a server says
    if (seconds > 0) head.retry_after = std::chrono::seconds(std::min(seconds, kLongest));
    receiver_->OnHead(head);
  }

  CallOwner* owner_;
  const HttpCall call_;
  std::shared_ptr<HttpReceiver> receiver_;
  CURL* easy_ = nullptr;
  curl_slist* headers_ = nullptr;
  curl_slist* connect_to_ = nullptr;
  unsigned unacknowledged_max_ms_ = 0;
  bool has_head_ = false;
  std::array<char, CURL_ERROR_SIZE> error_{};
};

// All of a transport, on one strand. Its handlers hold it, and do nothing once it is closed.
class Transfers final : public CallOwner, public std::enable_shared_from_this<Transfers> {
 public:
  // Owns `epoll`.
  Transfers(CurlHttpOptions options, const Clock& clock, asio::io_context& io, int epoll)
      : options_(std::move(options)),
        clock_(clock),
        strand_(asio::make_strand(io)),
        sockets_(strand_, epoll),
        timer_(strand_) {
    static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
    AIO_CHECK(initialised == CURLE_OK, "libcurl cannot be initialised");
    multi_ = curl_multi_init();
    AIO_CHECK(multi_ != nullptr, "libcurl gives no handle");
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Transfers::OnSocket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Transfers::OnTimer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS,
                      static_cast<long>(options_.idle_connections_max));
  }
  ~Transfers() override { CloseNow(); }
  Transfers(const Transfers&) = delete;
  Transfers& operator=(const Transfers&) = delete;

  void Open() {
    asio::post(strand_, [self = shared_from_this()] { self->Do([] {}); });
  }

  // When it returns, nothing is called any more.
  void Close() {
    std::promise<void> closed;
    asio::post(strand_, [self = shared_from_this(), &closed] {
      self->CloseNow();
      closed.set_value();
    });
    closed.get_future().wait();
  }

  const Clock& clock() const { return clock_; }

  // From an I/O thread it is what this one does next: none is woken.
  void RunAt(TimePoint at, std::function<void()> task) {
    asio::defer(strand_, [self = shared_from_this(), at, task = std::move(task)]() mutable {
      self->Do([&] {
        self->timers_.Add(at, std::move(task));
        self->RunDue(self->clock_.Now());
      });
    });
  }

  std::shared_ptr<HttpCallHandle> Start(HttpCall spec, std::shared_ptr<HttpReceiver> receiver) {
    auto call = std::make_shared<Call>(this, std::move(spec), std::move(receiver));
    CURL* easy = TakeHandle();
    AIO_CHECK(easy != nullptr, "no memory for a transfer");
    call->set_easy(easy);
    call->SetOptions(options_);
    calls_.emplace(call.get(), call);
    if (curl_multi_add_handle(multi_, easy) != CURLM_OK) {
      RunAt(TimePoint::min(), [this, weak = std::weak_ptr(call)] {
        const auto refused = weak.lock();
        if (refused == nullptr || !calls_.contains(refused.get())) return;
        TakeOut(refused);
        refused->End(CURLE_FAILED_INIT);
      });
    }
    return call;
  }

 private:
  // Every handler's work is done by this, and what follows from it. One call may be lost for want
  // of memory, and is found to be silent; the others go on.
  template <typename Work>
  void Do(const Work& work) {
    if (multi_ == nullptr) return;
    try {
      work();
    } catch (const std::exception&) {
    }
    try {
      Settle();
    } catch (const std::exception&) {
    }
  }

  void Settle() {
    if (!is_waiting_) WaitForSockets();
    do {
      while (std::exchange(curl_is_due_, false)) {
        int running = 0;
        curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
      }
      EndWhatIsOver();
    } while (curl_is_due_);
    SetTimer();
  }

  // libcurl's sockets are in an epoll of their own, which is ready when one of them is.
  void WaitForSockets() {
    sockets_.async_wait(asio::posix::descriptor_base::wait_read,
                        [self = shared_from_this()](const error_code& error) {
                          self->is_waiting_ = false;
                          if (!error) self->Do([&] { self->OnSocketsReady(); });
                        });
    is_waiting_ = true;
  }

  void OnSocketsReady() {
    // Few: others wait for this thread, and answers to be sent on.
    std::array<epoll_event, 16> events;
    const int count = epoll_wait(sockets_.native_handle(), events.data(),
                                 static_cast<int>(events.size()), /*timeout=*/0);
    for (int i = 0; i < count; ++i) {
      int action = 0;
      if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) action |= CURL_CSELECT_IN;
      if ((events[i].events & EPOLLOUT) != 0) action |= CURL_CSELECT_OUT;
      if ((events[i].events & EPOLLERR) != 0) action |= CURL_CSELECT_ERR;
      int running = 0;
      curl_multi_socket_action(multi_, events[i].data.fd, action, &running);
    }
  }

  // For what is due first, if it is not set for something earlier, which sets it anew.
  void SetTimer() {
    TimePoint next = curl_due_;
    if (!timers_.empty()) next = std::min(next, timers_.next());
    if (next >= timer_at_) return;
    timer_at_ = kNoDeadline;  // if what follows fails
    timer_.expires_after(std::max(Duration::zero(), next - clock_.Now()));
    timer_.async_wait([self = shared_from_this()](const error_code& error) {
      if (!error) self->Do([&] { self->OnTime(); });
    });
    timer_at_ = next;
  }

  void OnTime() {
    timer_at_ = kNoDeadline;
    const TimePoint now = clock_.Now();
    if (curl_due_ <= now) {
      curl_due_ = kNoDeadline;
      curl_is_due_ = true;
    }
    RunDue(now);
  }

  void RunDue(TimePoint now) {
    while (const auto task = timers_.TakeDue(now)) (*task)();
  }

  void EndWhatIsOver() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      void* raw = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &raw);
      const auto found = calls_.find(static_cast<Call*>(raw));
      AIO_CHECK(found != calls_.end(), "a transfer that nobody began has ended");
      const std::shared_ptr<Call> call = found->second;
      TakeOut(call);
      call->End(code);
      KeepHandle(call->ReleaseHandle());
    }
  }

  // Making one and its buffers takes longer than all else of a call.
  CURL* TakeHandle() {
    if (spare_.empty()) return curl_easy_init();
    CURL* easy = spare_.back();
    spare_.pop_back();
    return easy;
  }

  void KeepHandle(CURL* easy) {
    constexpr size_t kSpareMax = 64;
    if (spare_.size() == kSpareMax) return curl_easy_cleanup(easy);
    curl_easy_reset(easy);
    spare_.push_back(easy);
  }

  // Called from inside libcurl's own callbacks too, from where no transfer may be taken out.
  void Remove(Call* raw) override {
    const auto found = calls_.find(raw);
    if (found == calls_.end()) return;
    RunAt(TimePoint::min(), [this, call = std::weak_ptr(found->second)] {
      if (const auto still = call.lock(); still != nullptr && calls_.contains(still.get())) {
        TakeOut(still);
        KeepHandle(still->ReleaseHandle());
      }
    });
  }

  void TakeOut(const std::shared_ptr<Call>& call) {
    curl_multi_remove_handle(multi_, call->easy());
    call->Forget();
    calls_.erase(call.get());
  }

  static int OnSocket(CURL*, curl_socket_t socket, int what, void* self, void* known) {
    auto& transfers = *static_cast<Transfers*>(self);
    const int epoll = transfers.sockets_.native_handle();
    if (what == CURL_POLL_REMOVE) {
      epoll_ctl(epoll, EPOLL_CTL_DEL, socket, nullptr);
      curl_multi_assign(transfers.multi_, socket, nullptr);
      return 0;
    }
    epoll_event event{.events = 0, .data = {.fd = socket}};
    if ((what & CURL_POLL_IN) != 0) event.events |= EPOLLIN;
    if ((what & CURL_POLL_OUT) != 0) event.events |= EPOLLOUT;
    const int operation = known == nullptr ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (epoll_ctl(epoll, operation, socket, &event) != 0 && errno == EEXIST) {
      epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &event);
    }
    curl_multi_assign(transfers.multi_, socket, self);
    return 0;
  }

  static int OnTimer(CURLM*, long ms, void* self) {
    auto& transfers = *static_cast<Transfers*>(self);
    transfers.curl_is_due_ = ms == 0;
    transfers.curl_due_ =
        ms > 0 ? transfers.clock_.Now() + std::chrono::milliseconds(ms) : kNoDeadline;
    return 0;
  }

  void CloseNow() {
    if (multi_ == nullptr) return;
    for (auto& [raw, call] : calls_) {
      call->Forget();
      curl_multi_remove_handle(multi_, call->easy());
    }
    calls_.clear();
    for (CURL* easy : spare_) curl_easy_cleanup(easy);
    curl_multi_cleanup(multi_);
    multi_ = nullptr;
    timers_ = {};
    error_code ignored;
    sockets_.close(ignored);
    timer_.cancel();
  }

  const CurlHttpOptions options_;
  const Clock& clock_;
  const asio::strand<asio::io_context::executor_type> strand_;
  // On the strand:
  asio::posix::stream_descriptor sockets_;
  asio::steady_timer timer_;
  bool is_waiting_ = false;  // for sockets
  TimePoint timer_at_ = kNoDeadline;
  TimePoint curl_due_ = kNoDeadline;
  bool curl_is_due_ = false;
  TimerQueue timers_;
  CURLM* multi_ = nullptr;  // null: closed
  std::unordered_map<Call*, std::shared_ptr<Call>> calls_;
  std::vector<CURL*> spare_;  // handles in no use
};

class CurlHttpTransport final : public HttpTransport {
 public:
  CurlHttpTransport(std::shared_ptr<IoThreads> io, std::shared_ptr<Transfers> transfers)
      : io_(std::move(io)), transfers_(std::move(transfers)) {
    transfers_->Open();
  }
  ~CurlHttpTransport() override { transfers_->Close(); }
  CurlHttpTransport(const CurlHttpTransport&) = delete;
  CurlHttpTransport& operator=(const CurlHttpTransport&) = delete;

  TimePoint Now() const override { return transfers_->clock().Now(); }
  void RunAt(TimePoint at, std::function<void()> task) override {
    transfers_->RunAt(at, std::move(task));
  }
  std::shared_ptr<HttpCallHandle> Start(HttpCall call,
                                        std::shared_ptr<HttpReceiver> receiver) override {
    return transfers_->Start(std::move(call), std::move(receiver));
  }

 private:
  const std::shared_ptr<IoThreads> io_;
  const std::shared_ptr<Transfers> transfers_;
};

}  // namespace

Result<std::unique_ptr<HttpTransport>> MakeCurlHttpTransport(CurlHttpOptions options,
                                                             const Clock& clock,
                                                             std::shared_ptr<IoThreads> io) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) return SystemError("the system gives no descriptors", errno);
  if (io == nullptr) io = std::make_shared<IoThreads>(1);
  try {
    auto transfers = std::make_shared<Transfers>(std::move(options), clock, io->context(), epoll);
    return std::unique_ptr<HttpTransport>(
        std::make_unique<CurlHttpTransport>(std::move(io), std::move(transfers)));
  } catch (const std::exception& e) {
    return Internal(fmt::format("the system does not let sockets be waited for: {}", e.what()));
  }
}

}  // namespace aio
