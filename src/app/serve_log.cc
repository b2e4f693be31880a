#include "app/serve_log.h"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>

#include "telemetry/json_log.h"

namespace aio {

void LogFlags::AddTo(CLI::App& command) {
  command
      .add_option("--log-format", format,
                  "of the log on standard error: text, or json with one object a line")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command.add_option("--log-level", level, "least important messages that are logged")
      ->check(CLI::IsMember({"debug", "info", "warn", "error", "off"}))
      ->capture_default_str();
  command.add_flag("-q,--quiet", quiet, "no access log");
}

std::shared_ptr<spdlog::logger> MakeLogger(const LogFlags& flags) {
  auto logger = spdlog::create_async_nb<spdlog::sinks::stderr_color_sink_mt>("aio");
  if (flags.format == "json") logger->set_formatter(MakeJsonLogFormatter());
  logger->set_level(spdlog::level::from_str(flags.level));
  return logger;
}

void ConnectLogger(const std::shared_ptr<spdlog::logger>& logger, const LogFlags& flags,
                   ServerOptions& options) {
  if (flags.quiet) return;
  options.logger = logger;
  if (flags.format != "json") return;
  options.log_format = LogFormat::kJson;
  options.logger = logger->clone(std::string(kMembersLogger));
}

}  // namespace aio
