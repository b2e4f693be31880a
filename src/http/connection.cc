#include "http/connection.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>
#include <utility>

namespace aio {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using namespace asio::experimental::awaitable_operators;  // NOLINT: co_await (a || b)

namespace {

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);

// Bytes of further requests that are read while one is being answered; beyond this the
// client waits.
constexpr size_t kPipelinedBytesMax = 64 << 10;
constexpr size_t kReadBytes = 4 << 10;
// How long a client may take to read the last answer and close, so that closing with
// unread bytes does not destroy the answer on its way.
constexpr Duration kLinger = std::chrono::seconds(2);
// How often to look whether a client has left whose further requests wait unread.
constexpr Duration kHangUpInterval = std::chrono::seconds(1);

// Whether the client has closed, even if bytes it sent before are still unread.
bool HasHungUp(int socket) {
  pollfd state{.fd = socket, .events = POLLRDHUP, .revents = 0};
  return ::poll(&state, 1, 0) > 0;
}

Duration OrForever(Duration d) { return d > Duration::zero() ? d : std::chrono::hours(24 * 365); }

HttpRequest Convert(const HttpParser& parser, const std::string& remote_address) {
  const auto& message = parser.get();
  HttpRequest request;
  request.method = std::string(message.method_string());
  std::string_view target(message.target().data(), message.target().size());
  if (target.starts_with("http://") || target.starts_with("https://")) {  // as to a proxy
    const size_t authority = target.find("//") + 2;
    target.remove_prefix(std::min(target.size(), target.find_first_of("/?", authority)));
  }
  const size_t question = target.find('?');
  request.path = question == 0 || target.empty() ? "/" : std::string(target.substr(0, question));
  if (question != target.npos) request.query = std::string(target.substr(question + 1));
  for (const auto& field : message) {
    request.headers.Add(std::string(field.name_string()), std::string(field.value()));
  }
  request.body = message.body();
  request.remote_address = remote_address;
  return request;
}

// Why a request whose headers are whole cannot be served, as a status; 0 if it can.
int Unservable(const HttpParser& parser) {
  const auto& message = parser.get();
  if (message.version() >= 11 && message.count(http::field::host) != 1) return 400;
  // A host with a space has swallowed the line below, by folding.
  if (message[http::field::host].find(' ') != boost::beast::string_view::npos) return 400;
  // Lists of equal lengths are allowed, and never sent in good faith.
  if (message.count(http::field::content_length) > 1 ||
      message[http::field::content_length].find(',') != boost::beast::string_view::npos) {
    return 400;
  }
  if (message.count(http::field::transfer_encoding) == 0) return 0;
  // Any other coding, or both framings at once, is how requests are smuggled past proxies.
  if (message.count(http::field::content_length) > 0) return 400;
  const bool chunked = boost::beast::iequals(message[http::field::transfer_encoding], "chunked") &&
                       message.count(http::field::transfer_encoding) == 1 &&
                       message.version() >= 11;
  return chunked ? 0 : 501;
}

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, std::shared_ptr<ClientStream::Context> tls,
                       ConnectionHost& host)
    : stream_(std::move(socket), std::move(tls)),
      socket_(stream_.socket()),
      host_(host),
      options_(host.options()),
      buffer_(host.options().header_bytes_max + kPipelinedBytesMax + kReadBytes),
      output_ready_(socket_.get_executor()) {
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  const auto remote = socket_.remote_endpoint(ignored);
  remote_address_ = fmt::format("{}:{}", remote.address().to_string(), remote.port());
}

asio::awaitable<void> Connection::Run() {
  bool more = co_await Handshake();
  while (more && socket_.is_open()) {
    Reading reading = co_await ReadRequest();
    more = false;
    if (auto* incoming = std::get_if<Incoming>(&reading)) {
      more = co_await Serve(std::move(*incoming));
    } else if (auto* refusal = std::get_if<Refusal>(&reading)) {
      co_await Refuse(*refusal);
    }
  }
  CloseSocket();
}

void Connection::Close() {
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    if (self->exchange_ != nullptr) self->exchange_->Close(/*by_server=*/true);
    self->CloseSocket();
  });
}

void Connection::CancelRequest() {
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    if (self->exchange_ != nullptr) self->exchange_->Cancel();
  });
}

void Connection::CloseIfIdle() {
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    if (self->idle_) self->CloseSocket();
  });
}

void Connection::CloseSocket() {
  error_code ignored;
  socket_.close(ignored);
}

asio::awaitable<void> Connection::Expire(Duration after) {
  asio::steady_timer timer(socket_.get_executor());
  timer.expires_after(OrForever(after));
  co_await timer.async_wait(kToken);
}

asio::awaitable<bool> Connection::Handshake() {
  if (!stream_.is_tls()) co_return true;
  auto result = co_await (stream_.tls().async_handshake(asio::ssl::stream_base::server, kToken) ||
                          Expire(options_.header_timeout));
  co_return result.index() == 0 && !std::get<0>(std::get<0>(result));
}

// --- Reading ---------------------------------------------------------------------------

asio::awaitable<bool> Connection::WaitForFirstByte() {
  if (buffer_.size() > 0) co_return true;  // pipelined
  // A client that connects and says nothing is no better than one that says half.
  const Duration patience = served_any_ ? options_.idle_timeout : options_.header_timeout;
  idle_ = true;
  auto result =
      co_await (stream_.async_read_some(buffer_.prepare(kReadBytes), kToken) || Expire(patience));
  idle_ = false;
  if (result.index() == 1) co_return false;
  const auto [error, bytes] = std::get<0>(result);
  buffer_.commit(bytes);
  co_return !error;
}

Connection::Reading Connection::Judge(const error_code& error) const {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return Refusal{431, fmt::format("The request's headers are larger than {} bytes.",
                                    options_.header_bytes_max)};
  }
  if (error == http::error::body_limit) {
    return Refusal{
        413, fmt::format("The request body is larger than {} bytes.", options_.body_bytes_max)};
  }
  const bool malformed = error.category() == make_error_code(http::error::bad_value).category() &&
                         error != http::error::end_of_stream &&
                         error != http::error::partial_message;
  if (!malformed) return Closed{};
  return Refusal{400, fmt::format("The request is not well-formed HTTP: {}.", error.message())};
}

asio::awaitable<std::optional<Connection::Reading>> Connection::ReadHeader(HttpParser& parser) {
  auto result = co_await (http::async_read_header(stream_, buffer_, parser, kToken) ||
                          Expire(options_.header_timeout));
  if (result.index() == 1) co_return Refusal{408, "The request's headers took too long."};
  const auto [error, bytes] = std::get<0>(result);
  if (error) co_return Judge(error);
  const int status = Unservable(parser);
  if (status == 0) co_return std::nullopt;
  co_return Refusal{status, status == 400 ? "The request must have one Host header, and only one "
                                            "Content-Length or Transfer-Encoding."
                                          : "The only transfer coding supported is 'chunked'."};
}

asio::awaitable<std::optional<Connection::Reading>> Connection::ReadBody(HttpParser& parser) {
  if (parser.is_done()) co_return std::nullopt;
  if (boost::beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    const auto sent = co_await (
        asio::async_write(stream_, asio::buffer(kContinue.data(), kContinue.size()), kToken) ||
        Expire(options_.write_timeout));
    if (sent.index() == 1 || std::get<0>(std::get<0>(sent))) co_return Closed{};
  }
  auto result = co_await (http::async_read(stream_, buffer_, parser, kToken) ||
                          Expire(options_.body_timeout));
  if (result.index() == 1) co_return Refusal{408, "The request's body took too long."};
  const auto [error, bytes] = std::get<0>(result);
  if (error) co_return Judge(error);
  co_return std::nullopt;
}

asio::awaitable<Connection::Reading> Connection::ReadRequest() {
  if (!co_await WaitForFirstByte()) co_return Closed{};
  HttpParser parser;
  parser.header_limit(static_cast<uint32_t>(options_.header_bytes_max));
  parser.body_limit(options_.body_bytes_max);
  if (auto fault = co_await ReadHeader(parser)) co_return std::move(*fault);
  if (auto fault = co_await ReadBody(parser)) co_return std::move(*fault);
  served_any_ = true;
  const auto& message = parser.get();
  co_return Incoming{.request = Convert(parser, remote_address_),
                     .options = {.head = message.method() == http::verb::head,
                                 .http10 = message.version() < 11,
                                 .keep_alive = message.keep_alive(),
                                 .buffered_bytes_max = options_.buffered_bytes_max}};
}

// --- Answering -------------------------------------------------------------------------

std::shared_ptr<Exchange> Connection::MakeExchange(ExchangeOptions options) {
  options.draining = host_.draining();
  return std::make_shared<Exchange>(std::move(options), [self = shared_from_this()] {
    asio::post(self->socket_.get_executor(), [self] { self->OnOutput(); });
  });
}

void Connection::OnOutput() {
  if (exchange_ != nullptr && exchange_->overflowed()) CloseSocket();
  has_output_ = true;
  output_ready_.cancel();
}

asio::awaitable<bool> Connection::Serve(Incoming incoming) {
  // Whatever way this ends, the handler hears of it and the count is right.
  struct Bracket {
    Connection& connection;
    ~Bracket() {
      const std::shared_ptr<Exchange> exchange = std::move(connection.exchange_);
      exchange->Close();
      connection.host_.RequestEnded();
    }
  };
  bool whole = false;
  bool keep_alive = false;
  {
    exchange_ = MakeExchange(incoming.options);
    host_.RequestBegan();
    const Bracket bracket{*this};
    host_.Handle(std::move(incoming.request), MakeResponseWriter(exchange_));
    const auto first = co_await (WriteAnswer(*exchange_) || WatchClient());
    whole = first.index() == 0 && std::get<0>(first);
    keep_alive = exchange_->keep_alive();
  }
  if (!whole || client_gone_) co_return false;
  if (!keep_alive) co_await Linger();
  co_return keep_alive;
}

asio::awaitable<void> Connection::Refuse(Refusal refusal) {
  const std::shared_ptr<Exchange> exchange = MakeExchange({});
  exchange->Send(options_.render_error(refusal.status, refusal.message, remote_address_));
  const bool sent = co_await WriteAnswer(*exchange);
  exchange->Close();
  if (sent) co_await Linger();
}

asio::awaitable<bool> Connection::WriteAnswer(Exchange& exchange) {
  while (true) {
    has_output_ = false;
    Exchange::Output output = exchange.Take();
    if (!co_await WriteAll(exchange, std::move(output.bytes))) co_return false;
    if (output.last) co_return true;
    if (has_output_) continue;
    output_ready_.expires_after(OrForever(options_.ping_interval));
    const auto [error] = co_await output_ready_.async_wait(kToken);
    if (!error) exchange.Ping();  // nobody woke us
  }
}

asio::awaitable<bool> Connection::WriteAll(Exchange& exchange, std::string bytes) {
  std::string_view rest = bytes;
  if (stream_.is_tls()) co_return co_await WriteAllByTls(exchange, rest);
  while (!rest.empty()) {
    error_code error;
    const size_t sent = socket_.write_some(asio::buffer(rest.data(), rest.size()), error);
    if (!error) {
      exchange.MarkSent(sent);
      rest.remove_prefix(sent);
      continue;
    }
    if (error != asio::error::would_block) co_return false;
    auto result =
        co_await (socket_.async_wait(socket_.wait_write, kToken) || Expire(options_.write_timeout));
    if (result.index() == 1 || std::get<0>(std::get<0>(result))) co_return false;
  }
  co_return true;
}

asio::awaitable<bool> Connection::WriteAllByTls(Exchange& exchange, std::string_view rest) {
  while (!rest.empty()) {
    auto result =
        co_await (stream_.async_write_some(asio::buffer(rest.data(), rest.size()), kToken) ||
                  Expire(options_.write_timeout));
    if (result.index() == 1) co_return false;
    const auto [error, sent] = std::get<0>(result);
    if (error) co_return false;
    exchange.MarkSent(sent);
    rest.remove_prefix(sent);
  }
  co_return true;
}

asio::awaitable<void> Connection::WatchClient() {
  while (buffer_.size() < kPipelinedBytesMax) {
    const auto [error, bytes] =
        co_await stream_.async_read_some(buffer_.prepare(kReadBytes), kToken);
    buffer_.commit(bytes);
    if (!error) continue;
    // Told once only: whoever reads after this would wait for an end that has come already.
    client_gone_ = error != asio::error::operation_aborted;
    co_return;
  }
  // A flood of further requests: they wait unread, and the client's end behind them.
  while (!HasHungUp(socket_.native_handle())) {
    const auto first =
        co_await (socket_.async_wait(socket_.wait_error, kToken) || Expire(kHangUpInterval));
    if (first.index() == 0) break;  // a reset, or CloseSocket()
  }
  client_gone_ = HasHungUp(socket_.native_handle());
}

asio::awaitable<void> Connection::Linger() {
  // So that the client can tell the end from a cut: to be told its own is not worth a fault.
  if (stream_.is_tls()) co_await (stream_.tls().async_shutdown(kToken) || Expire(kLinger));
  error_code error;
  socket_.shutdown(socket_.shutdown_send, error);
  if (!error) co_await (ReadToEnd() || Expire(kLinger));
}

asio::awaitable<void> Connection::ReadToEnd() {
  std::string discarded(64 << 10, '\0');
  while (true) {
    const auto [error, bytes] = co_await socket_.async_read_some(asio::buffer(discarded), kToken);
    if (error) co_return;
  }
}

}  // namespace aio
