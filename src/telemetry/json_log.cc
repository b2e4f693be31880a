#include "telemetry/json_log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <string>

#include "base/json_writer.h"

namespace aio {
namespace {

std::string TimeOf(std::chrono::system_clock::time_point time) {
  using std::chrono::floor;
  const auto seconds = floor<std::chrono::seconds>(time);
  const auto micros = floor<std::chrono::microseconds>(time) - seconds;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)), micros.count());
}

class JsonLogFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const std::string_view text(message.payload.data(), message.payload.size());
    const std::string_view name(message.logger_name.data(), message.logger_name.size());
    const spdlog::string_view_t level = spdlog::level::to_string_view(message.level);
    JsonWriter json;
    json.BeginObject();
    json.Member("time", TimeOf(message.time));
    json.Member("level", std::string_view(level.data(), level.size()));
    if (name == kMembersLogger) {
      if (!text.empty()) json.Raw(text);
    } else {
      json.Member("message", text);
    }
    json.EndObject();
    const std::string line = json.Take() + '\n';
    out.append(line.data(), line.data() + line.size());
  }

  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonLogFormatter>();
  }
};

}  // namespace

std::unique_ptr<spdlog::formatter> MakeJsonLogFormatter() {
  return std::make_unique<JsonLogFormatter>();
}

}  // namespace aio
