#include "http/http_server.h"

#include <fmt/format.h>

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <exception>
#include <future>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "base/io_threads.h"
#include "http/connection.h"
#include "http/tls_context.h"

namespace aio {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
// After a failure to accept (no file descriptors left): running requests may free some.
constexpr auto kAcceptPause = std::chrono::milliseconds(50);

HttpResponse RenderPlain(int status, std::string_view message, std::string_view /*remote*/) {
  return {.status = status,
          .headers = {{"content-type", "text/plain; charset=utf-8"}},
          .body = fmt::format("{}\n", message)};
}

Status CannotListen(const std::string& host, int port, const error_code& error) {
  const std::string at = fmt::format("cannot listen on {} port {}", host, port);
  if (error == asio::error::address_in_use) {
    return Unavailable(at + ": the port is in use; choose another with --port");
  }
  if (error == asio::error::access_denied) {
    return Unavailable(at + ": permission denied; choose a port above 1023 with --port");
  }
  if (error == boost::system::errc::address_not_available) {
    return Unavailable(at + ": no such address on this machine; choose another with --host");
  }
  return Unavailable(fmt::format("{}: {}", at, error.message()));
}

Result<tcp::endpoint> Resolve(asio::io_context& io, const std::string& host, int port) {
  if (port < 0 || port > 65535) {
    return InvalidArgument(fmt::format("port {} is not between 0 and 65535", port));
  }
  error_code error;
  tcp::resolver resolver(io);
  const auto found = resolver.resolve(host, std::to_string(port), tcp::resolver::passive, error);
  if (error || found.empty()) {
    return Unavailable(
        fmt::format("cannot resolve the address '{}' ({}); choose another with "
                    "--host",
                    host, error.message()));
  }
  return found.begin()->endpoint();
}

// Held by all that will still call the server.
class InUse {
 public:
  ~InUse() { over_.set_value(); }
  std::future<void> over() { return over_.get_future(); }

 private:
  std::promise<void> over_;
};

}  // namespace

class HttpServer::Impl final : public ConnectionHost {
 public:
  explicit Impl(HttpServerOptions options)
      : options_(std::move(options)),
        threads_(options_.io != nullptr ? options_.io
                                        : std::make_shared<IoThreads>(options_.io_threads)),
        io_(threads_->context()),
        acceptor_(asio::make_strand(io_)),
        slot_free_(acceptor_.get_executor(), asio::steady_timer::time_point::max()) {
    if (!options_.render_error) options_.render_error = RenderPlain;
  }

  Status Start(const std::string& host, int port, HttpHandler handler);
  Status SetTls(const TlsFiles& files);
  bool Drain(Duration timeout);
  void Stop();

  int port() const { return port_; }
  int active_requests() const {
    std::lock_guard lock(mutex_);
    return active_requests_;
  }
  int connections() const {
    std::lock_guard lock(mutex_);
    return static_cast<int>(connections_.size());
  }

  const HttpServerOptions& options() const override { return options_; }
  std::shared_ptr<const std::atomic<bool>> draining() const override { return draining_; }
  void Handle(HttpRequest request, std::shared_ptr<ResponseWriter> response) override;
  void RequestBegan() override;
  void RequestEnded() override;

 private:
  asio::awaitable<void> AcceptLoop(std::shared_ptr<InUse> in_use);
  // Waits for room and a client; false: there is no file or memory for it.
  asio::awaitable<bool> Accept(const std::shared_ptr<InUse>& in_use);
  asio::awaitable<void> Pause(std::chrono::milliseconds time);
  void Spawn(tcp::socket socket, const std::shared_ptr<InUse>& in_use);
  void Remove(const std::shared_ptr<Connection>& connection, std::shared_ptr<InUse> in_use);
  bool IsFull() const;
  bool WaitForRequests(Duration timeout);
  void CloseAcceptor();
  std::set<std::shared_ptr<Connection>> Connections() const;

  HttpServerOptions options_;
  HttpHandler handler_;
  std::atomic<int> port_{0};
  const std::shared_ptr<std::atomic<bool>> draining_ = std::make_shared<std::atomic<bool>>(false);

  const std::shared_ptr<IoThreads> threads_;
  asio::io_context& io_;
  tcp::acceptor acceptor_;        // used on its strand alone once started
  asio::steady_timer slot_free_;  // likewise; cancelled when a connection ends
  std::mutex stop_mutex_;         // one Stop() at a time

  mutable std::mutex mutex_;
  std::condition_variable request_ended_;
  int active_requests_ = 0;                                    // guarded by mutex_
  std::shared_ptr<InUse> in_use_ = std::make_shared<InUse>();  // guarded by mutex_; null: stopped
  std::shared_ptr<ClientStream::Context> tls_;         // guarded by mutex_; null: in the clear
  std::set<std::shared_ptr<Connection>> connections_;  // guarded by mutex_
};

Status HttpServer::Impl::Start(const std::string& host, int port, HttpHandler handler) {
  AIO_CHECK(!handler_, "HttpServer::Start() twice");
  if (options_.tls) AIO_RETURN_IF_ERROR(SetTls(*options_.tls));
  AIO_ASSIGN_OR_RETURN(const tcp::endpoint endpoint, Resolve(io_, host, port));
  error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
  if (error) {
    error_code ignored;
    acceptor_.close(ignored);
    return CannotListen(host, port, error);
  }
  port_ = acceptor_.local_endpoint().port();
  handler_ = std::move(handler);
  asio::co_spawn(acceptor_.get_executor(), AcceptLoop(in_use_), [](std::exception_ptr) {});
  return Status::Ok();
}

Status HttpServer::Impl::SetTls(const TlsFiles& files) {
  AIO_CHECK(options_.tls.has_value(), "a server without TLS gets a certificate");
  AIO_ASSIGN_OR_RETURN(std::shared_ptr<ClientStream::Context> context, LoadTlsContext(files));
  std::lock_guard lock(mutex_);
  tls_ = std::move(context);
  return Status::Ok();
}

bool HttpServer::Impl::IsFull() const { return connections() >= options_.connections_max; }

asio::awaitable<void> HttpServer::Impl::Pause(std::chrono::milliseconds time) {
  asio::steady_timer timer(acceptor_.get_executor(), time);
  co_await timer.async_wait(kToken);
}

asio::awaitable<void> HttpServer::Impl::AcceptLoop(std::shared_ptr<InUse> in_use) {
  while (acceptor_.is_open()) {
    bool is_short = false;  // of open files, or of memory
    try {
      is_short = !co_await Accept(in_use);
    } catch (const std::exception&) {
      is_short = true;
    }
    if (!is_short || !acceptor_.is_open()) continue;
    try {
      co_await Pause(kAcceptPause);
    } catch (const std::exception&) {
      std::this_thread::yield();  // not even for that
    }
  }
}

asio::awaitable<bool> HttpServer::Impl::Accept(const std::shared_ptr<InUse>& in_use) {
  if (IsFull()) {
    co_await slot_free_.async_wait(kToken);
    co_return true;
  }
  tcp::socket socket(asio::make_strand(io_));
  const auto [error] = co_await acceptor_.async_accept(socket, kToken);
  if (!error) Spawn(std::move(socket), in_use);
  co_return !error || error == asio::error::connection_aborted;
}

void HttpServer::Impl::Spawn(tcp::socket socket, const std::shared_ptr<InUse>& in_use) {
  const auto executor = socket.get_executor();
  std::shared_ptr<ClientStream::Context> tls;
  {
    std::lock_guard lock(mutex_);
    tls = tls_;
  }
  auto connection = std::make_shared<Connection>(std::move(socket), std::move(tls), *this);
  {
    std::lock_guard lock(mutex_);
    if (in_use_ == nullptr) return;
    connections_.insert(connection);
  }
  try {
    asio::co_spawn(
        executor, [connection] { return connection->Run(); },
        [this, connection, in_use](std::exception_ptr) { Remove(connection, in_use); });
  } catch (const std::exception&) {
    Remove(connection, in_use);  // or it would count for ever
    throw;
  }
}

void HttpServer::Impl::Remove(const std::shared_ptr<Connection>& connection,
                              std::shared_ptr<InUse> in_use) {
  connection->Close();  // Run() may have ended by an exception
  {
    std::lock_guard lock(mutex_);
    connections_.erase(connection);
  }
  asio::post(acceptor_.get_executor(), [this, in_use = std::move(in_use)] { slot_free_.cancel(); });
}

void HttpServer::Impl::Handle(HttpRequest request, std::shared_ptr<ResponseWriter> response) {
  const std::string remote_address = request.remote_address;
  try {
    handler_(std::move(request), response);
  } catch (const std::exception&) {
    // Does nothing if the handler had begun to answer; then dropping the writer aborts.
    response->Send(
        options_.render_error(500, "The server failed to handle the request.", remote_address));
  }
}

void HttpServer::Impl::RequestBegan() {
  std::lock_guard lock(mutex_);
  ++active_requests_;
}

void HttpServer::Impl::RequestEnded() {
  std::lock_guard lock(mutex_);
  --active_requests_;
  request_ended_.notify_all();
}

std::set<std::shared_ptr<Connection>> HttpServer::Impl::Connections() const {
  std::lock_guard lock(mutex_);
  return connections_;
}

void HttpServer::Impl::CloseAcceptor() {
  std::unique_lock lock(mutex_);
  const std::shared_ptr<InUse> in_use = in_use_;
  lock.unlock();
  if (in_use == nullptr) return;
  asio::post(acceptor_.get_executor(), [this, in_use] {
    error_code ignored;
    acceptor_.close(ignored);
    slot_free_.cancel();
  });
}

bool HttpServer::Impl::WaitForRequests(Duration timeout) {
  std::unique_lock lock(mutex_);
  return request_ended_.wait_for(lock, timeout, [&] { return active_requests_ == 0; });
}

bool HttpServer::Impl::Drain(Duration timeout) {
  *draining_ = true;
  CloseAcceptor();
  for (const auto& connection : Connections()) connection->CloseIfIdle();
  const bool finished = WaitForRequests(timeout);
  if (!finished) {
    for (const auto& connection : Connections()) connection->CancelRequest();
    WaitForRequests(options_.farewell_timeout);
  }
  Stop();
  return finished;
}

void HttpServer::Impl::Stop() {
  std::lock_guard stopping(stop_mutex_);
  *draining_ = true;
  CloseAcceptor();
  std::future<void> over;
  {
    std::lock_guard lock(mutex_);
    if (in_use_ == nullptr) return;
    over = in_use_->over();
    in_use_ = nullptr;
  }
  for (const auto& connection : Connections()) connection->Close();
  over.wait();
}

HttpServer::HttpServer(HttpServerOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}

HttpServer::~HttpServer() { Stop(); }

Status HttpServer::Start(const std::string& host, int port, HttpHandler handler) {
  return impl_->Start(host, port, std::move(handler));
}

Status HttpServer::SetTls(const TlsFiles& files) { return impl_->SetTls(files); }
int HttpServer::port() const { return impl_->port(); }
bool HttpServer::Drain(Duration timeout) { return impl_->Drain(timeout); }
void HttpServer::Stop() { impl_->Stop(); }
int HttpServer::active_requests() const { return impl_->active_requests(); }
int HttpServer::connections() const { return impl_->connections(); }

}  // namespace aio
