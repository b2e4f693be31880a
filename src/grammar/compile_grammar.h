// From expressions to the normal form of grammar.h.
#ifndef AIO_GRAMMAR_COMPILE_GRAMMAR_H_
#define AIO_GRAMMAR_COMPILE_GRAMMAR_H_

#include <cstddef>
#include <memory>

#include "base/status.h"
#include "grammar/grammar.h"
#include "grammar/grammar_builder.h"

namespace aio {

// What bounds time and memory of any grammar, however it was meant.
struct GrammarLimits {
  static constexpr size_t kNodesMax = 50'000;       // of all rules' automata
  static constexpr size_t kRuleNodesMax = 400'000;  // of one rule's, before subsets
  static constexpr size_t kEdgesMax = 400'000;
  static constexpr size_t kWorkMax = 8'000'000;  // steps of the construction, about 1 s
  static constexpr int kLeftCallsMax = 500;      // rules entered without reading a byte
  static constexpr int kExpressionDepthMax = 500;
};

// kInvalidArgument for what is too large, for left recursion, and where no text matches at all.
// The construction is the textbook's: Thompson's automaton of each rule with calls as letters,
// then subsets; nodes and calls that lead nowhere are left out.
Result<std::shared_ptr<const Grammar>> CompileGrammar(const GrammarBuilder& builder, RuleId root);

}  // namespace aio

#endif  // AIO_GRAMMAR_COMPILE_GRAMMAR_H_
