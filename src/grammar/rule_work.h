// A rule while its grammar is compiled. Internal to grammar/.
#ifndef AIO_GRAMMAR_RULE_WORK_H_
#define AIO_GRAMMAR_RULE_WORK_H_

#include <cstdint>
#include <vector>

#include "grammar/grammar.h"
#include "grammar/grammar_builder.h"

namespace aio {

struct RuleWork {
  ExprId body = -1;  // of a counted rule: the item; < 0: never defined
  bool is_counted = false;
  bool is_nullable = false;
  bool is_reachable = false;
  int32_t min = 0;
  int32_t max = 0;
  int32_t twin = -1;  // the first counted rule with the same item; < 0: not counted

  // Edges are beside the nodes here; targets are nodes of this rule.
  std::vector<Grammar::Node> nodes;
  std::vector<std::vector<Grammar::ByteEdge>> bytes;  // [nodes]
  std::vector<std::vector<Grammar::CallEdge>> calls;  // [nodes]

  // FindWhatMatches() says:
  std::vector<bool> is_alive;  // [nodes]: on a way to the rule's end
  bool matches = false;        // some text

  bool IsUsed(const Grammar::ByteEdge& edge, const std::vector<RuleWork>&) const {
    return is_alive[edge.target];
  }
  bool IsUsed(const Grammar::CallEdge& edge, const std::vector<RuleWork>& rules) const {
    return is_alive[edge.target] && rules[edge.rule].matches;
  }
};

// Sets `is_alive` and `matches`, in time linear in the edges.
void FindWhatMatches(std::vector<RuleWork>& rules);

}  // namespace aio

#endif  // AIO_GRAMMAR_RULE_WORK_H_
