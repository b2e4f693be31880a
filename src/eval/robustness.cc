#include "eval/robustness.h"

#include <fmt/format.h>

#include <algorithm>

#include "eval/decide_all.h"
#include "router/routing_policy.h"

namespace aio {
namespace {

void Count(bool counted, Share& share) {
  ++share.of;
  share.count += counted ? 1 : 0;
}

void Count(const std::string& name, bool counted, std::vector<NamedShare>& shares) {
  auto found = std::find_if(shares.begin(), shares.end(),
                            [&](const NamedShare& share) { return share.name == name; });
  if (found == shares.end()) found = shares.insert(shares.end(), {name, {}});
  Count(counted, found->share);
}

// The prompt at place `i` of Texts().
void Count(const RobustnessSuites& suites, size_t i, const Decision& decision,
           RobustnessReport& report) {
  const bool small = decision.role == kSmallRole;
  if (i < suites.attacked.size()) {
    const SuitePrompt& prompt = suites.attacked[i];
    Count(small, report.attack_success);
    Count(prompt.kind, small, report.by_attack);
    if (small) report.successful.push_back(prompt.text);
    return;
  }
  i -= suites.attacked.size();
  if (i < suites.multi_intent.size()) {
    Count(!small, report.multi_intent_to_large);
    Count(suites.multi_intent[i].kind, !small, report.by_pair);
    return;
  }
  const CleanPrompt& prompt = suites.clean[i - suites.multi_intent.size()];
  const bool right = small == (prompt.intent == suites.small_intent);
  Count(right, report.clean_right);
  Count(prompt.intent, right, report.by_intent);
  Count(decision.intent == prompt.intent, report.clean_intent_right);
}

std::vector<std::string> Texts(const RobustnessSuites& suites) {
  std::vector<std::string> texts;
  texts.reserve(suites.size());
  for (const SuitePrompt& prompt : suites.attacked) texts.push_back(prompt.text);
  for (const SuitePrompt& prompt : suites.multi_intent) texts.push_back(prompt.text);
  for (const CleanPrompt& prompt : suites.clean) texts.push_back(prompt.text);
  return texts;
}

}  // namespace

Result<RobustnessReport> MeasureRobustness(Backend& router, const RobustnessSuites& suites,
                                           const std::function<void(size_t done)>& progress) {
  DecideAllOptions options;
  options.progress = progress;
  const std::vector<Result<Decision>> decisions = DecideAll(router, Texts(suites), options);
  RobustnessReport report;
  int decided = 0;
  for (size_t i = 0; i < decisions.size(); ++i) {
    if (decisions[i].ok()) {
      Count(suites, i, *decisions[i], report);
      report.decision_ms += decisions[i]->probe_ms;
      ++decided;
    } else if (decisions[i].status().reason() == "context_length_exceeded") {
      ++report.refused;
    } else {
      return decisions[i].status().WithContext(fmt::format("prompt {}", i + 1));
    }
  }
  if (decided > 0) report.decision_ms /= decided;
  return report;
}

}  // namespace aio
