#include "backend/request.h"

namespace aio {

namespace {

constexpr StrategyKind kStrategyKinds[] = {StrategyKind::kPlain, StrategyKind::kPromptLookup,
                                           StrategyKind::kDraftModel, StrategyKind::kAuto};
constexpr std::string_view kPaperPreset = "prompt_lookup_paper";

}  // namespace

std::string_view StrategyName(StrategyKind kind) {
  switch (kind) {
    case StrategyKind::kPlain:
      return "plain";
    case StrategyKind::kPromptLookup:
      return "prompt_lookup";
    case StrategyKind::kDraftModel:
      return "draft_model";
    case StrategyKind::kAuto:
      return "auto";
  }
  return "unknown";
}

Strategy DefaultStrategy(StrategyKind kind) {
  Strategy strategy{.kind = kind};
  switch (kind) {
    case StrategyKind::kPlain:
      break;
    case StrategyKind::kPromptLookup:
      strategy.num_speculative_tokens = 8;
      break;
    case StrategyKind::kDraftModel:
      strategy.num_speculative_tokens = 4;
      break;
    case StrategyKind::kAuto:
      strategy.num_speculative_tokens = kSpeculativeTokensMax;
      break;
  }
  return strategy;
}

std::optional<Strategy> StrategyFromName(std::string_view name) {
  for (const StrategyKind kind : kStrategyKinds) {
    if (name == StrategyName(kind)) return DefaultStrategy(kind);
  }
  if (name != kPaperPreset) return std::nullopt;
  Strategy paper{.kind = StrategyKind::kPromptLookup};
  paper.prompt_lookup_max = 6;
  paper.num_speculative_tokens = 2;
  return paper;
}

std::string_view StrategyNames() {
  return "plain, prompt_lookup, prompt_lookup_paper, draft_model, auto";
}

}  // namespace aio
