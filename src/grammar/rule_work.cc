#include "grammar/rule_work.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace aio {

namespace {

// Backwards from the ends.
class LifeFinder {
 public:
  explicit LifeFinder(std::vector<RuleWork>& rules)
      : rules_(rules), users_(rules.size()), callers_(rules.size()) {}

  void Run() {
    for (size_t rule = 0; rule < rules_.size(); ++rule) FindUses(static_cast<int32_t>(rule));
    for (size_t rule = 0; rule < rules_.size(); ++rule) Begin(static_cast<int32_t>(rule));
    while (!lively_.empty()) {
      const auto [rule, node] = lively_.back();
      lively_.pop_back();
      for (const int32_t user : users_[rule][node]) TryToEnliven(rule, user);
      if (node != 0 || rules_[rule].matches) continue;
      rules_[rule].matches = true;
      for (const auto& [caller, user] : callers_[rule]) TryToEnliven(caller, user);
    }
  }

 private:
  void FindUses(int32_t rule) {
    const RuleWork& work = rules_[rule];
    users_[rule].resize(work.nodes.size());
    for (size_t node = 0; node < work.nodes.size(); ++node) {
      const auto from = static_cast<int32_t>(node);
      for (const Grammar::ByteEdge& edge : work.bytes[node]) {
        users_[rule][edge.target].push_back(from);
      }
      for (const Grammar::CallEdge& edge : work.calls[node]) {
        users_[rule][edge.target].push_back(from);
        callers_[edge.rule].emplace_back(rule, from);
      }
    }
  }

  void Begin(int32_t rule) {
    RuleWork& work = rules_[rule];
    work.is_alive.assign(work.nodes.size(), false);
    for (size_t node = 0; node < work.nodes.size(); ++node) {
      const Grammar::Node& n = work.nodes[node];
      const bool is_end = n.is_final || n.completes || (n.is_between && work.min == 0);
      if (is_end) Enliven(rule, static_cast<int32_t>(node));
    }
  }

  void Enliven(int32_t rule, int32_t node) {
    if (rules_[rule].is_alive[node]) return;
    rules_[rule].is_alive[node] = true;
    lively_.emplace_back(rule, node);
  }

  void TryToEnliven(int32_t rule, int32_t node) {
    const RuleWork& work = rules_[rule];
    if (work.is_alive[node]) return;
    const auto is_used = [&](const auto& edge) { return work.IsUsed(edge, rules_); };
    if (std::any_of(work.bytes[node].begin(), work.bytes[node].end(), is_used) ||
        std::any_of(work.calls[node].begin(), work.calls[node].end(), is_used)) {
      Enliven(rule, node);
    }
  }

  std::vector<RuleWork>& rules_;
  std::vector<std::vector<std::vector<int32_t>>> users_;  // [rule][node]: nodes with an edge to it
  std::vector<std::vector<std::pair<int32_t, int32_t>>> callers_;  // [rule]: rule and node
  std::vector<std::pair<int32_t, int32_t>> lively_;                // rule and node
};

}  // namespace

void FindWhatMatches(std::vector<RuleWork>& rules) { LifeFinder(rules).Run(); }

}  // namespace aio
