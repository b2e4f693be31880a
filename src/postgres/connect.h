// How a connection comes about: within a time, and with a reason if it does not. Internal to
// postgres/.
#ifndef AIO_POSTGRES_CONNECT_H_
#define AIO_POSTGRES_CONNECT_H_

#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "postgres/connection.h"

namespace aio {

struct FinishConnection {
  void operator()(pg_conn* connection) const;
};
using ConnectionHandle = std::unique_ptr<pg_conn, FinishConnection>;

// Tries the hosts of the URL, which is known to be one, in their order. Only if each of them
// refuses is the reason kPostgresRefuses; all else may pass.
Result<ConnectionHandle> ConnectToPostgres(const std::string& url, const PostgresTimes& times);

// A fault of the server that has this SQLSTATE.
Status PostgresFault(std::string_view sqlstate, std::string message);

// The library's messages are lines; ours are a phrase.
std::string OnePhrase(std::string_view lines);

}  // namespace aio

#endif  // AIO_POSTGRES_CONNECT_H_
