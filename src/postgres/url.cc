#include "postgres/url.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <memory>

namespace aio {
namespace {

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using ConnectionOptions = std::unique_ptr<PQconninfoOption, FreeOptions>;

std::string ValueOf(const ConnectionOptions& options, std::string_view keyword) {
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->keyword == keyword && option->val != nullptr) return option->val;
  }
  return "";
}

// A password with an '@' or '/' that is not written as %XX, of which a part is taken for the host,
// port or database: to be refused, for these are shown.
bool HoldsPartOfAPassword(const ConnectionOptions& options) {
  const auto has_at = [&](std::string_view keyword) {
    return ValueOf(options, keyword).find('@') != std::string::npos;
  };
  return has_at("host") || has_at("dbname") ||
         ValueOf(options, "port").find_first_not_of("0123456789,") != std::string::npos;
}

// Null if it is none. The library's words are of no use: they repeat the URL, password and all.
ConnectionOptions Parse(const std::string& url) {
  ConnectionOptions options(PQconninfoParse(url.c_str(), nullptr));
  if (options != nullptr && HoldsPartOfAPassword(options)) options.reset();
  return options;
}

}  // namespace

bool IsPostgresUrl(std::string_view text) {
  return text.starts_with("postgresql://") || text.starts_with("postgres://");
}

Status CheckPostgresUrl(const std::string& url) {
  if (IsPostgresUrl(url) && Parse(url) != nullptr) return Status::Ok();
  return InvalidArgument(
      "is not the URL of a PostgreSQL database, such as "
      "postgresql://USER:PASSWORD@HOST:5432/DATABASE?sslmode=verify-full; what is special in a URL "
      "is written there as %XX");
}

std::string PostgresUrlToShow(const std::string& url) {
  const ConnectionOptions options = Parse(url);
  if (options == nullptr) return "postgresql://";
  const std::string user = ValueOf(options, "user");
  const std::string host = ValueOf(options, "host");
  const std::string port = ValueOf(options, "port");
  const bool is_socket = host.starts_with('/');
  std::string shown = "postgresql://";
  if (!user.empty()) shown += user + "@";
  if (!is_socket) shown += host;
  if (!port.empty()) shown += ":" + port;
  shown += "/" + ValueOf(options, "dbname");
  if (is_socket) shown += "?host=" + host;
  return shown;
}

}  // namespace aio
