#include "http/connection.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/defer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>
#include <new>
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
// Read at a time: between requests and in heads, and in long bodies.
constexpr size_t kReadBytes = 4 << 10;
constexpr size_t kBodyReadBytes = 64 << 10;
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

// Whether a line of the incomplete `head` ends by LF alone. The parser finds that out or waits for
// an end that never comes, by where reads happened to cut.
bool HasBareLf(std::string_view head) {
  for (size_t at = head.find('\n'); at != head.npos; at = head.find('\n', at + 1)) {
    if (at == 0 || head[at - 1] != '\r') return true;
  }
  return false;
}

// Whether `rest`, of a chunked body, may be a last chunk that has not come whole. The parser takes
// for granted that all of "0\r\n\r\n" is there when it looks at one for the second time, and stops
// the program otherwise.
bool MayBeCutLastChunk(const HttpParser& parser, std::string_view rest) {
  constexpr size_t kLastChunkBytes = 5;
  if (!parser.is_header_done() || !parser.chunked() || rest.size() >= kLastChunkBytes) return false;
  if (rest.starts_with("\r\n")) rest.remove_prefix(2);
  return rest.starts_with('0');
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
      event_(socket_.get_executor()) {
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
  Wake();
}

asio::awaitable<bool> Connection::Wait(Duration time) {
  event_.expires_after(OrForever(time));
  const auto [error] = co_await event_.async_wait(kToken);
  co_return error == asio::error::operation_aborted;
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

void Connection::StartRead(size_t bytes) {
  if (reading_ || input_ended_ || !socket_.is_open()) return;
  reading_ = true;
  if (landing_.size() != bytes) {
    landing_ = std::string();  // not to hold on to a body's
    landing_.resize(bytes);
  }
  stream_.async_read_some(
      asio::buffer(landing_),
      asio::bind_executor(socket_.get_executor(),
                          [self = shared_from_this()](const error_code& error, size_t read) {
                            self->OnRead(error, read);
                          }));
}

void Connection::OnRead(const error_code& error, size_t bytes) {
  reading_ = false;
  try {
    input_.commit(asio::buffer_copy(input_.prepare(bytes), asio::buffer(landing_)));
  } catch (const std::bad_alloc&) {
    return CloseSocket();
  }
  if (error) {
    input_ended_ = true;
    // An answer that is being written by TLS hears of nothing else.
    error_code ignored;
    if (serving_ && stream_.is_tls()) socket_.cancel(ignored);
  } else if (serving_ && input_.size() < kPipelinedBytesMax) {
    StartRead(kReadBytes);  // nobody waits for what follows a request, but for the client's end
  }
  Wake();
}

std::string_view Connection::input() const {
  return {static_cast<const char*>(input_.data().data()), input_.size()};
}

asio::awaitable<bool> Connection::WaitForFirstByte() {
  // A client that connects and says nothing is no better than one that says half.
  const Duration patience = served_any_ ? options_.idle_timeout : options_.header_timeout;
  const TimePoint deadline = std::chrono::steady_clock::now() + OrForever(patience);
  idle_ = true;
  while (true) {
    // Empty lines before a request are nothing (RFC 9112, 2.2).
    while (input().starts_with("\r\n")) input_.consume(2);
    if (input_.size() > 0 && input() != "\r") break;
    StartRead(kReadBytes);
    const Duration left = deadline - std::chrono::steady_clock::now();
    if (input_ended_ || !socket_.is_open() || left <= Duration::zero()) co_return false;
    co_await Wait(left);
  }
  idle_ = false;
  co_return true;
}

asio::awaitable<Connection::Parsed> Connection::Parse(HttpParser& parser, TimePoint deadline) {
  while (true) {
    error_code error;
    const size_t used = MayBeCutLastChunk(parser, input()) ? 0 : parser.put(input_.data(), error);
    input_.consume(used);
    const bool whole = parser.is_done() || (!parser.eager() && parser.is_header_done());
    if (!error && whole) co_return Parsed::kDone;
    if (!error && used > 0) continue;
    if (!error) error = http::error::need_more;
    if (error == http::error::need_more && !parser.is_header_done() && HasBareLf(input())) {
      error = http::error::bad_line_ending;
    }
    if (error == http::error::need_more && input_ended_) error = http::error::partial_message;
    if (error != http::error::need_more) {
      parse_fault_ = error;
      co_return Parsed::kFault;
    }
    // What is left of a body is a chunk's line or the trailer: the parser bounds neither.
    if (parser.is_header_done() && input_.size() > options_.header_bytes_max) {
      parse_fault_ = http::error::header_limit;
      co_return Parsed::kFault;
    }
    StartRead(parser.is_header_done() ? kBodyReadBytes : kReadBytes);
    const Duration left = deadline - std::chrono::steady_clock::now();
    if (left <= Duration::zero()) co_return Parsed::kTimeout;
    co_await Wait(left);
  }
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
  parser.eager(false);
  const TimePoint deadline = std::chrono::steady_clock::now() + OrForever(options_.header_timeout);
  const Parsed parsed = co_await Parse(parser, deadline);
  if (parsed == Parsed::kTimeout) co_return Refusal{408, "The request's headers took too long."};
  if (parsed == Parsed::kFault) co_return Judge(parse_fault_);
  const int status = Unservable(parser);
  if (status == 0) co_return std::nullopt;
  co_return Refusal{status, status == 400 ? "The request must have one Host header, and only one "
                                            "Content-Length or Transfer-Encoding."
                                          : "The only transfer coding supported is 'chunked'."};
}

asio::awaitable<std::optional<Connection::Reading>> Connection::ReadBody(HttpParser& parser) {
  if (parser.is_done()) co_return std::nullopt;
  const TimePoint deadline = std::chrono::steady_clock::now() + OrForever(options_.body_timeout);
  // Who sends the body without waiting needs no leave; HTTP/1.0 knows of none.
  const bool expects = boost::beast::iequals(parser.get()[http::field::expect], "100-continue");
  if (expects && parser.get().version() >= 11) {
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    const auto sent = co_await (
        asio::async_write(stream_, asio::buffer(kContinue.data(), kContinue.size()), kToken) ||
        Expire(options_.write_timeout));
    if (sent.index() == 1 || std::get<0>(std::get<0>(sent))) co_return Closed{};
  }
  parser.eager(true);
  const Parsed parsed = co_await Parse(parser, deadline);
  if (parsed == Parsed::kTimeout) co_return Refusal{408, "The request's body took too long."};
  if (parsed == Parsed::kFault) co_return Judge(parse_fault_);
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
    // If this is an I/O thread, it writes itself when it has ended what it does: none is woken.
    asio::defer(self->socket_.get_executor(), [self] { self->OnOutput(); });
  });
}

void Connection::OnOutput() {
  if (exchange_ != nullptr && exchange_->overflowed()) CloseSocket();
  has_output_ = true;
  Wake();
}

asio::awaitable<bool> Connection::Serve(Incoming incoming) {
  // Whatever way this ends, the handler hears of it and the count is right.
  struct Bracket {
    Connection& connection;
    ~Bracket() {
      connection.serving_ = false;
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
    serving_ = true;
    if (input_.size() == 0)
      input_.shrink_to_fit();  // a stream may be long, and have many beside it
    host_.Handle(std::move(incoming.request), MakeResponseWriter(exchange_));
    if (input_.size() < kPipelinedBytesMax) StartRead(kReadBytes);
    whole = co_await WriteAnswer(*exchange_);
    keep_alive = exchange_->keep_alive();
  }
  if (!whole || input_ended_) co_return false;
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
  TimePoint next_ping = std::chrono::steady_clock::now() + OrForever(options_.ping_interval);
  while (true) {
    has_output_ = false;
    Exchange::Output output = exchange.Take();
    const bool had_output = !output.bytes.empty();
    if (had_output && !co_await WriteAll(exchange, std::move(output.bytes))) co_return false;
    if (output.last) co_return true;
    const TimePoint now = std::chrono::steady_clock::now();
    if (had_output) next_ping = now + OrForever(options_.ping_interval);
    if (has_output_) continue;
    if (!socket_.is_open() || (serving_ && input_ended_)) co_return false;
    // A flood of further requests: they wait unread, and the client's end behind them.
    const bool is_deaf = serving_ && !reading_;
    if (is_deaf && HasHungUp(socket_.native_handle())) co_return false;
    const Duration silence = next_ping - now;
    if (silence > Duration::zero()) {
      co_await Wait(is_deaf ? std::min(silence, kHangUpInterval) : silence);
    } else {
      exchange.Ping();
      next_ping = now + OrForever(options_.ping_interval);
    }
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
    } else if (error != asio::error::would_block || !co_await WaitForRoom()) {
      co_return false;
    }
  }
  co_return true;
}

asio::awaitable<bool> Connection::WaitForRoom() {
  const TimePoint deadline = std::chrono::steady_clock::now() + OrForever(options_.write_timeout);
  auto has_room = std::make_shared<bool>(false);  // the wait may outlive this
  socket_.async_wait(socket_.wait_write,
                     asio::bind_executor(socket_.get_executor(),
                                         [self = shared_from_this(), has_room](const error_code&) {
                                           *has_room = true;
                                           self->Wake();
                                         }));
  while (!*has_room) {
    const bool is_deaf = serving_ && !reading_;
    if (!socket_.is_open() || (serving_ && input_ended_)) co_return false;
    if (is_deaf && HasHungUp(socket_.native_handle())) co_return false;
    const Duration left = deadline - std::chrono::steady_clock::now();
    if (left <= Duration::zero()) co_return false;
    co_await Wait(is_deaf ? std::min(left, kHangUpInterval) : left);
  }
  co_return socket_.is_open();
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

asio::awaitable<void> Connection::Linger() {
  error_code error;
  if (reading_) socket_.cancel(error);  // what it would read is of no use any more
  while (reading_) co_await Wait(kLinger);
  // So that the client can tell the end from a cut: to be told its own is not worth a fault.
  if (stream_.is_tls()) co_await (stream_.tls().async_shutdown(kToken) || Expire(kLinger));
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
