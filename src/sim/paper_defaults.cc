#include "sim/paper_defaults.h"

#include <string_view>
#include <utility>

namespace aio {
namespace {

// The task that stands for an intent where the paper has several.
constexpr std::pair<std::string_view, std::string_view> kTasks[] = {
    {"code", "humaneval"}, {"qa", "mmlu"}, {"math", "gsm8k"}};

PolicyArm ArmOf(const PaperTables& tables, bool large) {
  const std::string_view row = large ? kStaticLarge : kStaticSmall;
  PolicyArm arm;
  arm.role = large ? "large" : "small";
  arm.long_tokens = tables.long_context.short_tokens;
  for (const auto& [intent, task] : kTasks) {
    const AccuracyTps* figures = tables.figures.Find(row, task);
    if (figures == nullptr || !figures->accuracy) continue;
    arm.accuracy.emplace_back(intent, *figures->accuracy);
    const PaperLongContext::Accuracies* of_long =
        task == tables.long_context.task ? FindNamed(tables.long_context.accuracy, row) : nullptr;
    arm.accuracy_long.emplace_back(intent,
                                   of_long != nullptr ? of_long->long_context : *figures->accuracy);
  }
  return arm;
}

// p by which 1 + p + ... + p^guesses is `tokens`, by halves.
double ChanceOf(double tokens, int guesses) {
  double low = 0;
  double high = 1;
  for (int i = 0; i < 50; ++i) {
    const double middle = (low + high) / 2;
    const GuessChances chances(StrategyKind::kPromptLookup, guesses, middle, 0);
    (chances.Expected(guesses) < tokens ? low : high) = middle;
  }
  return low;
}

}  // namespace

ProbeQuality PaperProbe(const PaperTables& tables) {
  ProbeQuality quality{.labels = tables.confusion.labels, .said = {}};
  for (const std::vector<int64_t>& row : tables.confusion.counts) {
    quality.said.emplace_back(row.begin(), row.end());
  }
  return quality;
}

std::vector<PolicyArm> PaperAccuracies(const PaperTables& tables) {
  return {ArmOf(tables, false), ArmOf(tables, true)};
}

AcceptanceTable PaperAcceptance(const PaperTables& tables, bool large) {
  AcceptanceTable acceptance;
  for (const auto& [intent, task] : kTasks) {
    const AccuracyTps* plain = tables.figures.Find(large ? kStaticLarge : kStaticSmall, task);
    const AccuracyTps* looked_up =
        tables.figures.Find(large ? kStaticLargePld : kStaticSmallPld, task);
    if (plain == nullptr || looked_up == nullptr || !plain->tps || !looked_up->tps) continue;
    acceptance[{StrategyKind::kPromptLookup, std::string(intent)}] =
        ChanceOf(*looked_up->tps / *plain->tps, tables.setting.num_speculative_tokens);
  }
  return acceptance;
}

}  // namespace aio
