// One rule's automaton while a grammar is compiled. Internal to grammar/.
#ifndef AIO_GRAMMAR_RULE_AUTOMATON_H_
#define AIO_GRAMMAR_RULE_AUTOMATON_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/status.h"
#include "grammar/grammar.h"

namespace aio {

// Nondeterministic, with edges that read nothing.
class RuleNfa {
 public:
  struct Bytes {
    uint8_t first;
    uint8_t last;
    int32_t target;
  };
  struct Node {
    std::vector<int32_t> empty;
    std::vector<Bytes> bytes;
    std::vector<Grammar::CallEdge> calls;
  };

  int32_t AddNode() {
    nodes_.emplace_back();
    return static_cast<int32_t>(nodes_.size()) - 1;
  }
  void AddEmpty(int32_t from, int32_t to) { nodes_[from].empty.push_back(to); }
  void AddBytes(int32_t from, uint8_t first, uint8_t last, int32_t to) {
    nodes_[from].bytes.push_back({first, last, to});
  }
  void AddCall(int32_t from, int32_t rule, int32_t to) { nodes_[from].calls.push_back({rule, to}); }

  const Node& node(int32_t id) const { return nodes_[id]; }
  size_t size() const { return nodes_.size(); }

 private:
  std::vector<Node> nodes_;
};

// Deterministic; node 0 is the start. Edges are sorted.
struct RuleDfa {
  struct Node {
    std::vector<Grammar::ByteEdge> bytes;
    std::vector<Grammar::CallEdge> calls;
    bool is_final = false;
  };
  std::vector<Node> nodes;
};

// What a construction may still take; below zero: too large.
struct ConstructionBudget {
  int64_t nodes;
  int64_t edges;
  int64_t work;

  bool is_spent() const { return nodes < 0 || edges < 0 || work < 0; }
};

// By subsets. Stops where the budget is spent; then the result is of no use.
RuleDfa Determinize(const RuleNfa& nfa, int32_t start, int32_t accept, ConstructionBudget& budget);

}  // namespace aio

#endif  // AIO_GRAMMAR_RULE_AUTOMATON_H_
