// A context-free grammar over bytes while it is put together: rules, and expressions that may
// call them. Readers of JSON Schema, GBNF and regular expressions write into one of these;
// CompileGrammar() (compile_grammar.h) makes of it what matches.
#ifndef AIO_GRAMMAR_GRAMMAR_BUILDER_H_
#define AIO_GRAMMAR_GRAMMAR_BUILDER_H_

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "grammar/code_points.h"

namespace aio {

using ExprId = int32_t;
using RuleId = int32_t;
inline constexpr int kUnbounded = std::numeric_limits<int>::max();

enum class ExprKind : uint8_t {
  kNothing,   // matches no text at all
  kBytes,     // one text; empty: the empty text
  kRange,     // one byte of min..max
  kSequence,  // parts one after the other
  kChoice,    // any of parts
  kRepeat,    // parts[0], min to max times
  kCall,      // what rule `min` matches
  kList,      // parts: separator, tail, items; min: bits of `required` are in `bytes`
};

struct Expr {
  ExprKind kind = ExprKind::kNothing;
  int min = 0;
  int max = 0;
  std::string bytes = {};
  std::vector<ExprId> parts = {};
};

// An expression may be used more than once. Not thread-safe.
class GrammarBuilder {
 public:
  // Beyond these nothing more is taken in, and the grammar cannot be compiled.
  static constexpr size_t kPartsMax = 400'000;  // expressions, and uses of them in others
  static constexpr size_t kRulesMax = 20'000;

  ExprId Nothing();
  ExprId Empty() { return Bytes(""); }
  ExprId Bytes(std::string_view text);
  ExprId Range(uint8_t first, uint8_t last);
  // One character of the set, in UTF-8.
  ExprId Chars(const CodePointSet& set);
  ExprId Sequence(std::vector<ExprId> parts);
  ExprId Choice(std::vector<ExprId> parts);
  ExprId Repeat(ExprId item, int min, int max = kUnbounded);
  ExprId Optional(ExprId item) { return Repeat(item, 0, 1); }
  ExprId Call(RuleId rule);

  // Some of `items` in their order, all that are required among them, then any number of `tail`,
  // all separated from one another. No item matches the empty text.
  struct ListItem {
    ExprId item;
    bool required;
  };
  ExprId List(const std::vector<ListItem>& items, ExprId separator, ExprId tail);

  // A rule is defined once; one that never is matches nothing.
  RuleId AddRule();
  void Define(RuleId rule, ExprId body) { rules_[rule] = body; }
  // A rule of its own for `body`, called.
  ExprId AsRule(ExprId body);

  bool is_too_large() const { return num_parts_ > kPartsMax || rules_.size() > kRulesMax; }
  const Expr& expr(ExprId id) const { return exprs_[id]; }
  int num_rules() const { return static_cast<int>(rules_.size()); }
  // < 0: not defined.
  ExprId body(RuleId rule) const { return rules_[rule]; }

 private:
  ExprId Add(Expr expr);

  std::vector<Expr> exprs_;
  std::vector<ExprId> rules_;
  size_t num_parts_ = 0;
};

}  // namespace aio

#endif  // AIO_GRAMMAR_GRAMMAR_BUILDER_H_
