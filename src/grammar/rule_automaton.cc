#include "grammar/rule_automaton.h"

#include <algorithm>
#include <map>
#include <utility>

namespace aio {

namespace {

using Subset = std::vector<int32_t>;  // sorted nodes of the NFA

class SubsetConstruction {
 public:
  SubsetConstruction(const RuleNfa& nfa, int32_t accept, ConstructionBudget& budget)
      : nfa_(nfa), accept_(accept), budget_(budget), marks_(nfa.size(), false) {}

  RuleDfa Run(int32_t start) {
    IdOf(Close({start}));
    for (size_t next = 0; next < subsets_.size() && !budget_.is_spent(); ++next) {
      Expand(static_cast<int32_t>(next));
    }
    return std::move(dfa_);
  }

 private:
  Subset Close(Subset subset) {
    for (const int32_t node : subset) marks_[node] = true;
    for (size_t i = 0; i < subset.size(); ++i) {
      for (const int32_t next : nfa_.node(subset[i]).empty) {
        --budget_.work;
        if (marks_[next]) continue;
        marks_[next] = true;
        subset.push_back(next);
      }
    }
    for (const int32_t node : subset) marks_[node] = false;
    std::sort(subset.begin(), subset.end());
    budget_.work -= static_cast<int64_t>(subset.size());
    return subset;
  }

  int32_t IdOf(Subset subset) {
    const auto [entry, is_new] =
        ids_.try_emplace(std::move(subset), static_cast<int32_t>(subsets_.size()));
    if (is_new) {
      --budget_.nodes;
      subsets_.push_back(&entry->first);
      dfa_.nodes.emplace_back().is_final =
          std::binary_search(entry->first.begin(), entry->first.end(), accept_);
    }
    return entry->second;
  }

  int32_t TargetOf(Subset targets) {
    std::sort(targets.begin(), targets.end());
    targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
    --budget_.edges;
    return IdOf(Close(std::move(targets)));
  }

  void Expand(int32_t id) {
    const Subset& subset = *subsets_[id];
    std::vector<RuleNfa::Bytes> bytes;
    std::map<int32_t, Subset> calls;
    for (const int32_t node : subset) {
      const RuleNfa::Node& from = nfa_.node(node);
      bytes.insert(bytes.end(), from.bytes.begin(), from.bytes.end());
      for (const Grammar::CallEdge& call : from.calls) calls[call.rule].push_back(call.target);
    }
    budget_.work -= static_cast<int64_t>(bytes.size() + calls.size());
    ExpandBytes(id, bytes);
    for (auto& [rule, targets] : calls) {
      if (budget_.is_spent()) return;
      const int32_t target = TargetOf(std::move(targets));
      dfa_.nodes[id].calls.push_back({rule, target});
    }
  }

  // Between two borders of ranges all bytes lead to the same nodes.
  void ExpandBytes(int32_t id, const std::vector<RuleNfa::Bytes>& bytes) {
    std::vector<int> borders;
    borders.reserve(2 * bytes.size());
    for (const RuleNfa::Bytes& range : bytes) {
      borders.push_back(range.first);
      borders.push_back(range.last + 1);
    }
    std::sort(borders.begin(), borders.end());
    borders.erase(std::unique(borders.begin(), borders.end()), borders.end());
    for (size_t i = 0; i + 1 < borders.size() && !budget_.is_spent(); ++i) {
      Subset targets;
      for (const RuleNfa::Bytes& range : bytes) {
        if (range.first <= borders[i] && borders[i] <= range.last) targets.push_back(range.target);
      }
      budget_.work -= static_cast<int64_t>(bytes.size());
      if (targets.empty()) continue;
      const auto first = static_cast<uint8_t>(borders[i]);
      const auto last = static_cast<uint8_t>(borders[i + 1] - 1);
      AddEdge(id, first, last, TargetOf(std::move(targets)));
    }
  }

  void AddEdge(int32_t id, uint8_t first, uint8_t last, int32_t target) {
    std::vector<Grammar::ByteEdge>& edges = dfa_.nodes[id].bytes;
    const bool goes_on =
        !edges.empty() && edges.back().target == target && edges.back().last + 1 == first;
    if (goes_on) {
      edges.back().last = last;
    } else {
      edges.push_back({first, last, target});
    }
  }

  const RuleNfa& nfa_;
  const int32_t accept_;
  ConstructionBudget& budget_;
  std::vector<bool> marks_;
  std::map<Subset, int32_t> ids_;
  std::vector<const Subset*> subsets_;
  RuleDfa dfa_;
};

}  // namespace

RuleDfa Determinize(const RuleNfa& nfa, int32_t start, int32_t accept, ConstructionBudget& budget) {
  return SubsetConstruction(nfa, accept, budget).Run(start);
}

}  // namespace aio
