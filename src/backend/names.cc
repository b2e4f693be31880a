#include "backend/events.h"
#include "backend/request.h"

namespace aio {

std::string_view StrategyName(StrategyKind kind) {
  switch (kind) {
    case StrategyKind::kPlain:
      return "plain";
    case StrategyKind::kPromptLookup:
      return "prompt_lookup";
  }
  return "unknown";
}

std::optional<StrategyKind> StrategyFromName(std::string_view name) {
  for (StrategyKind kind : {StrategyKind::kPlain, StrategyKind::kPromptLookup}) {
    if (name == StrategyName(kind)) return kind;
  }
  return std::nullopt;
}

std::string_view FinishReasonName(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

}  // namespace aio
