// Policy and probe files are read from disk, hence from anyone: no text may crash the
// readers, and a policy that was accepted decides everything.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "router/explain.h"
#include "router/probe.h"
#include "router/routing_policy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto probe = aio::ProbeConfigFromToml(text, "fuzz.toml");
  if (probe.ok() && !aio::CheckLabelQuery(*probe).ok()) std::abort();

  const auto policy = aio::RoutingPolicy::FromToml(text, "fuzz.toml");
  if (!policy.ok()) return 0;
  aio::Signals signals;
  signals.prompt_tokens = static_cast<int>(size % 5000);
  if (policy->Decide(signals).reason.empty()) std::abort();
  signals.intent = aio::IntentDistribution{
      .labels = {"code", "qa"}, .probabilities = {0.75, 0.25}, .entropy = 0.5623};
  signals.label_logits = {1.0986f, 0.0f};
  signals.large.load.running = 1;
  if (policy->Decide(signals).reason.size() >= 200) std::abort();
  const aio::Explanation explanation = aio::Explain(*policy, signals);
  if (explanation.outcome.confidence < 0 || explanation.outcome.confidence > 1.0001) std::abort();
  return 0;
}
