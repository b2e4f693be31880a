// A server's certificate and key, as OpenSSL wants them. Internal to http/: includes OpenSSL.
#ifndef AIO_HTTP_TLS_CONTEXT_H_
#define AIO_HTTP_TLS_CONTEXT_H_

#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "base/status.h"
#include "http/http_server.h"

namespace aio {

// TLS 1.2 and 1.3 with forward secrecy, no renegotiation, HTTP/1.1 by ALPN. Errors name the file:
// it cannot be read, holds no certificate or key, the key is locked by a passphrase, is another
// certificate's, or anybody on the machine can read it.
Result<std::shared_ptr<boost::asio::ssl::context>> LoadTlsContext(const TlsFiles& files);

}  // namespace aio

#endif  // AIO_HTTP_TLS_CONTEXT_H_
