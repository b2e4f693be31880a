// URLs of PostgreSQL databases, which may hold a password: what is said of them must not.
#ifndef AIO_POSTGRES_URL_H_
#define AIO_POSTGRES_URL_H_

#include <string>
#include <string_view>

#include "base/status.h"

namespace aio {

// Whether it begins as one: "postgresql://" or "postgres://".
bool IsPostgresUrl(std::string_view text);

// That libpq can read it. The message does not repeat what stands in it.
Status CheckPostgresUrl(const std::string& url);

// The URL without its password and its options, to be shown:
// "postgresql://aio@db.example:5432/log".
std::string PostgresUrlToShow(const std::string& url);

}  // namespace aio

#endif  // AIO_POSTGRES_URL_H_
