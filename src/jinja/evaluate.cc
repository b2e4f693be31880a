// The renderer's expressions.
#include <fmt/format.h>

#include "jinja/filters.h"
#include "jinja/operators.h"
#include "jinja/renderer.h"

namespace aio {

JinjaValue JinjaRenderer::Evaluate(const JinjaExpr& expr, const JinjaScopePtr& scope) {
  if (!run_.Charge()) return {};
  JinjaValue value;
  if (run_.Enter()) value = EvaluateKind(expr, scope);
  run_.Leave();
  return value;
}

JinjaValue JinjaRenderer::EvaluateKind(const JinjaExpr& expr, const JinjaScopePtr& scope) {
  const auto child = [&](size_t i) { return Evaluate(*expr.children[i], scope); };
  switch (expr.kind) {
    case JinjaExprKind::kConstant:
      return expr.value;
    case JinjaExprKind::kName:
      return EvaluateName(expr, *scope);
    case JinjaExprKind::kList:
    case JinjaExprKind::kTuple:
      return EvaluateSequence(expr, scope);
    case JinjaExprKind::kDict:
      return EvaluateDict(expr, scope);
    case JinjaExprKind::kAttribute:
      return GetAttribute(run_, child(0), expr.name);
    case JinjaExprKind::kItem: {
      const JinjaValue object = child(0);
      return GetItem(run_, object, child(1));
    }
    case JinjaExprKind::kSlice:
      return EvaluateSlice(expr, scope);
    case JinjaExprKind::kCall: {
      const JinjaValue function = child(0);
      return CallValue(run_, function, EvaluateArguments(expr, scope));
    }
    case JinjaExprKind::kFilter:
    case JinjaExprKind::kTest:
      return EvaluateFilter(expr, scope);
    case JinjaExprKind::kNot:
      return JinjaValue::Bool(!child(0).IsTrue());
    case JinjaExprKind::kNegative:
      return Negative(run_, child(0));
    case JinjaExprKind::kPositive:
      return Arithmetic(run_, "+", JinjaValue::Int(0), child(0));
    case JinjaExprKind::kAnd: {
      JinjaValue left = child(0);
      return left.IsTrue() ? child(1) : left;
    }
    case JinjaExprKind::kOr: {
      JinjaValue left = child(0);
      return left.IsTrue() ? left : child(1);
    }
    case JinjaExprKind::kArithmetic: {
      const JinjaValue left = child(0);
      return Arithmetic(run_, expr.name, left, child(1));
    }
    case JinjaExprKind::kConcat:
      return EvaluateConcat(expr, scope);
    case JinjaExprKind::kCompare:
      return EvaluateCompare(expr, scope);
    case JinjaExprKind::kConditional:
      if (child(0).IsTrue()) return child(1);
      return expr.children[2] != nullptr
                 ? child(2)
                 : JinjaValue::Undefined(
                       "the inline if-expression evaluated to false and no else section was "
                       "defined");
  }
  return {};
}

JinjaValue JinjaRenderer::EvaluateName(const JinjaExpr& expr, const JinjaScope& scope) {
  int64_t scopes = 0;
  const JinjaValue* value = scope.Find(expr.name, scopes);
  if (!run_.Charge(scopes / 4) || !run_.ChargeReading(expr.name.size())) return {};
  if (value != nullptr) return *value;
  if (const JinjaFunction* global = FindJinjaGlobal(expr.name)) {
    return run_.Object(std::make_shared<JinjaBoundFunction>(*global, JinjaValue()));
  }
  return JinjaValue::Undefined(fmt::format("'{:.100}' is undefined", expr.name));
}

JinjaValue JinjaRenderer::EvaluateSequence(const JinjaExpr& expr, const JinjaScopePtr& scope) {
  std::vector<JinjaValue> items;
  items.reserve(expr.children.size());
  for (const JinjaExprPtr& child : expr.children) items.push_back(Evaluate(*child, scope));
  return run_.List(std::move(items), expr.kind == JinjaExprKind::kTuple
                                         ? JinjaValue::Sequence::kTuple
                                         : JinjaValue::Sequence::kList);
}

JinjaValue JinjaRenderer::EvaluateDict(const JinjaExpr& expr, const JinjaScopePtr& scope) {
  JinjaValue::Members members;
  members.reserve(expr.children.size() / 2);
  for (size_t i = 0; i + 1 < expr.children.size(); i += 2) {
    JinjaValue key = Evaluate(*expr.children[i], scope);
    members.emplace_back(std::move(key), Evaluate(*expr.children[i + 1], scope));
  }
  return run_.failed() ? JinjaValue() : run_.Dict(std::move(members));
}

JinjaValue JinjaRenderer::EvaluateSlice(const JinjaExpr& expr, const JinjaScopePtr& scope) {
  const auto part = [&](size_t i) {
    return expr.children[i] != nullptr ? Evaluate(*expr.children[i], scope) : JinjaValue::None();
  };
  const JinjaValue object = part(0);
  JinjaSlice slice;
  slice.start = part(1);
  slice.stop = part(2);
  slice.step = part(3);
  return GetSlice(run_, object, slice);
}

JinjaValue JinjaRenderer::EvaluateConcat(const JinjaExpr& expr, const JinjaScopePtr& scope) {
  MarkedText text;
  for (const JinjaExprPtr& child : expr.children) text.Append(run_.Str(Evaluate(*child, scope)));
  return run_.Text(std::move(text));
}

JinjaValue JinjaRenderer::EvaluateCompare(const JinjaExpr& expr, const JinjaScopePtr& scope) {
  JinjaValue left = Evaluate(*expr.children[0], scope);
  for (size_t i = 0; i < expr.operators.size(); ++i) {
    JinjaValue right = Evaluate(*expr.children[i + 1], scope);
    if (run_.failed()) return {};
    if (!Compare(run_, expr.operators[i], left, right)) return JinjaValue::Bool(false);
    left = std::move(right);
  }
  return JinjaValue::Bool(true);
}

JinjaArguments JinjaRenderer::EvaluateArguments(const JinjaExpr& call, const JinjaScopePtr& scope) {
  JinjaArguments arguments;
  for (size_t i = 1; i < call.children.size(); ++i) {
    arguments.positional.push_back(Evaluate(*call.children[i], scope));
  }
  for (const auto& [name, expr] : call.named) {
    arguments.named.emplace_back(name, Evaluate(*expr, scope));
  }
  return arguments;
}

// Also of tests, which are functions alike.
JinjaValue JinjaRenderer::EvaluateFilter(const JinjaExpr& expr, const JinjaScopePtr& scope) {
  JinjaValue input;
  if (expr.children[0] != nullptr) {
    input = Evaluate(*expr.children[0], scope);
  } else if (filtered_ != nullptr) {
    input = *filtered_;
  }
  const JinjaFunction* function =
      expr.kind == JinjaExprKind::kFilter ? FindJinjaFilter(expr.name) : FindJinjaTest(expr.name);
  JinjaArguments arguments = EvaluateArguments(expr, scope);
  if (run_.failed()) return {};
  run_.set_line(expr.line);
  return CallFunction(run_, *function, input, std::move(arguments));
}

}  // namespace aio
