// The bytes from and to a client, in the clear or by TLS: an AsyncReadStream and AsyncWriteStream
// as Asio and Beast want it. Internal to http/: includes Asio.
#ifndef AIO_HTTP_CLIENT_STREAM_H_
#define AIO_HTTP_CLIENT_STREAM_H_

#include <boost/asio/async_result.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <optional>
#include <utility>

namespace aio {

// On its socket's strand. One read and one write may be under way at a time.
class ClientStream {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  using Context = boost::asio::ssl::context;
  using executor_type = Socket::executor_type;
  using Signature = void(boost::system::error_code, size_t);

  // In the clear if `tls` is null.
  ClientStream(Socket socket, std::shared_ptr<Context> tls)
      : socket_(std::move(socket)), context_(std::move(tls)) {
    if (context_ != nullptr) tls_.emplace(socket_, *context_);
  }
  ClientStream(const ClientStream&) = delete;
  ClientStream& operator=(const ClientStream&) = delete;

  executor_type get_executor() { return socket_.get_executor(); }
  Socket& socket() { return socket_; }
  bool is_tls() const { return tls_.has_value(); }
  // Of TLS only.
  boost::asio::ssl::stream<Socket&>& tls() { return *tls_; }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, Signature>(
        [this](auto handler, const Buffers& to) {
          if (tls_) {
            tls_->async_read_some(to, std::move(handler));
          } else {
            socket_.async_read_some(to, std::move(handler));
          }
        },
        token, buffers);
  }

  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, Signature>(
        [this](auto handler, const Buffers& from) {
          if (tls_) {
            tls_->async_write_some(from, std::move(handler));
          } else {
            socket_.async_write_some(from, std::move(handler));
          }
        },
        token, buffers);
  }

 private:
  Socket socket_;
  const std::shared_ptr<Context> context_;
  std::optional<boost::asio::ssl::stream<Socket&>> tls_;
};

}  // namespace aio

#endif  // AIO_HTTP_CLIENT_STREAM_H_
