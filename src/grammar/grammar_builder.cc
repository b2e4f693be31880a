#include "grammar/grammar_builder.h"

#include <utility>

#include "base/check.h"

namespace aio {

// One too many is dropped for expression 0, which matches nothing: nobody will see what of.
ExprId GrammarBuilder::Add(Expr expr) {
  if (exprs_.empty()) exprs_.emplace_back();
  num_parts_ += 1 + expr.parts.size() + expr.bytes.size();
  if (is_too_large()) return 0;
  exprs_.push_back(std::move(expr));
  return static_cast<ExprId>(exprs_.size()) - 1;
}

ExprId GrammarBuilder::Nothing() { return Add({}); }

ExprId GrammarBuilder::Bytes(std::string_view text) {
  Expr expr{.kind = ExprKind::kBytes};
  expr.bytes = text;
  return Add(std::move(expr));
}

ExprId GrammarBuilder::Range(uint8_t first, uint8_t last) {
  return Add({.kind = ExprKind::kRange, .min = first, .max = last});
}

ExprId GrammarBuilder::Chars(const CodePointSet& set) {
  std::vector<ExprId> choices;
  for (const auto& [first, last] : set.ranges()) {
    for (const std::vector<ByteRange>& sequence : Utf8Ranges(first, last)) {
      std::vector<ExprId> bytes;
      bytes.reserve(sequence.size());
      for (const ByteRange& range : sequence) bytes.push_back(Range(range.first, range.last));
      choices.push_back(Sequence(std::move(bytes)));
    }
  }
  return Choice(std::move(choices));
}

ExprId GrammarBuilder::Sequence(std::vector<ExprId> parts) {
  if (parts.empty()) return Empty();
  if (parts.size() == 1) return parts[0];
  Expr expr{.kind = ExprKind::kSequence};
  expr.parts = std::move(parts);
  return Add(std::move(expr));
}

ExprId GrammarBuilder::Choice(std::vector<ExprId> parts) {
  if (parts.empty()) return Nothing();
  if (parts.size() == 1) return parts[0];
  Expr expr{.kind = ExprKind::kChoice};
  expr.parts = std::move(parts);
  return Add(std::move(expr));
}

ExprId GrammarBuilder::Repeat(ExprId item, int min, int max) {
  AIO_CHECK(min >= 0 && min <= max);
  if (max == 0) return Empty();
  if (min == 1 && max == 1) return item;
  Expr expr{.kind = ExprKind::kRepeat, .min = min, .max = max};
  expr.parts = {item};
  return Add(std::move(expr));
}

ExprId GrammarBuilder::Call(RuleId rule) { return Add({.kind = ExprKind::kCall, .min = rule}); }

ExprId GrammarBuilder::List(const std::vector<ListItem>& items, ExprId separator, ExprId tail) {
  Expr expr{.kind = ExprKind::kList};
  expr.parts = {separator, tail};
  expr.parts.reserve(items.size() + 2);
  for (const ListItem& item : items) {
    expr.parts.push_back(item.item);
    expr.bytes.push_back(item.required ? '1' : '0');
  }
  return Add(std::move(expr));
}

RuleId GrammarBuilder::AddRule() {
  if (rules_.size() <= kRulesMax) rules_.push_back(-1);
  return static_cast<RuleId>(rules_.size()) - 1;
}

ExprId GrammarBuilder::AsRule(ExprId body) {
  const RuleId rule = AddRule();
  Define(rule, body);
  return Call(rule);
}

}  // namespace aio
