#include "jinja/renderer.h"

#include <fmt/format.h>

#include <algorithm>

namespace aio {
namespace {

// A macro, or the body of a {% call %}, with the scope that it was written in.
class Macro final : public JinjaCallable {
 public:
  Macro(JinjaRenderer& renderer, const JinjaStatement& statement, JinjaScopePtr scope)
      : renderer_(renderer), statement_(statement), scope_(std::move(scope)) {}

  std::string_view TypeName() const override { return "Macro"; }
  JinjaValue Call(JinjaRun& /*run*/, JinjaArguments arguments) override {
    return renderer_.CallMacro(statement_, scope_, std::move(arguments));
  }

 private:
  JinjaRenderer& renderer_;
  const JinjaStatement& statement_;
  const JinjaScopePtr scope_;
};

constexpr char kCaller[] = "caller";

}  // namespace

const JinjaValue* JinjaScope::Find(std::string_view name) const {
  for (const JinjaScope* scope = this; scope != nullptr; scope = scope->around_.get()) {
    for (const auto& [own, value] : scope->values_) {
      if (own == name) return &value;
    }
  }
  return nullptr;
}

void JinjaScope::Set(const std::string& name, JinjaValue value) {
  for (auto& [own, old] : values_) {
    if (own != name) continue;
    old = std::move(value);
    return;
  }
  values_.emplace_back(name, std::move(value));
}

using Jump = JinjaRenderer::Jump;

Jump JinjaRenderer::RenderBlock(const JinjaBlock& block, const JinjaScopePtr& scope,
                                MarkedText& out) {
  for (const auto& statement : block) {
    run_.set_line(statement->line);
    if (!run_.Charge()) return Jump::kNone;
    const Jump jump = RenderStatement(*statement, scope, out);
    if (jump != Jump::kNone) return jump;
  }
  return Jump::kNone;
}

Jump JinjaRenderer::RenderStatement(const JinjaStatement& statement, const JinjaScopePtr& scope,
                                    MarkedText& out) {
  switch (statement.kind) {
    case JinjaStatementKind::kData:
      Write(MarkedText(statement.text, /*is_data=*/false), out);
      return Jump::kNone;
    case JinjaStatementKind::kOutput:
      Write(run_.Str(Evaluate(*statement.expr, scope)), out);
      return Jump::kNone;
    case JinjaStatementKind::kIf:
      return RenderIf(statement, scope, out);
    case JinjaStatementKind::kFor:
      return RenderFor(statement, scope, out);
    case JinjaStatementKind::kBreak:
      return Jump::kBreak;
    case JinjaStatementKind::kContinue:
      return Jump::kContinue;
    case JinjaStatementKind::kSet:
    case JinjaStatementKind::kSetBlock:
      RenderSet(statement, scope);
      return Jump::kNone;
    case JinjaStatementKind::kMacro:
      run_.Keep(scope);  // which may come to hold the macro that holds it
      scope->Set(statement.text,
                 JinjaValue::Object(std::make_shared<Macro>(*this, statement, scope)));
      return Jump::kNone;
    case JinjaStatementKind::kCall:
      RenderCall(statement, scope, out);
      return Jump::kNone;
    case JinjaStatementKind::kFilter:
    case JinjaStatementKind::kScope:
      Write(run_.Str(RenderApart(statement, scope)), out);
      return Jump::kNone;
    case JinjaStatementKind::kWith:
      return RenderWith(statement, scope, out);
  }
  return Jump::kNone;
}

void JinjaRenderer::Write(const MarkedText& text, MarkedText& out) {
  if (!run_.ChargeBytes(static_cast<int64_t>(text.size()))) return;
  if (static_cast<int64_t>(out.size() + text.size()) > output_bytes_max_) {
    run_.Fault(fmt::format("the rendered text has more than {} bytes", output_bytes_max_));
    return;
  }
  out.Append(text);
}

Jump JinjaRenderer::RenderIf(const JinjaStatement& statement, const JinjaScopePtr& scope,
                             MarkedText& out) {
  for (const auto& [condition, body] : statement.branches) {
    const bool goes = condition == nullptr || Evaluate(*condition, scope).IsTrue();
    if (run_.failed()) return Jump::kNone;
    if (goes) return RenderBlock(body, scope, out);
  }
  return Jump::kNone;
}

std::vector<JinjaValue> JinjaRenderer::LoopedItems(const JinjaStatement& statement,
                                                   const JinjaScopePtr& scope) {
  std::vector<JinjaValue> items = run_.Iterate(Evaluate(*statement.expr, scope));
  if (statement.condition == nullptr) return items;
  std::vector<JinjaValue> kept;
  for (JinjaValue& item : items) {
    if (run_.failed()) return {};
    const auto inner = std::make_shared<JinjaScope>(scope);
    Assign(statement.target, item, *inner);
    if (Evaluate(*statement.condition, inner).IsTrue()) kept.push_back(std::move(item));
  }
  return kept;
}

Jump JinjaRenderer::RenderFor(const JinjaStatement& statement, const JinjaScopePtr& scope,
                              MarkedText& out) {
  std::vector<JinjaValue> items = LoopedItems(statement, scope);
  if (run_.failed()) return Jump::kNone;
  if (items.empty()) {
    return RenderBlock(statement.otherwise, std::make_shared<JinjaScope>(scope), out);
  }
  const auto loop = std::make_shared<JinjaLoop>(std::move(items));
  for (size_t i = 0; i < loop->items().size() && !run_.failed(); ++i) {
    loop->set_index(i);
    const auto inner = std::make_shared<JinjaScope>(scope);
    inner->Set("loop", JinjaValue::Object(loop));
    Assign(statement.target, loop->items()[i], *inner);
    if (RenderBlock(statement.body, inner, out) == Jump::kBreak) break;
  }
  return Jump::kNone;
}

void JinjaRenderer::Assign(const JinjaTarget& target, JinjaValue value, JinjaScope& scope) {
  if (!target.attribute.empty()) {
    const JinjaValue* found = scope.Find(target.names[0]);
    auto* names = found != nullptr && found->Is(JinjaValue::Kind::kObject)
                      ? dynamic_cast<JinjaNamespace*>(found->object())
                      : nullptr;
    if (names == nullptr) {
      run_.Fault("cannot assign attribute on non-namespace object");
      return;
    }
    names->members[target.attribute] = std::move(value);
    return;
  }
  if (target.names.size() == 1 && !target.is_tuple) {
    scope.Set(target.names[0], std::move(value));
    return;
  }
  std::vector<JinjaValue> values = run_.Iterate(value);
  if (values.size() != target.names.size()) {
    run_.Fault(fmt::format("{} values cannot be taken apart into {} names", values.size(),
                           target.names.size()));
    return;
  }
  for (size_t i = 0; i < values.size(); ++i) scope.Set(target.names[i], std::move(values[i]));
}

JinjaValue JinjaRenderer::RenderApart(const JinjaStatement& statement, const JinjaScopePtr& scope) {
  if (!run_.Enter()) {
    run_.Leave();
    return {};
  }
  MarkedText text;
  RenderBlock(statement.body, std::make_shared<JinjaScope>(scope), text);
  JinjaValue rendered = run_.Text(std::move(text));
  if (statement.expr != nullptr) {
    const JinjaValue* around = std::exchange(filtered_, &rendered);
    JinjaValue filtered = Evaluate(*statement.expr, scope);
    filtered_ = around;
    rendered = std::move(filtered);
  }
  run_.Leave();
  return rendered;
}

void JinjaRenderer::RenderSet(const JinjaStatement& statement, const JinjaScopePtr& scope) {
  const bool is_block = statement.kind == JinjaStatementKind::kSetBlock;
  JinjaValue value = is_block ? RenderApart(statement, scope) : Evaluate(*statement.expr, scope);
  if (!run_.failed()) Assign(statement.target, std::move(value), *scope);
}

void JinjaRenderer::RenderCall(const JinjaStatement& statement, const JinjaScopePtr& scope,
                               MarkedText& out) {
  const JinjaValue function = Evaluate(*statement.expr->children[0], scope);
  JinjaArguments arguments = EvaluateArguments(*statement.expr, scope);
  arguments.named.emplace_back(
      kCaller, JinjaValue::Object(std::make_shared<Macro>(*this, statement, scope)));
  Write(run_.Str(CallValue(run_, function, std::move(arguments))), out);
}

Jump JinjaRenderer::RenderWith(const JinjaStatement& statement, const JinjaScopePtr& scope,
                               MarkedText& out) {
  const auto inner = std::make_shared<JinjaScope>(scope);
  for (const auto& [name, expr] : statement.assignments) inner->Set(name, Evaluate(*expr, scope));
  return RenderBlock(statement.body, inner, out);
}

JinjaValue JinjaRenderer::CallMacro(const JinjaStatement& macro, const JinjaScopePtr& scope,
                                    JinjaArguments arguments) {
  const std::vector<JinjaParameter>& parameters = macro.parameters;
  if (arguments.positional.size() > parameters.size()) {
    return run_.Fault(
        fmt::format("macro '{}' takes not more than {} arguments", macro.text, parameters.size()));
  }
  const auto inner = std::make_shared<JinjaScope>(scope);
  for (size_t i = 0; i < arguments.positional.size(); ++i) {
    inner->Set(parameters[i].name, arguments.positional[i]);
  }
  for (auto& [name, value] : arguments.named) {
    const auto parameter =
        std::find_if(parameters.begin(), parameters.end(),
                     [&name = name](const JinjaParameter& each) { return each.name == name; });
    if (parameter == parameters.end() && name != kCaller) {
      return run_.Fault(fmt::format("macro '{}' takes no keyword argument '{}'", macro.text, name));
    }
    inner->Set(name, std::move(value));
  }
  MarkedText out;
  if (run_.Enter()) {
    const int line = run_.line();
    for (size_t i = arguments.positional.size(); i < parameters.size(); ++i) {
      const JinjaParameter& parameter = parameters[i];
      const bool given =
          std::any_of(arguments.named.begin(), arguments.named.end(),
                      [&](const auto& each) { return each.first == parameter.name; });
      if (given) continue;
      inner->Set(parameter.name, parameter.default_value != nullptr
                                     ? Evaluate(*parameter.default_value, inner)
                                     : JinjaValue::Undefined(fmt::format(
                                           "parameter '{}' was not provided", parameter.name)));
    }
    RenderBlock(macro.body, inner, out);
    run_.set_line(line);
  }
  run_.Leave();
  return run_.Text(std::move(out));
}

}  // namespace aio
