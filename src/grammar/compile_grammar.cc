#include "grammar/compile_grammar.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "grammar/lookahead.h"
#include "grammar/rule_automaton.h"
#include "grammar/rule_work.h"

namespace aio {

size_t Grammar::memory_bytes() const {
  return nodes_.size() * sizeof(Node) + byte_edges_.size() * sizeof(ByteEdge) +
         call_edges_.size() * sizeof(CallEdge) + rules_.size() * sizeof(Rule);
}

namespace {

Status TooLarge() {
  return InvalidArgument(
      "it is too large: its automata would have more nodes than are allowed; use fewer or smaller "
      "alternatives, repetitions and enumerations");
}

}  // namespace

// Works through a list of rules, to which repetitions that are counted add some.
class GrammarCompiler {
 public:
  explicit GrammarCompiler(const GrammarBuilder& builder)
      : builder_(builder), grammar_(std::make_shared<Grammar>()) {}

  Result<std::shared_ptr<const Grammar>> Run(RuleId root) {
    if (builder_.is_too_large()) return TooLarge();
    rules_.resize(builder_.num_rules());
    for (RuleId rule = 0; rule < builder_.num_rules(); ++rule) {
      rules_[rule].body = builder_.body(rule);
    }
    AIO_RETURN_IF_ERROR(FindNullable());
    MarkReachable(root);
    for (size_t rule = 0; rule < rules_.size(); ++rule) {
      if (rules_[rule].is_reachable) AIO_RETURN_IF_ERROR(BuildRule(static_cast<int32_t>(rule)));
    }
    FindWhatMatches(rules_);
    if (!rules_[root].matches) return InvalidArgument("no text at all would match it");
    Flatten(root);
    AIO_RETURN_IF_ERROR(Lookahead(*grammar_).Find());
    return std::shared_ptr<const Grammar>(std::move(grammar_));
  }

 private:
  // ---- Which expressions match the empty text.

  Status FindNullable() {
    bool changed = true;
    // Each pass but the last finds at least one rule; chains of rules are short or hostile.
    for (int pass = 0; changed; ++pass) {
      if (pass > GrammarLimits::kLeftCallsMax) return TooLarge();
      changed = false;
      for (RuleWork& rule : rules_) {
        if (rule.is_nullable || rule.body < 0 || !IsNullable(rule.body, 0)) continue;
        rule.is_nullable = true;
        changed = true;
      }
    }
    return is_too_deep_ ? TooLarge() : Status::Ok();
  }

  bool IsNullable(ExprId id, int depth) {
    if (depth > GrammarLimits::kExpressionDepthMax) {
      is_too_deep_ = true;
      return false;
    }
    const Expr& expr = builder_.expr(id);
    const auto is_nullable = [&](ExprId part) { return IsNullable(part, depth + 1); };
    switch (expr.kind) {
      case ExprKind::kBytes:
        return expr.bytes.empty();
      case ExprKind::kSequence:
        return std::all_of(expr.parts.begin(), expr.parts.end(), is_nullable);
      case ExprKind::kChoice:
        // Not any_of: depths beyond the limit are to be found whatever comes before.
        return std::count_if(expr.parts.begin(), expr.parts.end(), is_nullable) > 0;
      case ExprKind::kRepeat:
        return is_nullable(expr.parts[0]) || expr.min == 0;
      case ExprKind::kCall:
        return rules_[expr.min].is_nullable;
      case ExprKind::kList:
        return expr.bytes.find('1') == std::string::npos;
      case ExprKind::kNothing:
      case ExprKind::kRange:
        return false;
    }
    return false;
  }

  void MarkReachable(RuleId root) {
    std::vector<ExprId> pending;
    std::vector<bool> seen;
    const auto visit_rule = [&](RuleId rule) {
      if (rules_[rule].is_reachable) return;
      rules_[rule].is_reachable = true;
      if (rules_[rule].body >= 0) pending.push_back(rules_[rule].body);
    };
    visit_rule(root);
    while (!pending.empty()) {
      const ExprId id = pending.back();
      pending.pop_back();
      if (seen.size() <= static_cast<size_t>(id)) seen.resize(id + 1, false);
      if (seen[id]) continue;
      seen[id] = true;
      const Expr& expr = builder_.expr(id);
      if (expr.kind == ExprKind::kCall) visit_rule(expr.min);
      pending.insert(pending.end(), expr.parts.begin(), expr.parts.end());
    }
  }

  // ---- One rule.

  Status BuildRule(int32_t index) {
    RuleNfa nfa;
    const int32_t start = nfa.AddNode();
    const int32_t accept = nfa.AddNode();
    nfa_ = &nfa;
    if (rules_[index].body >= 0) Add(rules_[index].body, start, accept, 0);
    if (is_too_deep_ || budget_.is_spent()) return TooLarge();
    RuleDfa dfa = Determinize(nfa, start, accept, budget_);
    if (budget_.is_spent()) return TooLarge();
    RuleWork& rule = rules_[index];
    rule.nodes.reserve(dfa.nodes.size() + 1);
    if (rule.is_counted) AddBetween(dfa, rule);
    const bool is_counted = rule.is_counted;
    const int32_t shift = is_counted ? 1 : 0;
    for (RuleDfa::Node& from : dfa.nodes) {
      Grammar::Node& node = rule.nodes.emplace_back();
      node.rule = index;
      node.is_final = from.is_final && !is_counted;
      node.completes = from.is_final && is_counted;
      for (Grammar::ByteEdge& edge : from.bytes) edge.target += shift;
      for (Grammar::CallEdge& edge : from.calls) edge.target += shift;
      rule.bytes.push_back(std::move(from.bytes));
      rule.calls.push_back(std::move(from.calls));
    }
    if (is_counted) rule.nodes[0].rule = index;
    return Status::Ok();
  }

  // Node 0 of a counted rule: before an item, with the edges of the item's start.
  void AddBetween(RuleDfa& dfa, RuleWork& rule) {
    if (dfa.nodes[0].is_final) rule.min = 0;
    Grammar::Node& between = rule.nodes.emplace_back();
    between.is_between = true;
    rule.bytes.push_back(dfa.nodes[0].bytes);
    rule.calls.push_back(dfa.nodes[0].calls);
    for (Grammar::ByteEdge& edge : rule.bytes.back()) edge.target += 1;
    for (Grammar::CallEdge& edge : rule.calls.back()) edge.target += 1;
  }

  int32_t NewNode() {
    --budget_.work;
    if (nfa_->size() > GrammarLimits::kRuleNodesMax) budget_.nodes = -1;
    return nfa_->AddNode();
  }

  void Add(ExprId id, int32_t from, int32_t to, int depth) {
    if (depth > GrammarLimits::kExpressionDepthMax) is_too_deep_ = true;
    if (is_too_deep_ || budget_.is_spent()) return;
    --budget_.work;
    const Expr& expr = builder_.expr(id);
    switch (expr.kind) {
      case ExprKind::kNothing:
        return;
      case ExprKind::kBytes:
        return AddText(expr.bytes, from, to);
      case ExprKind::kRange:
        return nfa_->AddBytes(from, static_cast<uint8_t>(expr.min), static_cast<uint8_t>(expr.max),
                              to);
      case ExprKind::kSequence:
        return AddSequence(expr.parts, from, to, depth);
      case ExprKind::kChoice:
        for (const ExprId part : expr.parts) Add(part, from, to, depth + 1);
        return;
      case ExprKind::kRepeat:
        return AddRepeat(expr, from, to, depth);
      case ExprKind::kCall:
        return AddCall(expr.min, from, to);
      case ExprKind::kList:
        return AddList(expr, from, to, depth);
    }
  }

  void AddText(const std::string& text, int32_t from, int32_t to) {
    if (text.empty()) return nfa_->AddEmpty(from, to);
    for (size_t i = 0; i < text.size(); ++i) {
      const int32_t next = i + 1 == text.size() ? to : NewNode();
      const auto byte = static_cast<uint8_t>(text[i]);
      nfa_->AddBytes(from, byte, byte, next);
      from = next;
    }
  }

  void AddSequence(const std::vector<ExprId>& parts, int32_t from, int32_t to, int depth) {
    for (size_t i = 0; i < parts.size(); ++i) {
      const int32_t next = i + 1 == parts.size() ? to : NewNode();
      Add(parts[i], from, next, depth + 1);
      from = next;
    }
  }

  void AddCall(int32_t rule, int32_t from, int32_t to) {
    nfa_->AddCall(from, rule, to);
    if (rules_[rule].is_nullable) nfa_->AddEmpty(from, to);
  }

  // Few copies of something small are written out; else a rule counts them.
  void AddRepeat(const Expr& expr, int32_t from, int32_t to, int depth) {
    constexpr int64_t kWrittenOutMax = 64;  // bytes and calls
    const int64_t copies = CopiesOf(expr);
    if (copies > 1 && copies * SizeOf(expr.parts[0], 0) > kWrittenOutMax) {
      return AddCounted(expr, from, to);
    }
    // Nodes of its own: a loop must not lead back to what stands before or after it.
    int32_t at = NewNode();
    nfa_->AddEmpty(from, at);
    for (int i = 0; i < expr.min && !budget_.is_spent(); ++i) {
      const int32_t next = NewNode();
      Add(expr.parts[0], at, next, depth + 1);
      at = next;
    }
    if (expr.max == kUnbounded) {
      const int32_t end = NewNode();
      Add(expr.parts[0], at, end, depth + 1);
      nfa_->AddEmpty(end, at);
    } else {
      for (int i = expr.min; i < expr.max && !budget_.is_spent(); ++i) {
        const int32_t next = NewNode();
        nfa_->AddEmpty(at, to);
        Add(expr.parts[0], at, next, depth + 1);
        at = next;
      }
    }
    nfa_->AddEmpty(at, to);
  }

  void AddCounted(const Expr& expr, int32_t from, int32_t to) {
    const bool item_is_nullable = IsNullable(expr.parts[0], 0);
    RuleWork rule;
    rule.body = expr.parts[0];
    rule.is_counted = true;
    rule.min = item_is_nullable ? 0 : expr.min;
    rule.max = expr.max == kUnbounded ? Grammar::kNoMax : expr.max;
    rule.is_nullable = rule.min == 0;
    rule.is_reachable = true;
    const auto index = static_cast<int32_t>(rules_.size());
    rule.twin = counted_.try_emplace(expr.parts[0], index).first->second;
    rules_.push_back(std::move(rule));
    if (rules_.size() > GrammarBuilder::kRulesMax) budget_.nodes = -1;
    AddCall(index, from, to);
  }

  // What is written out for it at least, as far as it matters: no more than kEnough. Never 0, for
  // the empty text takes nodes too.
  int64_t SizeOf(ExprId id, int depth) {
    constexpr int64_t kEnough = 100;  // a little more than the limit above
    const Expr& expr = builder_.expr(id);
    if (depth > GrammarLimits::kExpressionDepthMax) return kEnough;
    int64_t size = 1;
    if (expr.kind == ExprKind::kBytes) size = std::max<int64_t>(expr.bytes.size(), 1);
    for (const ExprId part : expr.parts) {
      if (size >= kEnough) return kEnough;
      size += SizeOf(part, depth + 1);
    }
    if (expr.kind == ExprKind::kRepeat) size *= CopiesOf(expr);
    return std::min(size, kEnough);
  }

  // Of a repetition's item, where it is written out.
  static int64_t CopiesOf(const Expr& expr) {
    return expr.max == kUnbounded ? std::max(expr.min, 1) : expr.max;
  }

  // Two rows of nodes: no item has been written yet; at least one has. Each item leads to the
  // second row, where a separator comes before the next.
  void AddList(const Expr& expr, int32_t from, int32_t to, int depth) {
    const ExprId separator = expr.parts[0];
    const ExprId tail = expr.parts[1];
    int32_t none = NewNode();
    int32_t some = NewNode();
    nfa_->AddEmpty(from, none);
    const auto add_item = [&](ExprId item, int32_t target) {
      Add(item, none, target, depth + 1);
      const int32_t after_separator = NewNode();
      Add(separator, some, after_separator, depth + 1);
      Add(item, after_separator, target, depth + 1);
    };
    for (size_t i = 0; i < expr.bytes.size(); ++i) {
      const int32_t next_none = NewNode();
      const int32_t next_some = NewNode();
      add_item(expr.parts[i + 2], next_some);
      if (expr.bytes[i] == '0') {
        nfa_->AddEmpty(none, next_none);
        nfa_->AddEmpty(some, next_some);
      }
      none = next_none;
      some = next_some;
    }
    add_item(tail, some);
    nfa_->AddEmpty(none, to);
    nfa_->AddEmpty(some, to);
  }

  // ---- All rules in one array, without what is not alive.

  void Flatten(RuleId root) {
    int32_t count = 0;
    std::vector<int32_t> rule_ids(rules_.size(), -1);
    std::vector<std::vector<int32_t>> node_ids(rules_.size());
    for (size_t rule = 0; rule < rules_.size(); ++rule) {
      const RuleWork& work = rules_[rule];
      if (!work.matches) continue;
      rule_ids[rule] = static_cast<int32_t>(grammar_->rules_.size());
      Grammar::Rule& flat = grammar_->rules_.emplace_back();
      flat.start = count;
      flat.is_counted = work.is_counted;
      flat.min = work.min;
      flat.max = work.max;
      flat.twin = work.twin < 0 || rule_ids[work.twin] < 0 ? rule_ids[rule] : rule_ids[work.twin];
      for (const bool is_alive : work.is_alive) node_ids[rule].push_back(is_alive ? count++ : -1);
    }
    grammar_->root_ = rule_ids[root];
    grammar_->nodes_.reserve(count);
    for (size_t rule = 0; rule < rules_.size(); ++rule) {
      if (rules_[rule].matches) FlattenRule(static_cast<int32_t>(rule), rule_ids, node_ids[rule]);
    }
  }

  void FlattenRule(int32_t rule, const std::vector<int32_t>& rule_ids,
                   const std::vector<int32_t>& node_ids) {
    const RuleWork& work = rules_[rule];
    for (size_t from = 0; from < work.nodes.size(); ++from) {
      if (!work.is_alive[from]) continue;
      Grammar::Node node = work.nodes[from];
      node.rule = rule_ids[rule];
      node.bytes_begin = static_cast<int32_t>(grammar_->byte_edges_.size());
      for (const Grammar::ByteEdge& edge : work.bytes[from]) {
        if (!rules_[rule].IsUsed(edge, rules_)) continue;
        grammar_->byte_edges_.push_back({edge.first, edge.last, node_ids[edge.target]});
      }
      node.bytes_end = static_cast<int32_t>(grammar_->byte_edges_.size());
      node.calls_begin = static_cast<int32_t>(grammar_->call_edges_.size());
      for (const Grammar::CallEdge& edge : work.calls[from]) {
        if (!rules_[rule].IsUsed(edge, rules_)) continue;
        grammar_->call_edges_.push_back({rule_ids[edge.rule], node_ids[edge.target]});
      }
      node.calls_end = static_cast<int32_t>(grammar_->call_edges_.size());
      grammar_->nodes_.push_back(node);
    }
  }

  const GrammarBuilder& builder_;
  std::shared_ptr<Grammar> grammar_;
  std::vector<RuleWork> rules_;
  ConstructionBudget budget_{GrammarLimits::kNodesMax, GrammarLimits::kEdgesMax,
                             GrammarLimits::kWorkMax};
  RuleNfa* nfa_ = nullptr;  // of the rule that is built
  bool is_too_deep_ = false;
  std::map<ExprId, int32_t> counted_;  // the first rule of each item
};

Result<std::shared_ptr<const Grammar>> CompileGrammar(const GrammarBuilder& builder, RuleId root) {
  return GrammarCompiler(builder).Run(root);
}

}  // namespace aio
