#include "router/as_seen_by.h"

namespace aio {
namespace {

bool Asks(const RoutingPolicy& policy, const Signals& signals) {
  return policy.wants_probe() && signals.prompt_tokens <= policy.probe_prompt_tokens_max();
}

}  // namespace

Signals AsSeenBy(const RoutingPolicy& policy, Signals signals) {
  const PolicySettings& settings = policy.settings();
  const bool looks_at_beginning = settings.kind == PolicyKind::kCascade && signals.first_tokens &&
                                  signals.first_tokens->tokens == settings.cascade.tokens;
  if (!looks_at_beginning) signals.first_tokens.reset();
  if (Asks(policy, signals)) return signals;
  signals.intent.reset();
  signals.label_logits.clear();
  signals.probe_fault.clear();
  return signals;
}

bool LacksProbe(const RoutingPolicy& policy, const Signals& signals) {
  return Asks(policy, signals) && !signals.intent && signals.probe_fault.empty();
}

}  // namespace aio
