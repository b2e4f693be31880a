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
constexpr int64_t kScopeBytes = 1024;  // about what a scope takes with some names
constexpr int64_t kNameBytes = 96;     // and a name more
constexpr size_t kSomeNames = 8;

}  // namespace

const JinjaValue* JinjaScope::Find(std::string_view name, int64_t& scopes) const {
  for (const JinjaScope* scope = this; scope != nullptr; scope = scope->around_.get()) {
    ++scopes;
    const auto found = scope->values_.find(name);
    if (found != scope->values_.end()) return &found->second;
  }
  return nullptr;
}

bool JinjaScope::Set(std::string_view name, JinjaValue value) {
  return values_.insert_or_assign(name, std::move(value)).second;
}

using Jump = JinjaRenderer::Jump;

void JinjaRenderer::Keep(const JinjaScopePtr& scope) {
  if (!scope->SetKept()) return;
  run_.ChargeBytes(kScopeBytes);
  run_.Keep(scope);
}

Jump JinjaRenderer::RenderBlock(const JinjaBlock& block, const JinjaScopePtr& scope,
                                MarkedText& out) {
  const Jump jump = run_.Enter() ? RenderStatements(block, scope, out) : Jump::kNone;
  run_.Leave();
  return jump;
}

Jump JinjaRenderer::RenderStatements(const JinjaBlock& block, const JinjaScopePtr& scope,
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
      Keep(scope);
      Set(*scope, statement.text,
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
  const JinjaValue loop_value = run_.Object(loop);
  for (size_t i = 0; i < loop->items().size() && !run_.failed(); ++i) {
    loop->set_index(i);
    const auto inner = std::make_shared<JinjaScope>(scope);
    Set(*inner, "loop", loop_value);
    Assign(statement.target, loop->items()[i], *inner);
    if (RenderBlock(statement.body, inner, out) == Jump::kBreak) break;
  }
  return Jump::kNone;
}

// Few names are part of what making a scope costs.
void JinjaRenderer::Set(JinjaScope& scope, std::string_view name, JinjaValue value) {
  if (!run_.ChargeReading(name.size())) return;
  if (scope.Set(name, std::move(value)) && scope.size() > kSomeNames) run_.ChargeBytes(kNameBytes);
}

void JinjaRenderer::AssignAttribute(const JinjaTarget& target, JinjaValue value,
                                    const JinjaScope& scope) {
  int64_t scopes = 0;
  const JinjaValue* found = scope.Find(target.names[0], scopes);
  if (!run_.Charge(scopes / 4) || !run_.ChargeReading(target.attribute.size())) return;
  auto* names = found != nullptr && found->Is(JinjaValue::Kind::kObject)
                    ? dynamic_cast<JinjaNamespace*>(found->object())
                    : nullptr;
  if (names == nullptr) {
    run_.Fault("cannot assign attribute on non-namespace object");
    return;
  }
  if (!names->members.insert_or_assign(target.attribute, std::move(value)).second) return;
  run_.ChargeBytes(kNameBytes + static_cast<int64_t>(target.attribute.size()));
}

void JinjaRenderer::Assign(const JinjaTarget& target, JinjaValue value, JinjaScope& scope) {
  if (!target.attribute.empty()) return AssignAttribute(target, std::move(value), scope);
  if (target.names.size() == 1 && !target.is_tuple) {
    return Set(scope, target.names[0], std::move(value));
  }
  std::vector<JinjaValue> values = run_.Iterate(value);
  if (values.size() != target.names.size()) {
    run_.Fault(fmt::format("{} values cannot be taken apart into {} names", values.size(),
                           target.names.size()));
    return;
  }
  for (size_t i = 0; i < values.size(); ++i) Set(scope, target.names[i], std::move(values[i]));
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
  Keep(scope);  // the caller may outlive this call, in a namespace
  arguments.named.emplace_back(
      kCaller, JinjaValue::Object(std::make_shared<Macro>(*this, statement, scope)));
  Write(run_.Str(CallValue(run_, function, std::move(arguments))), out);
}

Jump JinjaRenderer::RenderWith(const JinjaStatement& statement, const JinjaScopePtr& scope,
                               MarkedText& out) {
  const auto inner = std::make_shared<JinjaScope>(scope);
  for (const auto& [name, expr] : statement.assignments) {
    Set(*inner, name, Evaluate(*expr, scope));
  }
  return RenderBlock(statement.body, inner, out);
}

bool JinjaRenderer::SetArguments(const JinjaStatement& macro, JinjaArguments arguments,
                                 JinjaScope& scope, std::vector<bool>& given) {
  const std::vector<JinjaParameter>& parameters = macro.parameters;
  if (arguments.positional.size() > parameters.size()) {
    run_.Fault(
        fmt::format("macro '{}' takes not more than {} arguments", macro.text, parameters.size()));
    return false;
  }
  for (size_t i = 0; i < arguments.positional.size(); ++i) {
    Set(scope, parameters[i].name, std::move(arguments.positional[i]));
    given[i] = true;
  }
  for (auto& [name, value] : arguments.named) {
    if (!run_.Charge(static_cast<int64_t>(parameters.size()) / 8)) return false;
    const auto parameter =
        std::find_if(parameters.begin(), parameters.end(),
                     [&name = name](const JinjaParameter& each) { return each.name == name; });
    if (parameter != parameters.end()) {
      given[static_cast<size_t>(parameter - parameters.begin())] = true;
    } else if (name != kCaller) {
      run_.Fault(fmt::format("macro '{}' takes no keyword argument '{}'", macro.text, name));
      return false;
    }
    Set(scope, name, std::move(value));
  }
  return !run_.failed();
}

JinjaValue JinjaRenderer::CallMacro(const JinjaStatement& macro, const JinjaScopePtr& scope,
                                    JinjaArguments arguments) {
  const std::vector<JinjaParameter>& parameters = macro.parameters;
  if (!run_.Charge(static_cast<int64_t>(parameters.size()))) return {};
  const auto inner = std::make_shared<JinjaScope>(scope);
  std::vector<bool> given(parameters.size());
  if (!SetArguments(macro, std::move(arguments), *inner, given)) return {};
  MarkedText out;
  if (run_.Enter()) {
    const int line = run_.line();
    for (size_t i = 0; i < parameters.size(); ++i) {
      if (given[i]) continue;
      const JinjaParameter& parameter = parameters[i];
      Set(*inner, parameter.name,
          parameter.default_value != nullptr
              ? Evaluate(*parameter.default_value, inner)
              : JinjaValue::Undefined(
                    fmt::format("parameter '{:.100}' was not provided", parameter.name)));
    }
    RenderBlock(macro.body, inner, out);
    run_.set_line(line);
  }
  run_.Leave();
  return run_.Text(std::move(out));
}

}  // namespace aio
