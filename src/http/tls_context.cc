#include "http/tls_context.h"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>

#include "base/file_descriptor.h"

namespace aio {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

// Of TLS 1.2; those of 1.3 are all good.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

Status CheckFile(const std::string& path, bool secret) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return SystemError("open", errno).WithContext(path);
  if (!S_ISREG(info.st_mode)) return InvalidArgument(path + ": is not a plain file");
  if (secret && (info.st_mode & S_IRWXO) != 0) {
    return Status(StatusCode::kPermissionDenied,
                  fmt::format("{}: everybody on this machine may use the key (mode {:o}); run "
                              "chmod 600 {}",
                              path, info.st_mode & 07777, path));
  }
  return Status::Ok();
}

Status Refused(const std::string& path, std::string_view what, const error_code& error) {
  return InvalidArgument(fmt::format("{}: {} ({})", path, what, error.message()));
}

// HTTP/1.1 if the client offers it; a client that offers other protocols only, or none, is not
// turned away for that.
int SelectProtocol(SSL*, const unsigned char** out, unsigned char* out_size,
                   const unsigned char* offered, unsigned offered_size, void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* selected = nullptr;
  if (SSL_select_next_proto(&selected, out_size, kHttp11, sizeof kHttp11 - 1, offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

void Harden(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, kCiphers);
  SSL_CTX_set_options(
      context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);  // idle streams hold less
  SSL_CTX_set_alpn_select_cb(context, SelectProtocol, nullptr);
}

}  // namespace

Result<std::shared_ptr<ssl::context>> LoadTlsContext(const TlsFiles& files) {
  AIO_RETURN_IF_ERROR(CheckFile(files.certificate, /*secret=*/false));
  AIO_RETURN_IF_ERROR(CheckFile(files.key, /*secret=*/true));
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  Harden(context->native_handle());
  error_code error;
  // Without this OpenSSL would ask for a passphrase at the terminal.
  context->set_password_callback([](size_t, ssl::context::password_purpose) { return ""; }, error);
  context->use_certificate_chain_file(files.certificate, error);
  if (error) {
    return Refused(files.certificate,
                   "holds no certificate chain as PEM, the server's own certificate first", error);
  }
  context->use_private_key_file(files.key, ssl::context::pem, error);
  if (error) {
    return Refused(files.key, "is not the certificate's private key as PEM without a passphrase",
                   error);
  }
  if (SSL_CTX_check_private_key(context->native_handle()) != 1) {
    return InvalidArgument(
        fmt::format("{}: is not the key of the certificate {}", files.key, files.certificate));
  }
  return context;
}

Status CheckTlsFiles(const TlsFiles& files) { return LoadTlsContext(files).status(); }

}  // namespace aio
