// Runs a parsed template. Internal to jinja/.
#ifndef AIO_JINJA_RENDERER_H_
#define AIO_JINJA_RENDERER_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jinja/objects.h"
#include "jinja/run.h"
#include "jinja/syntax_tree.h"

namespace aio {

// Names and their values; what is not found here is looked up in the scope around. Names are views:
// of the template, which outlives its rendering.
class JinjaScope final : public JinjaChangeable {
 public:
  explicit JinjaScope(std::shared_ptr<JinjaScope> around) : around_(std::move(around)) {}

  // Adds to `scopes` how many were looked at.
  const JinjaValue* Find(std::string_view name, int64_t& scopes) const;
  // Whether the name is new here.
  bool Set(std::string_view name, JinjaValue value);
  size_t size() const { return values_.size(); }
  void Clear() override { values_.clear(); }
  // Whether it was not set before: that the run keeps this scope.
  bool SetKept() { return !std::exchange(kept_, true); }

 private:
  const std::shared_ptr<JinjaScope> around_;  // null: the outermost
  std::map<std::string_view, JinjaValue> values_;
  bool kept_ = false;
};
using JinjaScopePtr = std::shared_ptr<JinjaScope>;

// One rendering. Faults are the run's.
class JinjaRenderer {
 public:
  JinjaRenderer(JinjaRun& run, int64_t output_bytes_max)
      : run_(run), output_bytes_max_(output_bytes_max) {}

  // How a block ended: a loop goes on or stops.
  enum class Jump { kNone, kBreak, kContinue };
  Jump RenderBlock(const JinjaBlock& block, const JinjaScopePtr& scope, MarkedText& out);

  // Has the run keep what may come to hold a macro that holds it.
  void Keep(const JinjaScopePtr& scope);

  // What a macro, or a call's body, makes of its arguments.
  JinjaValue CallMacro(const JinjaStatement& macro, const JinjaScopePtr& scope,
                       JinjaArguments arguments);

 private:
  Jump RenderStatements(const JinjaBlock& block, const JinjaScopePtr& scope, MarkedText& out);
  Jump RenderStatement(const JinjaStatement& statement, const JinjaScopePtr& scope,
                       MarkedText& out);
  Jump RenderIf(const JinjaStatement& statement, const JinjaScopePtr& scope, MarkedText& out);
  Jump RenderFor(const JinjaStatement& statement, const JinjaScopePtr& scope, MarkedText& out);
  std::vector<JinjaValue> LoopedItems(const JinjaStatement& statement, const JinjaScopePtr& scope);
  void RenderSet(const JinjaStatement& statement, const JinjaScopePtr& scope);
  void RenderCall(const JinjaStatement& statement, const JinjaScopePtr& scope, MarkedText& out);
  Jump RenderWith(const JinjaStatement& statement, const JinjaScopePtr& scope, MarkedText& out);
  // The body by itself, in a scope of its own.
  JinjaValue RenderApart(const JinjaStatement& statement, const JinjaScopePtr& scope);
  void Write(const MarkedText& text, MarkedText& out);
  void Set(JinjaScope& scope, std::string_view name, JinjaValue value);
  void Assign(const JinjaTarget& target, JinjaValue value, JinjaScope& scope);
  void AssignAttribute(const JinjaTarget& target, JinjaValue value, const JinjaScope& scope);
  // Puts arguments at their parameters' names; what is given by `given`, one a parameter.
  bool SetArguments(const JinjaStatement& macro, JinjaArguments arguments, JinjaScope& scope,
                    std::vector<bool>& given);

  JinjaValue Evaluate(const JinjaExpr& expr, const JinjaScopePtr& scope);
  JinjaValue EvaluateKind(const JinjaExpr& expr, const JinjaScopePtr& scope);
  JinjaValue EvaluateName(const JinjaExpr& expr, const JinjaScope& scope);
  JinjaValue EvaluateSequence(const JinjaExpr& expr, const JinjaScopePtr& scope);
  JinjaValue EvaluateDict(const JinjaExpr& expr, const JinjaScopePtr& scope);
  JinjaValue EvaluateSlice(const JinjaExpr& expr, const JinjaScopePtr& scope);
  JinjaValue EvaluateConcat(const JinjaExpr& expr, const JinjaScopePtr& scope);
  JinjaValue EvaluateCompare(const JinjaExpr& expr, const JinjaScopePtr& scope);
  JinjaValue EvaluateFilter(const JinjaExpr& expr, const JinjaScopePtr& scope);
  JinjaArguments EvaluateArguments(const JinjaExpr& call, const JinjaScopePtr& scope);

  JinjaRun& run_;
  const int64_t output_bytes_max_;
  // What the innermost filter block or set block holds, for its filters.
  const JinjaValue* filtered_ = nullptr;
};

}  // namespace aio

#endif  // AIO_JINJA_RENDERER_H_
