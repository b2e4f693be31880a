#include "grammar/string_formats.h"

#include <fmt/format.h>

namespace aio {

namespace {

// RFC 3339, section 5.6: months have their days, February 29 stands in leap years only.
constexpr std::string_view kDate =
    R"((?:\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|)"
    R"(02-(?:0[1-9]|1\d|2[0-8]))|(?:\d\d(?:0[48]|[2468][048]|[13579][26])|)"
    R"((?:[02468][048]|[13579][26])00)-02-29))";
constexpr std::string_view kTime =
    R"((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d))";
constexpr std::string_view kUuid =
    R"([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})";
// Host names: RFC 1123; addresses: the part of RFC 5321 that is in use.
constexpr std::string_view kHostname =
    R"([A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)"
    R"((?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?){0,3})";
constexpr std::string_view kMailbox = R"([A-Za-z0-9_%+-]{1,30}(?:\.[A-Za-z0-9_%+-]{1,30})?)";
constexpr std::string_view kIpv4 =
    R"((?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3})";

}  // namespace

std::optional<std::string> PatternOfFormat(std::string_view format) {
  if (format == "date") return std::string(kDate);
  if (format == "time") return std::string(kTime);
  if (format == "date-time") return fmt::format("{}T{}", kDate, kTime);
  if (format == "uuid") return std::string(kUuid);
  if (format == "hostname") return std::string(kHostname);
  if (format == "email") return fmt::format("{}@{}", kMailbox, kHostname);
  if (format == "ipv4") return std::string(kIpv4);
  return std::nullopt;
}

std::string_view KnownFormats() { return "date, time, date-time, uuid, email, hostname, ipv4"; }

}  // namespace aio
