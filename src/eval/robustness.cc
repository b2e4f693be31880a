#include "eval/robustness.h"

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
  AIO_ASSIGN_OR_RETURN(const std::vector<Decision> decisions,
                       DecideAll(router, Texts(suites), options));
  RobustnessReport report;
  auto decision = decisions.begin();
  for (const SuitePrompt& prompt : suites.attacked) {
    const bool small = (decision++)->role == kSmallRole;
    Count(small, report.attack_success);
    Count(prompt.kind, small, report.by_attack);
    if (small) report.successful.push_back(prompt.text);
  }
  for (const SuitePrompt& prompt : suites.multi_intent) {
    const bool large = (decision++)->role == kLargeRole;
    Count(large, report.multi_intent_to_large);
    Count(prompt.kind, large, report.by_pair);
  }
  for (const CleanPrompt& prompt : suites.clean) {
    const bool small = decision->role == kSmallRole;
    const bool right = small == (prompt.intent == suites.small_intent);
    Count(right, report.clean_right);
    Count(prompt.intent, right, report.by_intent);
    Count((decision++)->intent == prompt.intent, report.clean_intent_right);
  }
  for (const Decision& each : decisions) report.decision_ms += each.probe_ms;
  if (!decisions.empty()) report.decision_ms /= static_cast<double>(decisions.size());
  return report;
}

}  // namespace aio
