// A context-free grammar as matched: one deterministic automaton over bytes for each rule, whose
// edges read a byte or call another rule.
//
// Its normal form, which matching relies on:
//   - no rule calls itself, through others or not, before it has read a byte (left recursion);
//   - every node lies on a way to its rule's end, and every rule matches some text, so what has
//     been matched so far can always be completed;
//   - a rule that may match the empty text is also passed by: each edge that calls it has a
//     neighbour that goes on without.
// A rule may be counted: its body is an item that is matched `min` to `max` times. Then it has
// nodes between items (where it may end, by the count) and nodes that complete one.
#ifndef AIO_GRAMMAR_GRAMMAR_H_
#define AIO_GRAMMAR_GRAMMAR_H_

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace aio {

using ByteSet = std::bitset<256>;

// Immutable once compiled; thread-safe.
class Grammar {
 public:
  struct ByteEdge {
    uint8_t first;
    uint8_t last;
    int32_t target;
  };
  struct CallEdge {
    int32_t rule;
    int32_t target;  // where the caller goes on
  };
  struct Node {
    int32_t rule = 0;
    int32_t bytes_begin = 0;  // edges, sorted, apart from one another
    int32_t bytes_end = 0;
    int32_t calls_begin = 0;
    int32_t calls_end = 0;
    bool is_final = false;      // the rule may end here; counted rules: `is_between` says it
    bool completes = false;     // an item of a counted rule is complete here
    bool is_between = false;    // of a counted rule: its start, and after each item
    ByteSet first = ByteSet{};  // bytes that may be read here before the rule ends

    bool has_edges() const { return bytes_begin < bytes_end || calls_begin < calls_end; }
  };
  struct Rule {
    int32_t start = 0;
    bool is_counted = false;
    int32_t min = 0;  // items, of a counted rule
    int32_t max = 0;  // kNoMax: any number
    // A rule whose automaton is the same, node by node from the start on, but for the numbers
    // above; itself where there is none before it.
    int32_t twin = 0;
    ByteSet follow = ByteSet{};  // bytes that may be read next where it, or one of its twins, ends
  };
  static constexpr int32_t kNoMax = std::numeric_limits<int32_t>::max();

  const Node& node(int32_t id) const { return nodes_[id]; }
  const Rule& rule(int32_t id) const { return rules_[id]; }
  const Rule& rule_of(int32_t node) const { return rules_[nodes_[node].rule]; }
  std::span<const ByteEdge> bytes(const Node& node) const {
    return std::span(byte_edges_).subspan(node.bytes_begin, node.bytes_end - node.bytes_begin);
  }
  std::span<const CallEdge> calls(const Node& node) const {
    return std::span(call_edges_).subspan(node.calls_begin, node.calls_end - node.calls_begin);
  }
  // The node at the same place of the rule's twin.
  int32_t twin_of(int32_t node) const {
    const Rule& rule = rule_of(node);
    return node - rule.start + rules_[rule.twin].start;
  }
  // The rule that a text must match as a whole.
  int32_t root() const { return root_; }
  int num_nodes() const { return static_cast<int>(nodes_.size()); }
  int num_rules() const { return static_cast<int>(rules_.size()); }
  size_t memory_bytes() const;

 private:
  friend class GrammarCompiler;
  friend class Lookahead;

  std::vector<Node> nodes_;
  std::vector<ByteEdge> byte_edges_;
  std::vector<CallEdge> call_edges_;
  std::vector<Rule> rules_;
  int32_t root_ = 0;
};

}  // namespace aio

#endif  // AIO_GRAMMAR_GRAMMAR_H_
