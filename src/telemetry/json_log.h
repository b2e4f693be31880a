// The log as JSON: one object a line, with time and level first.
//
//   {"time":"2026-11-30T04:01:02.345678Z","level":"info","message":"configuration reloaded ..."}
#ifndef AIO_TELEMETRY_JSON_LOG_H_
#define AIO_TELEMETRY_JSON_LOG_H_

#include <spdlog/formatter.h>

#include <memory>
#include <string_view>

namespace aio {

// Messages of the logger by this name are members of the object themselves ("\"status\":200", as
// JsonWriter writes them); those of others are its `message`.
inline constexpr std::string_view kMembersLogger = "aio.members";

std::unique_ptr<spdlog::formatter> MakeJsonLogFormatter();

}  // namespace aio

#endif  // AIO_TELEMETRY_JSON_LOG_H_
