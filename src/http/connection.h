// One client's connection: reads requests one after the other, hands each to the handler and
// sends its answer, watching all the while whether the client is still there.
//
// Everything runs on the connection's strand, but for what Exchange says of itself. One coroutine
// lives the connection's life; whatever it waits for (bytes, output, room to write, a time) wakes
// it by the one timer event_. Reading goes on beside it, so that a client's end is heard of while
// its answer is written, and costs nothing extra when the next request comes.
// Internal to http/: includes Asio.
#ifndef AIO_HTTP_CONNECTION_H_
#define AIO_HTTP_CONNECTION_H_

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "http/client_stream.h"
#include "http/exchange.h"
#include "http/http_message.h"
#include "http/http_server.h"

namespace aio {

using HttpParser = boost::beast::http::request_parser<boost::beast::http::string_body>;

// What connections share with their server; outlives them.
class ConnectionHost {
 public:
  virtual ~ConnectionHost() = default;
  virtual const HttpServerOptions& options() const = 0;
  virtual std::shared_ptr<const std::atomic<bool>> draining() const = 0;
  virtual void Handle(HttpRequest request, std::shared_ptr<ResponseWriter> response) = 0;
  // Brackets the life of each request handed to Handle().
  virtual void RequestBegan() = 0;
  virtual void RequestEnded() = 0;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // `socket`'s executor is a strand. With `tls` the connection begins with its handshake.
  Connection(boost::asio::ip::tcp::socket socket, std::shared_ptr<ClientStream::Context> tls,
             ConnectionHost& host);

  // The connection's whole life.
  boost::asio::awaitable<void> Run();

  // The next three from any thread; they post.
  void Close();
  void CancelRequest();  // see Exchange::Cancel()
  void CloseIfIdle();    // no request runs or has begun to arrive

 private:
  // What came of reading a request.
  struct Closed {};  // nothing to answer: the client left, or idled too long
  struct Refusal {   // to be answered and the connection closed
    int status;
    std::string message;
  };
  struct Incoming {
    HttpRequest request;
    ExchangeOptions options;
  };
  using Reading = std::variant<Closed, Refusal, Incoming>;

  // False if it fails; true without TLS.
  boost::asio::awaitable<bool> Handshake();
  boost::asio::awaitable<Reading> ReadRequest();
  boost::asio::awaitable<bool> WaitForFirstByte();
  // The next two: nothing, or why there is no request.
  boost::asio::awaitable<std::optional<Reading>> ReadHeader(HttpParser& parser);
  boost::asio::awaitable<std::optional<Reading>> ReadBody(HttpParser& parser);
  // Until the parser has what it wants of `input_`, at most until `deadline`.
  enum class Parsed { kDone, kFault, kTimeout };
  boost::asio::awaitable<Parsed> Parse(HttpParser& parser, TimePoint deadline);
  // True if the next request may follow.
  boost::asio::awaitable<bool> Serve(Incoming incoming);
  boost::asio::awaitable<void> Refuse(Refusal refusal);
  // True once the whole answer is sent, false if it cannot be.
  boost::asio::awaitable<bool> WriteAnswer(Exchange& exchange);
  boost::asio::awaitable<bool> WriteAll(Exchange& exchange, std::string bytes);
  boost::asio::awaitable<bool> WaitForRoom();
  boost::asio::awaitable<bool> WriteAllByTls(Exchange& exchange, std::string_view rest);
  boost::asio::awaitable<void> Linger();
  boost::asio::awaitable<void> ReadToEnd();

  std::string_view input() const;  // what is in input_
  // Reads into input_, one piece; nothing if that is under way, or the input has ended.
  void StartRead(size_t bytes);
  void OnRead(const boost::system::error_code& error, size_t bytes);
  // Waits for Wake(); false if `time` passes first.
  boost::asio::awaitable<bool> Wait(Duration time);
  void Wake() { event_.cancel(); }
  boost::asio::awaitable<void> Expire(Duration after);
  std::shared_ptr<Exchange> MakeExchange(ExchangeOptions options);
  void OnOutput();
  Reading Judge(const boost::system::error_code& error) const;
  void CloseSocket();

  ClientStream stream_;
  ClientStream::Socket& socket_;  // the stream's
  ConnectionHost& host_;
  const HttpServerOptions& options_;
  boost::asio::steady_timer event_;
  boost::beast::flat_buffer input_;  // read, not yet parsed
  std::string landing_;              // where the read that is under way puts its bytes
  bool reading_ = false;
  bool input_ended_ = false;               // the client has closed, or the connection broke
  boost::system::error_code parse_fault_;  // of the last Parsed::kFault
  bool has_output_ = false;
  bool idle_ = true;  // between requests
  bool served_any_ = false;
  bool serving_ = false;  // a request is being answered
  std::string remote_address_;
  std::shared_ptr<Exchange> exchange_;  // the request being answered, or null
};

}  // namespace aio

#endif  // AIO_HTTP_CONNECTION_H_
