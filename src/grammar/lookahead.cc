#include "grammar/lookahead.h"

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "grammar/compile_grammar.h"

namespace aio {

Status Lookahead::Find() {
  AIO_RETURN_IF_ERROR(FindFirst());
  FindFollow();
  return Status::Ok();
}

// Of rules before their callers.
Status Lookahead::FindFirst() {
  enum : uint8_t { kNew, kOpen, kDone };
  std::vector<uint8_t> states(grammar_.rules_.size(), kNew);
  std::vector<std::pair<int32_t, int32_t>> path;  // rule, and how many of its calls are done
  for (int32_t rule = 0; rule < grammar_.num_rules(); ++rule) {
    if (states[rule] != kNew) continue;
    path.emplace_back(rule, 0);
    states[rule] = kOpen;
    while (!path.empty()) {
      if (path.size() > GrammarLimits::kLeftCallsMax) {
        return InvalidArgument("rules call one another too deeply before anything is read");
      }
      auto& [open, next] = path.back();
      Grammar::Node& start = grammar_.nodes_[grammar_.rules_[open].start];
      if (start.calls_begin + next < start.calls_end) {
        const int32_t called = grammar_.call_edges_[start.calls_begin + next++].rule;
        if (states[called] == kOpen) {
          return InvalidArgument(
              "a rule calls itself before it has read anything (left recursion); write the "
              "repetition with * or +, or the recursive part last");
        }
        if (states[called] == kNew) {
          states[called] = kOpen;
          path.emplace_back(called, 0);
        }
        continue;
      }
      SetFirst(start);
      states[open] = kDone;
      path.pop_back();
    }
  }
  for (Grammar::Node& node : grammar_.nodes_) SetFirst(node);
  return Status::Ok();
}

void Lookahead::SetFirst(Grammar::Node& node) {
  for (const Grammar::ByteEdge& edge : grammar_.bytes(node)) {
    for (int byte = edge.first; byte <= edge.last; ++byte) node.first.set(byte);
  }
  for (const Grammar::CallEdge& edge : grammar_.calls(node)) {
    node.first |= grammar_.nodes_[grammar_.rules_[edge.rule].start].first;
  }
}

// What a rule's callers go on with, and, where they may end too, their callers.
void Lookahead::FindFollow() {
  std::vector<std::vector<int32_t>> heirs(grammar_.rules_.size());  // [rule]
  for (const Grammar::Node& node : grammar_.nodes_) {
    for (const Grammar::CallEdge& call : grammar_.calls(node)) {
      const Grammar::Node& after = grammar_.nodes_[call.target];
      const int32_t called = grammar_.rules_[call.rule].twin;
      const Grammar::Rule& caller = grammar_.rules_[after.rule];
      ByteSet& follow = grammar_.rules_[called].follow;
      follow |= after.first;
      if (after.completes) follow |= grammar_.nodes_[caller.start].first;
      if (after.is_final || after.completes) heirs[caller.twin].push_back(called);
    }
  }
  std::vector<int32_t> changed(grammar_.rules_.size());
  std::iota(changed.begin(), changed.end(), 0);
  while (!changed.empty()) {
    const int32_t rule = changed.back();
    changed.pop_back();
    for (const int32_t heir : heirs[rule]) {
      ByteSet& follow = grammar_.rules_[heir].follow;
      const ByteSet more = follow | grammar_.rules_[rule].follow;
      if (more == follow) continue;
      follow = more;
      changed.push_back(heir);
    }
  }
}

}  // namespace aio
