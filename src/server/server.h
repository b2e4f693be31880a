// The HTTP front of A-IO: the OpenAI API over one Backend, which may be a Router, an engine
// or a test's fake; the server cannot tell and does not ask.
//
//   POST /v1/chat/completions   POST /v1/completions    POST /v1/responses
//   POST /v1/messages[/count_tokens]                    POST /v1/embeddings
//   POST /tokenize /detokenize /apply-template          GET  /props /slots
//   POST /v1/decision
//   POST /v1/feedback           GET  /v1/models[/{id}]  GET  /health /ready /metrics
//
// The life of a server: Create() -> Start() -> [BeginDrain()] -> Drain() or Stop().
#ifndef AIO_SERVER_SERVER_H_
#define AIO_SERVER_SERVER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/feedback_request.h"
#include "backend/backend.h"
#include "base/clock.h"
#include "base/status.h"
#include "http/http_message.h"
#include "http/http_server.h"
#include "server/metric_reading.h"
#include "telemetry/log_format.h"

namespace spdlog {
class logger;
}

namespace aio {

class AccessControl;  // access/access_control.h
class Tracer;         // telemetry/tracer.h

// Takes what a client thinks of an answer. `done` is called once, from any thread, perhaps after
// this has returned; its Status is the client's answer: kNotFound for an id that is not known.
using FeedbackHandler =
    std::function<void(const FeedbackRequest& feedback, std::function<void(const Status&)> done)>;

// A GET route that the server itself knows nothing of: a page, or what it asks for.
struct ServerPage {
  std::string path;      // "/", "/v1/aio/live"
  bool is_open = false;  // asks for no API key; else for an administrator's
  // Called on the server's threads; must not block, nor throw.
  std::function<HttpResponse(const HttpRequest& request)> respond;
};

// Of ServerOptions::host: nobody but this machine can reach it.
bool IsLoopback(std::string_view host);

struct ServerOptions {
  std::string host = "127.0.0.1";
  int port = 8080;      // 0: any free port
  std::string api_key;  // if set, /v1/* and /metrics ask for "Authorization: Bearer <api_key>"
  // In place of `api_key`: many keys, which may change while the server runs. May be null.
  std::shared_ptr<AccessControl> access;
  // Of the pages that browsers may let ask, such as "https://chat.example.org"; "*": all.
  std::vector<std::string> cors_origins;
  Duration request_timeout{};  // a request's deadline, counted from its arrival; 0: none
  // How long Drain() leaves the port open, so that load balancers find /ready at 503.
  Duration drain_notice = std::chrono::seconds(1);
  HttpServerOptions http;  // `render_error` is the server's own
  // Must not block. Outlives the server, like the backend. Empty: POST /v1/feedback answers 501.
  FeedbackHandler feedback;
  std::vector<MetricSource> metric_sources;  // likewise
  std::vector<ServerPage> pages;             // likewise; found after the server's own paths
  // One line a request at info; failures at warn. Never prompt or answer text. Null: silent.
  std::shared_ptr<spdlog::logger> logger;
  // Of what the server itself logs; with kJson `logger` is one by the name of kMembersLogger.
  LogFormat log_format = LogFormat::kText;
  // Of requests for work; null: none is traced, and a traceparent is told to the log alone.
  std::shared_ptr<Tracer> tracer;
};

// Thread-safe.
class Server {
 public:
  enum class State { kCreated, kReady, kDraining, kStopped };

  // Checks the options; opens nothing. `backend` and `clock` outlive the server, and
  // `clock` outlives the backend's last event.
  static Result<std::unique_ptr<Server>> Create(Backend& backend, ServerOptions options,
                                                const Clock& clock);

  ~Server();  // Stop()
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds and serves from threads of its own; returns at once. Fails if the address
  // cannot be bound.
  Status Start();

  int port() const;         // the port bound; 0 before Start()
  std::string url() const;  // "http://127.0.0.1:8080"; "https://..." with TLS
  State state() const;

  // From now on /ready and new requests are answered 503 while running ones go on; the
  // port stays open, so that load balancers and clients see why. Returns at once.
  void BeginDrain();

  // BeginDrain(), after `drain_notice` closes the port and waits for the running requests; after
  // `timeout` cancels the rest, which are answered 503 if they end at once. True if none had to be
  // cancelled. Stopped afterwards.
  bool Drain(Duration timeout);

  // Closes the port and every connection, cancels what runs. Idempotent.
  void Stop();

  // HttpServer::SetTls().
  Status SetTls(const TlsFiles& files);

  // Blocks until the server is stopped, by Drain() or Stop() from another thread.
  void Wait();

  // What GET /metrics answers (Prometheus text format 0.0.4).
  std::string Metrics() const;

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aio

#endif  // AIO_SERVER_SERVER_H_
