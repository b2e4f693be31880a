// An HTTP/1.1 server for long answers: streams are written chunk by chunk from any thread,
// and a client that vanishes is noticed even while nothing is being written to it.
//
// Threads: IoThreads run all connections. The handler is called on one of them
// and must not block: it hands the work on and answers later through the ResponseWriter,
// whose methods may be called from any thread.
#ifndef AIO_HTTP_HTTP_SERVER_H_
#define AIO_HTTP_HTTP_SERVER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/status.h"
#include "http/http_message.h"

namespace aio {

class IoThreads;

// PEM files: the certificate with those of its issuers below, and its private key.
struct TlsFiles {
  std::string certificate;
  std::string key;

  friend bool operator==(const TlsFiles&, const TlsFiles&) = default;
};

// That a server could use them; see HttpServer::SetTls().
Status CheckTlsFiles(const TlsFiles& files);

// Every limit of a server. The defaults suit a server of chat requests behind no proxy.
struct HttpServerOptions {
  std::shared_ptr<IoThreads> io = nullptr;  // shared with others; null: its own
  int io_threads = 2;                       // of its own
  int connections_max = 1024;               // further clients wait in the listen queue
  size_t header_bytes_max = 16 << 10;       // request line and headers; beyond: 431
  size_t body_bytes_max = 4 << 20;          // beyond: 413, without reading it
  size_t buffered_bytes_max = 4 << 20;      // unsent bytes a connection may hold; beyond: dropped
  Duration header_timeout = std::chrono::seconds(10);   // first byte to end of headers; then 408
  Duration body_timeout = std::chrono::seconds(60);     // end of headers to end of body; then 408
  Duration idle_timeout = std::chrono::seconds(75);     // between requests; then closed
  Duration write_timeout = std::chrono::seconds(60);    // no byte accepted for so long: dropped
  Duration ping_interval = std::chrono::seconds(15);    // of silence in a stream that has pings
  Duration farewell_timeout = std::chrono::seconds(1);  // for answers cancelled by Drain()
  std::optional<TlsFiles> tls;                          // absent: in the clear
  // Renders the errors that arise before a handler is called (400, 408, 413, ...) or because
  // it threw (500); the default is plain text.
  std::function<HttpResponse(int status, std::string_view message, std::string_view remote_address)>
      render_error;
};

// The answer to one request. Exactly one of Send() and Start()...Finish(); calls after the
// end, or after the client has gone, do nothing. Dropping the last reference without
// having finished closes the connection (a started stream) or answers 500.
//
// Thread-safe; never blocks. One thread at a time should write, or the order is unknown.
class ResponseWriter {
 public:
  virtual ~ResponseWriter() = default;

  virtual void Send(HttpResponse response) = 0;

  // Sends status and headers; the body follows in chunks. `response.body`, if any, is the
  // first chunk. `ping`, if any, is sent as a chunk after each `ping_interval` without
  // another, so that no proxy takes a long thought for a dead connection.
  virtual void Start(HttpResponse response, std::string ping) = 0;
  void Start(HttpResponse response) { Start(std::move(response), ""); }
  virtual void Write(std::string chunk) = 0;
  virtual void Finish() = 0;
  // Ends a started stream by closing the connection without the final chunk, so that the
  // client can tell that the answer is not whole.
  virtual void Abort() = 0;

  // `callback` runs once, on an io thread, if the connection ends before the answer is
  // complete: the client vanished, was too slow, or the server stopped; or if it is about to,
  // at the end of Drain()'s time. If that has already happened it runs at once on the calling
  // thread.
  virtual void OnClose(std::function<void()> callback) = 0;

  // `callback` is told when a client reads so slowly that a quarter of
  // HttpServerOptions::buffered_bytes_max waits for it (true), and when half of that is gone
  // (false), so that who writes may let its source wait. From any thread, under a lock of the
  // answer's: it must only post, and must not write.
  virtual void OnFull(std::function<void(bool full)> callback) = 0;

  // False once nothing more can reach the client.
  virtual bool open() const = 0;
  // Of an answer no longer open: whether the server stopped; else the client left, or read too
  // slowly.
  virtual bool stopped() const = 0;
};

using HttpHandler =
    std::function<void(HttpRequest request, std::shared_ptr<ResponseWriter> response)>;

class HttpServer {
 public:
  explicit HttpServer(HttpServerOptions options = {});
  ~HttpServer();  // Stop()
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Binds, listens and starts the io threads; once. `port` 0 takes any free port. Fails if the TLS
  // files will not do, with
  // kUnavailable and a message that names address and mend if the address cannot be bound.
  Status Start(const std::string& host, int port, HttpHandler handler);

  // Of a server with TLS: connections from now on have this certificate. On failure the old one
  // stays; see LoadTlsContext() for the reasons.
  Status SetTls(const TlsFiles& files);

  // The port bound; 0 before Start().
  int port() const;

  // Stops accepting, lets running requests finish for at most `timeout`, runs the OnClose
  // callbacks of the others, which have `farewell_timeout` to end with an error, then stops.
  // True if every request had finished in time. Blocks; not to be called from a handler.
  bool Drain(Duration timeout);

  // Closes everything now (OnClose callbacks run) and joins the io threads. Idempotent.
  void Stop();

  // Requests being read by a handler or answered, for tests and gauges.
  int active_requests() const;
  int connections() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aio

#endif  // AIO_HTTP_HTTP_SERVER_H_
