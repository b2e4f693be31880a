#include "server/server.h"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <string_view>
#include <utility>

#include "access/access_control.h"
#include "api/error_object.h"
#include "server/call.h"
#include "server/context.h"
#include "server/headers.h"
#include "server/request_log.h"
#include "server/routes.h"

namespace aio {
namespace {

// For requests that never became a call: malformed, too large, too slow.
auto MakeErrorRenderer(std::weak_ptr<ServerContext> weak) {
  return [weak = std::move(weak)](int status, std::string_view message, std::string_view remote) {
    const std::string id = NewRequestId();
    if (const auto context = weak.lock()) {
      context->metrics.CountRequest("malformed", status);
      LogRefusal(*context, {.id = id, .status = status, .remote = remote, .message = message});
    }
    return HttpResponse{.status = status,
                        .headers = {{"content-type", "application/json"}, {"x-request-id", id}},
                        .body = EncodeError(status, message)};
  };
}

// The one key may do everything.
std::shared_ptr<AccessControl> AccessOf(const ServerOptions& options, const Clock& clock) {
  if (options.access != nullptr) return options.access;
  std::vector<ApiKey> keys;
  if (!options.api_key.empty()) keys.push_back(TheOneKey(options.api_key));
  const bool required = !keys.empty();
  return std::make_shared<AccessControl>(std::move(keys), required, clock.Now());
}

Status CheckOptions(const ServerOptions& options) {
  if (options.port < 0 || options.port > 65535) {
    return InvalidArgument(fmt::format(
        "port {} is not between 0 and 65535: choose another with --port", options.port));
  }
  if (options.host.empty()) {
    return InvalidArgument("the host is empty: name an address with --host, such as 127.0.0.1");
  }
  if (options.request_timeout < Duration::zero()) {
    return InvalidArgument("the request timeout is negative: use 0 for none");
  }
  return Status::Ok();
}

}  // namespace

bool IsLoopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

class Server::Impl {
 public:
  Impl(std::shared_ptr<ServerContext> context, ServerOptions options)
      : context_(std::move(context)), options_(std::move(options)), http_(options_.http) {}

  Status Start() {
    // The state first: a request may come as soon as the port is open.
    context_->state = State::kReady;
    Status status = http_.Start(
        options_.host, options_.port,
        [context = context_](HttpRequest request, std::shared_ptr<ResponseWriter> response) {
          Dispatch(std::make_shared<Call>(context, std::move(request), std::move(response)));
        });
    if (!status.ok()) context_->state = State::kCreated;
    return status;
  }

  bool Drain(Duration timeout) {
    BeginDrain();
    {
      std::unique_lock lock(mutex_);  // Stop() ends the wait
      stopped_.wait_for(lock, options_.drain_notice, [&] { return state() == State::kStopped; });
    }
    const bool finished = http_.Drain(timeout);
    MarkStopped();
    return finished;
  }

  void Stop() {
    BeginDrain();
    http_.Stop();
    MarkStopped();
  }

  void BeginDrain() {
    State ready = State::kReady;
    context_->state.compare_exchange_strong(ready, State::kDraining);
  }

  void Wait() {
    std::unique_lock lock(mutex_);
    stopped_.wait(lock, [&] { return state() == State::kStopped; });
  }

  std::string url() const {
    const std::string& host = options_.host;
    const bool is_v6 = host.find(':') != std::string::npos;
    const std::string_view scheme = options_.http.tls ? "https" : "http";
    return fmt::format("{}://{}:{}", scheme, is_v6 ? "[" + host + "]" : host, http_.port());
  }

  int port() const { return http_.port(); }
  Status SetTls(const TlsFiles& files) { return http_.SetTls(files); }
  State state() const { return context_->state; }
  std::string Metrics() const { return context_->MetricsText(); }

 private:
  void MarkStopped() {
    {
      std::lock_guard lock(mutex_);  // so that Wait() cannot miss it
      context_->state = State::kStopped;
    }
    stopped_.notify_all();
  }

  const std::shared_ptr<ServerContext> context_;
  const ServerOptions options_;
  HttpServer http_;
  std::mutex mutex_;
  std::condition_variable stopped_;
};

Result<std::unique_ptr<Server>> Server::Create(Backend& backend, ServerOptions options,
                                               const Clock& clock) {
  AIO_RETURN_IF_ERROR(CheckOptions(options));
  std::shared_ptr<ServerContext> context(new ServerContext{backend,
                                                           clock,
                                                           options.logger,
                                                           AccessOf(options, clock),
                                                           options.cors_origins,
                                                           IsLoopback(options.host),
                                                           options.request_timeout,
                                                           clock.UnixSeconds(),
                                                           options.feedback,
                                                           options.metric_sources,
                                                           options.pages,
                                                           options.log_format,
                                                           options.tracer,
                                                           {}});
  options.http.render_error = MakeErrorRenderer(context);
  return std::unique_ptr<Server>(
      new Server(std::make_unique<Impl>(std::move(context), std::move(options))));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() { Stop(); }

Status Server::Start() { return impl_->Start(); }
int Server::port() const { return impl_->port(); }
std::string Server::url() const { return impl_->url(); }
Server::State Server::state() const { return impl_->state(); }
void Server::BeginDrain() { impl_->BeginDrain(); }
bool Server::Drain(Duration timeout) { return impl_->Drain(timeout); }
void Server::Stop() { impl_->Stop(); }
Status Server::SetTls(const TlsFiles& files) { return impl_->SetTls(files); }
void Server::Wait() { impl_->Wait(); }
std::string Server::Metrics() const { return impl_->Metrics(); }

}  // namespace aio
