#include "http/exchange.h"

#include <fmt/format.h>

#include <array>
#include <ctime>
#include <iterator>
#include <utility>

namespace aio {
namespace {

// The server frames messages itself; a handler's own idea of it would break them.
bool IsFraming(std::string_view name) {
  return SameHeaderName(name, "content-length") || SameHeaderName(name, "transfer-encoding") ||
         SameHeaderName(name, "connection");
}

// No control character may end a header early.
std::string Clean(std::string_view text) {
  std::string clean(text);
  for (char& c : clean) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return clean;
}

std::string HttpDate() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 40> text{};
  const size_t size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
  return std::string(text.data(), size);
}

class Writer final : public ResponseWriter {
 public:
  explicit Writer(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  ~Writer() override { exchange_->Abandon(); }

  void Send(HttpResponse response) override { exchange_->Send(std::move(response)); }
  void Start(HttpResponse response, std::string ping) override {
    exchange_->Start(std::move(response), std::move(ping));
  }
  void Write(std::string chunk) override { exchange_->Write(chunk); }
  void Finish() override { exchange_->Finish(); }
  void Abort() override { exchange_->Abort(); }
  void OnClose(std::function<void()> callback) override { exchange_->OnClose(std::move(callback)); }
  void OnFull(std::function<void(bool full)> callback) override {
    exchange_->OnFull(std::move(callback));
  }
  bool open() const override { return exchange_->open(); }
  bool stopped() const override { return exchange_->stopped(); }

 private:
  const std::shared_ptr<Exchange> exchange_;
};

}  // namespace

Exchange::Exchange(ExchangeOptions options, std::function<void()> wake)
    : options_(std::move(options)), wake_(std::move(wake)), keep_alive_(options_.keep_alive) {}

void Exchange::Send(HttpResponse response) {
  std::vector<std::function<void()>> released;  // destroyed after the lock, as the next
  std::function<void(bool)> full;
  std::lock_guard lock(mutex_);
  if (closed_ || stage_ != Stage::kWaiting) return;
  AppendHead(response, /*streaming=*/false);
  if (!options_.head) pending_ += response.body;
  released.swap(on_close_);
  full.swap(on_full_);  // what fed the answer may be gone before its last byte is
  End();
}

void Exchange::Start(HttpResponse response, std::string ping) {
  std::lock_guard lock(mutex_);
  if (closed_ || stage_ != Stage::kWaiting) return;
  if (options_.http10) keep_alive_ = false;
  AppendHead(response, /*streaming=*/true);
  AppendChunk(response.body);
  ping_ = std::move(ping);
  stage_ = Stage::kStreaming;
  Wake();
}

void Exchange::Write(std::string_view chunk) {
  std::lock_guard lock(mutex_);
  if (closed_ || stage_ != Stage::kStreaming || overflowed_) return;
  AppendChunk(chunk);
  if (pending_.size() + in_flight_bytes_ > options_.buffered_bytes_max) {
    overflowed_ = true;
    pending_.clear();
    woken_ = false;  // this must be heard even if the last output was not yet taken
  }
  TellFull();
  Wake();
}

void Exchange::OnFull(std::function<void(bool full)> callback) {
  std::lock_guard lock(mutex_);
  if (closed_ || stage_ == Stage::kEnded) return;
  on_full_ = std::move(callback);
  if (is_full_) on_full_(true);
}

void Exchange::TellFull() {
  const size_t full = options_.buffered_bytes_max / 4;
  const size_t waiting = pending_.size() + in_flight_bytes_;
  const bool is_full = is_full_ ? waiting > full / 2 : waiting > full;
  if (std::exchange(is_full_, is_full) != is_full && on_full_) on_full_(is_full);
}

void Exchange::Finish() {
  std::vector<std::function<void()>> released;
  std::function<void(bool)> full;
  std::lock_guard lock(mutex_);
  // After an overflow a part is missing: the client must not see a proper end.
  if (closed_ || overflowed_ || stage_ != Stage::kStreaming) return;
  if (Chunked()) pending_ += "0\r\n\r\n";
  released.swap(on_close_);
  full.swap(on_full_);  // what fed the answer may be gone before its last byte is
  End();
}

void Exchange::Abort() {
  std::vector<std::function<void()>> released;
  std::function<void(bool)> full;
  std::lock_guard lock(mutex_);
  if (closed_ || stage_ != Stage::kStreaming) return;
  keep_alive_ = false;
  released.swap(on_close_);
  full.swap(on_full_);  // what fed the answer may be gone before its last byte is
  End();
}

void Exchange::Abandon() {
  Send({.status = 500,
        .headers = {{"content-type", "text/plain"}},
        .body = "The server gave no answer.\n"});  // does nothing once started
  Abort();                                         // does nothing once ended
}

void Exchange::OnClose(std::function<void()> callback) {
  {
    std::lock_guard lock(mutex_);
    if (stage_ == Stage::kEnded) return;
    if (!closed_ && !cancelled_) {
      on_close_.push_back(std::move(callback));
      return;
    }
  }
  callback();
}

bool Exchange::open() const {
  std::lock_guard lock(mutex_);
  return !closed_ && !overflowed_;
}

bool Exchange::stopped() const {
  std::lock_guard lock(mutex_);
  return stopped_;
}

Exchange::Output Exchange::Take() {
  std::lock_guard lock(mutex_);
  Output output;
  woken_ = false;
  output.last = stage_ == Stage::kEnded;
  output.bytes.swap(pending_);
  in_flight_bytes_ += output.bytes.size();
  return output;
}

void Exchange::Ping() {
  std::lock_guard lock(mutex_);
  if (!closed_ && !overflowed_ && stage_ == Stage::kStreaming) AppendChunk(ping_);
}

bool Exchange::overflowed() const {
  std::lock_guard lock(mutex_);
  return overflowed_;
}

void Exchange::MarkSent(size_t bytes) {
  std::lock_guard lock(mutex_);
  in_flight_bytes_ -= bytes;
  TellFull();
}

void Exchange::Close(bool by_server) {
  std::vector<std::function<void()>> callbacks;
  std::function<void()> wake;  // may hold the connection: destroyed after the lock
  std::function<void(bool)> full;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = true;
    stopped_ = by_server;
    callbacks.swap(on_close_);
    full.swap(on_full_);
    wake.swap(wake_);
    pending_.clear();
  }
  for (const auto& callback : callbacks) callback();
}

void Exchange::Cancel() {
  std::vector<std::function<void()>> callbacks;
  {
    std::lock_guard lock(mutex_);
    cancelled_ = true;
    callbacks.swap(on_close_);
  }
  for (const auto& callback : callbacks) callback();
}

bool Exchange::keep_alive() const {
  std::lock_guard lock(mutex_);
  return KeepsAlive();
}

bool Exchange::KeepsAlive() const {
  return keep_alive_ && (options_.draining == nullptr || !*options_.draining);
}

void Exchange::AppendHead(const HttpResponse& response, bool streaming) {
  auto out = std::back_inserter(pending_);
  fmt::format_to(out, "HTTP/1.1 {} {}\r\ndate: {}\r\n", response.status,
                 HttpReason(response.status), HttpDate());
  for (const auto& [name, value] : response.headers.entries()) {
    if (IsFraming(name)) continue;
    pending_ += Clean(name);
    pending_ += ": ";
    pending_ += Clean(value);
    pending_ += "\r\n";
  }
  if (!streaming) {
    fmt::format_to(out, "content-length: {}\r\n", response.body.size());
  } else if (!options_.http10) {
    pending_ += "transfer-encoding: chunked\r\n";
  }
  if (!KeepsAlive()) {
    pending_ += "connection: close\r\n";
  } else if (options_.http10) {
    pending_ += "connection: keep-alive\r\n";
  }
  pending_ += "\r\n";
}

void Exchange::AppendChunk(std::string_view chunk) {
  if (chunk.empty() || options_.head) return;  // an empty chunk would end the stream
  if (!Chunked()) {
    pending_ += chunk;
    return;
  }
  fmt::format_to(std::back_inserter(pending_), "{:x}\r\n", chunk.size());
  pending_ += chunk;
  pending_ += "\r\n";
}

void Exchange::End() {
  stage_ = Stage::kEnded;
  Wake();
}

void Exchange::Wake() {
  if (woken_) return;
  woken_ = true;
  wake_();
}

std::shared_ptr<ResponseWriter> MakeResponseWriter(std::shared_ptr<Exchange> exchange) {
  return std::make_shared<Writer>(std::move(exchange));
}

}  // namespace aio
