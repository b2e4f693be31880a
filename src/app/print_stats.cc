#include "app/print_stats.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "app/system_memory.h"

namespace aio {

namespace {

constexpr double kBarLength = 24;

std::string Line(std::string_view name, std::string_view text) {
  return fmt::format("{:<8} {}", name, text);
}

std::string DescribeStrategy(const Strategy& strategy) {
  std::string text(StrategyName(strategy.kind));
  if (strategy.kind == StrategyKind::kPlain) return text;
  const bool looks_up = strategy.kind != StrategyKind::kDraftModel;
  return fmt::format("{} ({}{}{} guesses a step)", text,
                     looks_up ? fmt::format("n-grams {} to {}, ", strategy.prompt_lookup_max,
                                            strategy.prompt_lookup_min)
                              : "",
                     strategy.kind == StrategyKind::kAuto ? "up to " : "",
                     strategy.num_speculative_tokens);
}

std::string DescribeModel(const StartEvent& start) {
  if (!start.decision) return start.model;
  std::string text = fmt::format("{}, {}", start.model, DescribeStrategy(start.decision->strategy));
  if (!start.decision->weights.empty()) text += ", weights " + start.decision->weights;
  return text;
}

std::string DescribeTokens(const FinishEvent& finish) {
  return fmt::format("{} prompt ({} cached), {} generated ({})", finish.usage.prompt_tokens,
                     finish.usage.cached_prompt_tokens, finish.usage.completion_tokens,
                     FinishReasonName(finish.reason));
}

// The acceptance, and a bar for each number of guesses that steps kept.
void AddSpeculation(const Speculation& speculation, std::vector<std::string>& lines) {
  if (speculation.draft_tokens == 0) return;
  std::string summary =
      fmt::format("{} checked, {} accepted ({:.1f} %)", speculation.draft_tokens,
                  speculation.draft_accepted_tokens,
                  100.0 * speculation.draft_accepted_tokens / speculation.draft_tokens);
  const auto& steps = speculation.steps_by_accepted;
  const int num_steps = std::accumulate(steps.begin(), steps.end(), 0);
  if (num_steps > 0) {
    summary += fmt::format(", {:.2f} a step",
                           static_cast<double>(speculation.draft_accepted_tokens) / num_steps);
  }
  lines.push_back(Line("guesses", summary));
  const double most = *std::max_element(steps.begin(), steps.end());
  const auto end = std::find_if(steps.rbegin(), steps.rend(), [](int n) { return n != 0; }).base();
  for (auto n = steps.begin(); n != end; ++n) {
    std::string line = fmt::format("{:>2} kept {:>6}", n - steps.begin(), *n);
    if (*n > 0)
      line += " " + std::string(static_cast<size_t>(std::ceil(*n / most * kBarLength)), '#');
    lines.push_back(Line("", line));
  }
}

std::string DescribeBytes(const Traffic& traffic) {
  const int64_t total = traffic.weight_bytes + traffic.kv_bytes;
  std::string text = fmt::format("{} read ({} weights, {} KV)", FormatBytes(total),
                                 FormatBytes(traffic.weight_bytes), FormatBytes(traffic.kv_bytes));
  if (traffic.static_large_bytes > 0) {
    text +=
        fmt::format("; static large {} ({:.2f} x)", FormatBytes(traffic.static_large_bytes),
                    static_cast<double>(traffic.static_large_bytes) / static_cast<double>(total));
  }
  return text;
}

std::string DescribeTimes(const FinishEvent& finish) {
  const Timings& timings = finish.timings;
  std::string text = fmt::format("queue {:.1f} ms, ", timings.queue_ms);
  if (timings.probe_ms > 0) text += fmt::format("probe {:.1f} ms, ", timings.probe_ms);
  text +=
      fmt::format("prefill {:.1f} ms, decode {:.1f} ms", timings.prompt_ms, timings.predicted_ms);
  const double speed = DecodedTokensPerSecond(finish);
  return speed > 0 ? fmt::format("{} ({:.1f} tokens/s)", text, speed) : text;
}

}  // namespace

double DecodedTokensPerSecond(const FinishEvent& finish) {
  const double seconds = finish.timings.predicted_ms / 1000;
  const int decoded = finish.usage.completion_tokens - 1;
  return seconds > 0 && decoded > 0 ? decoded / seconds : 0.0;
}

std::string FormatStats(const CompletedAnswer& answer) {
  const FinishEvent& finish = answer.finish;
  std::vector<std::string> lines = {Line("model", DescribeModel(answer.start)),
                                    Line("tokens", DescribeTokens(finish))};
  AddSpeculation(finish.speculation, lines);
  if (finish.traffic.weight_bytes + finish.traffic.kv_bytes > 0) {
    lines.push_back(Line("bytes", DescribeBytes(finish.traffic)));
  }
  lines.push_back(Line("times", DescribeTimes(finish)));
  return fmt::format("{}", fmt::join(lines, "\n"));
}

}  // namespace aio
