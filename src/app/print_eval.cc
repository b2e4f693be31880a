#include "app/print_eval.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "app/run_environment.h"

namespace aio {

namespace {

using Json = nlohmann::ordered_json;

std::string Row(const EvalFigure& figure, size_t width) {
  std::string row = fmt::format(
      "  {:<{}} {:>7.2f} {:>15} {:>9.1f} {:>9.1f} {:>9.1f} {:>9.1f} {:>8.0f}", figure.configuration,
      width, 100 * figure.accuracy,
      fmt::format("{:.1f} to {:.1f}", 100 * figure.interval.low, 100 * figure.interval.high),
      figure.tokens_per_second, figure.mean_tokens_per_second, figure.decoding_tokens_per_second,
      figure.ttft_ms, 100 * figure.on_small);
  for (const auto& [k, passed] : figure.pass_at) {
    row += fmt::format("  pass@{} {:.2f} %", k, 100 * passed);
  }
  if (figure.refused > 0) row += fmt::format("  {} refused", figure.refused);
  if (figure.cut_off > 0) row += fmt::format("  {} cut off", figure.cut_off);
  return row + "\n";
}

Json ToJson(const EvalFigure& figure) {
  Json pass_at = Json::object();
  for (const auto& [k, passed] : figure.pass_at) pass_at[std::to_string(k)] = passed;
  return {{"task", figure.task},
          {"context", figure.context},
          {"configuration", figure.configuration},
          {"items", figure.items},
          {"answers", figure.answers},
          {"right", figure.right},
          {"refused", figure.refused},
          {"cut_off", figure.cut_off},
          {"accuracy", figure.accuracy},
          {"accuracy_low", figure.interval.low},
          {"accuracy_high", figure.interval.high},
          {"pass_at", std::move(pass_at)},
          {"completion_tokens", figure.completion_tokens},
          {"total_seconds", figure.total_seconds},
          {"tokens_per_second", figure.tokens_per_second},
          {"mean_tokens_per_second", figure.mean_tokens_per_second},
          {"decoding_tokens_per_second", figure.decoding_tokens_per_second},
          {"ttft_ms", figure.ttft_ms},
          {"prompt_tokens", figure.prompt_tokens},
          {"bytes_per_token", figure.bytes_per_token},
          {"on_small", figure.on_small},
          {"acceptance", figure.acceptance}};
}

Json ToJson(const EvalReport& report) {
  Json models = Json::array();
  for (const ModelInfo& model : report.models) {
    models.push_back({{"name", model.name},
                      {"role", model.role},
                      {"weights", model.weights},
                      {"bytes", model.bytes},
                      {"fingerprint", model.fingerprint}});
  }
  Json tasks = Json::array();
  for (const EvaluatedTask& task : report.tasks) {
    tasks.push_back({{"name", task.name},
                     {"intent", task.intent},
                     {"context", task.context},
                     {"kind", task.kind},
                     {"items", task.items},
                     {"sha256", task.sha256},
                     {"files", task.paths}});
  }
  Json configurations = Json::array();
  for (const EvaluatedConfiguration& configuration : report.configurations) {
    configurations.push_back({{"name", configuration.name},
                              {"policy", configuration.policy},
                              {"policy_hash", configuration.policy_hash}});
  }
  Json figures = Json::array();
  for (const EvalFigure& figure : report.figures) figures.push_back(ToJson(figure));
  return {{"models", std::move(models)},
          {"tasks", std::move(tasks)},
          {"configurations", std::move(configurations)},
          {"answers", report.answers},
          {"resumed", report.resumed},
          {"seconds", report.seconds},
          {"sandbox_lacks", report.sandbox_lacks},
          {"figures", std::move(figures)}};
}

}  // namespace

std::string EvalTaskTitle(const EvalFigure& figure) {
  if (figure.context == 0) return figure.task;
  return fmt::format("{} at {} tokens", figure.task, figure.context);
}

std::string EvalTables(const EvalReport& report) {
  size_t width = 13;
  for (const EvalFigure& figure : report.figures) {
    width = std::max(width, figure.configuration.size());
  }
  std::string text;
  std::string title;
  // Figures come by task and length, configurations within.
  for (const EvalFigure& figure : report.figures) {
    if (std::string next = EvalTaskTitle(figure); next != title) {
      title = std::move(next);
      text += fmt::format("{}{}: {} prompts of {:.0f} tokens\n", text.empty() ? "" : "\n", title,
                          figure.items, figure.prompt_tokens);
      text += fmt::format("  {:<{}} {:>7} {:>15} {:>9} {:>9} {:>9} {:>9} {:>8}\n", "configuration",
                          width, "right %", "95 %", "tokens/s", "mean/s", "decode/s", "TTFT ms",
                          "small %");
    }
    text += Row(figure, width);
  }
  return text;
}

std::string EvalJson(const EvalSettings& settings, const EvalReport& report) {
  Json json = ToJson(report);
  json["command"] = CommandLine();
  json["asked"] = {{"limit", settings.extent.limit},
                   {"contexts", settings.extent.contexts},
                   {"depths", settings.extent.depths},
                   {"shots", settings.options.prompts.shots},
                   {"prompts", PromptStyleName(settings.options.prompts.style)},
                   {"samples", settings.options.samples},
                   {"temperature", settings.options.temperature},
                   {"by_likelihood", settings.options.by_likelihood},
                   {"in_flight", settings.options.in_flight_max},
                   {"seed", settings.options.seed}};
  return json.dump(2, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

}  // namespace aio
