#include "telemetry/tracing_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "telemetry/trim_blanks.h"

namespace aio {
namespace {

constexpr std::string_view kTracesPath = "/v1/traces";

bool IsUrl(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme)) continue;
    const std::string_view rest = text.substr(scheme.size());
    return !rest.empty() && rest.front() != '/' &&
           std::all_of(rest.begin(), rest.end(), [](char c) { return c > ' ' && c <= '~'; });
  }
  return false;
}

std::string WithTracesPath(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  if (!url.ends_with(kTracesPath)) url += kTracesPath;
  return url;
}

bool IsHeaderName(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";  // RFC 9110, 5.6.2
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

bool IsHeaderValue(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// "${NAME}" replaced; kInvalidArgument if there is no such variable, or the brace is not closed.
Result<std::string> Expand(std::string_view text, const ReadVariable& variable) {
  std::string out;
  while (true) {
    const size_t at = text.find("${");
    out += text.substr(0, at);
    if (at == std::string_view::npos) return out;
    const size_t end = text.find('}', at);
    if (end == std::string_view::npos) return InvalidArgument("has a \"${\" without its \"}\"");
    const std::string name(text.substr(at + 2, end - at - 2));
    const std::optional<std::string> value = variable(name);
    if (!value || value->empty()) {
      return InvalidArgument(fmt::format("the environment variable {} is not set or empty", name));
    }
    out += *value;
    text.remove_prefix(end + 1);
  }
}

// Messages do not show values: they may be secret.
Status AddHeader(std::string_view name, std::string value, TracingSettings& settings) {
  if (!IsHeaderName(name)) return InvalidArgument("has an entry whose name no header can have");
  if (!IsHeaderValue(value)) {
    return InvalidArgument(
        fmt::format("the value of {} has other than printable ASCII characters", name));
  }
  settings.headers.emplace_back(std::string(name), std::move(value));
  return Status::Ok();
}

Status AddHeaderLine(std::string_view line, const ReadVariable& variable,
                     TracingSettings& settings) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    return InvalidArgument("has an entry without a colon; write \"name: value\"");
  }
  AIO_ASSIGN_OR_RETURN(std::string value, Expand(TrimBlanks(line.substr(colon + 1)), variable));
  return AddHeader(TrimBlanks(line.substr(0, colon)), std::move(value), settings);
}

void ReadTable(TomlTable& table, const ReadVariable& variable, TracingSettings& settings) {
  if (const auto endpoint = table.String("endpoint")) {
    if (!IsUrl(*endpoint)) {
      table.Fail("endpoint", "is no collector's URL; write http://HOST:4318 or https://HOST");
    }
    settings.endpoint = WithTracesPath(*endpoint);
  }
  for (const std::string& line : table.Strings("headers").value_or(std::vector<std::string>())) {
    const Status added = AddHeaderLine(line, variable, settings);
    if (!added.ok()) table.Fail("headers", added.message());
  }
  settings.sample_ratio = table.Number("sample_ratio", 0, 1).value_or(settings.sample_ratio);
  settings.service_name = table.String("service_name").value_or("");
  if (table.Has("service_name") && settings.service_name.empty()) {
    table.Fail("service_name", "is empty; give the service a name, or remove the key");
  }
  settings.queue_max = table.Int("queue_max", 1, kTraceQueueMax).value_or(settings.queue_max);
}

// The first of two variables that is set and not empty; its name in `name`.
std::optional<std::string> FirstOf(const ReadVariable& variable, const char* own,
                                   const char* shared, std::string& name) {
  for (const char* candidate : {own, shared}) {
    std::optional<std::string> value = variable(candidate);
    if (!value || value->empty()) continue;
    name = candidate;
    return value;
  }
  return std::nullopt;
}

Status AddEndpoint(const ReadVariable& variable, TracingSettings& settings) {
  constexpr const char* kOwn = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
  std::string name;
  std::optional<std::string> url = FirstOf(variable, kOwn, "OTEL_EXPORTER_OTLP_ENDPOINT", name);
  if (!url) return Status::Ok();
  if (!IsUrl(*url)) {
    return InvalidArgument(
        fmt::format("the environment variable {} is no collector's URL: write http://HOST:4318 or "
                    "https://HOST, or unset it to trace nothing",
                    name));
  }
  settings.endpoint = name == kOwn ? *std::move(url) : WithTracesPath(*std::move(url));
  return Status::Ok();
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string PercentDecoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_escape = text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 &&
                           HexDigit(text[i + 2]) >= 0;
    out +=
        is_escape ? static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2])) : text[i];
    if (is_escape) i += 2;
  }
  return out;
}

Status AddHeaders(const ReadVariable& variable, TracingSettings& settings) {
  std::string name;
  const std::optional<std::string> list =
      FirstOf(variable, "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS", name);
  std::string_view rest = list ? std::string_view(*list) : std::string_view();
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view entry = TrimBlanks(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    if (entry.empty()) continue;
    const size_t equals = entry.find('=');
    Status added = InvalidArgument("has an entry without '='; write name=value,name=value");
    if (equals != std::string_view::npos) {
      added = AddHeader(TrimBlanks(entry.substr(0, equals)),
                        PercentDecoded(TrimBlanks(entry.substr(equals + 1))), settings);
    }
    if (!added.ok()) {
      return std::move(added).WithContext(fmt::format("the environment variable {}", name));
    }
  }
  return Status::Ok();
}

bool IsTrue(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text == "true";
}

}  // namespace

std::optional<std::string> ReadProcessVariable(const std::string& name) {
  const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): at start
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

TracingSettings ReadTracing(TomlTable& root, const ReadVariable& variable) {
  TracingSettings settings;
  std::optional<TomlTable> table = root.Table("tracing");
  if (table) ReadTable(*table, variable, settings);
  return settings;
}

Status AddTracingVariables(const ReadVariable& variable, TracingSettings& settings) {
  if (IsTrue(variable("OTEL_SDK_DISABLED").value_or(""))) {
    settings.endpoint.clear();
    return Status::Ok();
  }
  if (settings.endpoint.empty()) AIO_RETURN_IF_ERROR(AddEndpoint(variable, settings));
  if (settings.headers.empty()) AIO_RETURN_IF_ERROR(AddHeaders(variable, settings));
  if (settings.service_name.empty()) {
    settings.service_name = variable("OTEL_SERVICE_NAME").value_or("");
  }
  return Status::Ok();
}

}  // namespace aio
