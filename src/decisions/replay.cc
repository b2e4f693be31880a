#include "decisions/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "decisions/replay_change.h"
#include "router/as_seen_by.h"

namespace aio {
namespace {

ReplayArm ArmOf(const PolicyOutcome& outcome) {
  return {.role = outcome.role, .weights = outcome.weights, .strategy = outcome.strategy.kind};
}

// What of `anew` is not as it was logged; empty: nothing.
std::string Difference(const PolicyOutcome& logged, const PolicyOutcome& anew) {
  const auto changed = [](std::string_view what, const std::string& now, const std::string& was) {
    return fmt::format("{} '{}', was '{}'", what, now, was);
  };
  if (anew.role != logged.role) return changed("role", anew.role, logged.role);
  if (anew.rule != logged.rule) return changed("rule", anew.rule, logged.rule);
  if (anew.weights != logged.weights) return changed("weights", anew.weights, logged.weights);
  if (anew.strategy != logged.strategy) {
    return changed("strategy", std::string(StrategyName(anew.strategy.kind)),
                   std::string(StrategyName(logged.strategy.kind)));
  }
  if (anew.reason != logged.reason) return changed("reason", anew.reason, logged.reason);
  return "";
}

// Gives every value its index in a table.
template <typename T>
class Numbered {
 public:
  explicit Numbered(std::vector<T>& table) : table_(table) {}

  int32_t operator()(const T& value) {
    const auto [found, is_new] = numbers_.emplace(value, static_cast<int32_t>(table_.size()));
    if (is_new) table_.push_back(value);
    return found->second;
  }

 private:
  std::vector<T>& table_;
  std::map<T, int32_t> numbers_;
};

}  // namespace

std::string ReplayArm::Name() const {
  return fmt::format("{}{}, {}", role, weights.empty() ? "" : " on " + weights,
                     StrategyName(strategy));
}

class Replay::Impl {
 public:
  Impl(const std::map<std::string, std::string>& logged, std::vector<RoutingPolicy> others,
       ReplayOptions options)
      : options_(options), others_(std::move(others)), to_(others_.size()) {
    for (const auto& [hash, text] : logged) {
      PolicyCheck& check = checks_[hash];
      check.hash = hash;
      Result<RoutingPolicy> policy = RoutingPolicy::FromToml(text, "policy in the log");
      if (policy.ok() && policy->hash() != hash) {
        policy = InvalidArgument("its text in the log is not what its hash says");
      }
      if (!policy.ok()) {
        check.fault = policy.status().message();
        continue;
      }
      check.name = policy->name();
      logged_.emplace(hash, *std::move(policy));
    }
    for (const RoutingPolicy& policy : others_) {
      report_.policies.emplace_back();
      report_.policies.back().name = policy.name();
      report_.policies.back().hash = policy.hash();
    }
  }

  void Add(const LoggedRequest& request) {
    Count(request);
    if (request.signals) Check(request);
    log_.requests.push_back(Condense(request));
    for (size_t i = 0; i < others_.size(); ++i) to_[i].push_back(DecideBy(i, request));
  }

  ReplayReport Finish() {
    for (auto& [hash, check] : checks_) {
      if (check.requests > 0) report_.checks.push_back(std::move(check));
    }
    report_.arms = CountUse(log_);
    for (size_t i = 0; i < others_.size(); ++i) {
      DescribeChange(log_, to_[i], report_.policies[i]);
    }
    return std::move(report_);
  }

 private:
  void Count(const LoggedRequest& request) {
    const int64_t time = request.unix_seconds;
    if (report_.requests == 0) report_.first_unix_seconds = report_.last_unix_seconds = time;
    report_.first_unix_seconds = std::min(report_.first_unix_seconds, time);
    report_.last_unix_seconds = std::max(report_.last_unix_seconds, time);
    ++report_.requests;
    if (!request.signals) ++report_.by_name;
    if (!request.outcome) ++report_.without_end;
    if (request.score) ++report_.scored;
  }

  void Check(const LoggedRequest& request) {
    PolicyCheck& check = checks_[request.policy_hash];
    ++check.requests;
    const auto policy = logged_.find(request.policy_hash);
    if (policy == logged_.end()) {
      check.hash = request.policy_hash;
      if (check.fault.empty()) check.fault = "its text is not in the log";
      return;
    }
    const std::string difference =
        Difference(request.decided, policy->second.Decide(*request.signals));
    if (difference.empty()) {
      ++check.same;
    } else if (check.differences.size() < options_.differences_max) {
      check.differences.push_back(
          fmt::format("row {}, id {}: {}", request.row, request.request_id, difference));
    }
  }

  ReplayedRequest Condense(const LoggedRequest& request) {
    ReplayedRequest condensed;
    condensed.intent = number_intent_(request.intent);
    condensed.arm = number_arm_(ArmOf(request.decided));
    condensed.by_policy = request.signals.has_value();
    condensed.score = request.score ? static_cast<float>(*request.score)
                                    : std::numeric_limits<float>::quiet_NaN();
    if (!request.outcome) return condensed;
    const LoggedOutcome& outcome = *request.outcome;
    condensed.ended =
        outcome.complete() && outcome.completion_tokens > 0 && outcome.answered_by == request.model;
    condensed.tokens = outcome.completion_tokens;
    condensed.seconds =
        static_cast<float>((outcome.timings.prompt_ms + outcome.timings.predicted_ms) / 1000);
    condensed.bytes = outcome.traffic.weight_bytes + outcome.traffic.kv_bytes;
    return condensed;
  }

  int32_t DecideBy(size_t other, const LoggedRequest& request) {
    const ReplayArm from = ArmOf(request.decided);
    if (!request.signals) return number_arm_(from);
    const RoutingPolicy& policy = others_[other];
    const PolicyOutcome outcome = policy.Decide(AsSeenBy(policy, *request.signals));
    PolicyReplay& replay = report_.policies[other];
    if (LacksProbe(policy, *request.signals)) ++replay.unprobed;
    if (outcome.cascade) ++replay.may_escalate;
    const ReplayArm to = ArmOf(outcome);
    if (!(to == from) && replay.moves.size() < options_.moves_max) {
      replay.moves.push_back({.row = request.row,
                              .request_id = request.request_id,
                              .intent = request.intent,
                              .from = from,
                              .to = to,
                              .rule = outcome.rule,
                              .reason = outcome.reason});
    }
    return number_arm_(to);
  }

  const ReplayOptions options_;
  const std::vector<RoutingPolicy> others_;
  std::map<std::string, RoutingPolicy> logged_;  // by hash
  std::map<std::string, PolicyCheck> checks_;    // likewise
  ReplayReport report_;
  ReplayedRequests log_;
  Numbered<std::string> number_intent_{log_.intents};
  Numbered<ReplayArm> number_arm_{log_.arms};
  std::vector<std::vector<int32_t>> to_;  // [others, requests]: number of the arm
};

Replay::Replay(const std::map<std::string, std::string>& logged, std::vector<RoutingPolicy> others,
               ReplayOptions options)
    : impl_(std::make_unique<Impl>(logged, std::move(others), options)) {}
Replay::~Replay() = default;
void Replay::Add(const LoggedRequest& request) { impl_->Add(request); }
ReplayReport Replay::Finish() { return impl_->Finish(); }

}  // namespace aio
