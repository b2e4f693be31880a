// Reads Jinja's expressions. Internal to jinja/.
#ifndef AIO_JINJA_EXPRESSION_PARSER_H_
#define AIO_JINJA_EXPRESSION_PARSER_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "jinja/lexer.h"
#include "jinja/syntax_tree.h"

namespace aio {

// Brackets and tags within each other; and of the tree that an expression is: a + b + c is as deep
// as it is long.
inline constexpr int kJinjaNestingMax = 100;
inline constexpr int kJinjaExprDepthMax = 250;

// A place in a template's tokens.
class JinjaTokens {
 public:
  explicit JinjaTokens(std::vector<JinjaToken> tokens) : tokens_(std::move(tokens)) {}

  const JinjaToken& current() const { return tokens_[at_]; }
  const JinjaToken& next() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
  int line() const { return current().line; }
  void Skip() { at_ += at_ + 1 < tokens_.size() ? 1 : 0; }
  JinjaToken Take();

  bool AtName(std::string_view name) const { return current().Is(JinjaTokenKind::kName, name); }
  bool AtOperator(std::string_view op) const { return current().Is(JinjaTokenKind::kOperator, op); }
  bool SkipName(std::string_view name);
  bool SkipOperator(std::string_view op);
  Status Expect(JinjaTokenKind kind, std::string_view text);
  Result<std::string> TakeName(std::string_view what);
  // kInvalidArgument that names the line and what stands there.
  Status Unexpected(std::string_view expected) const;
  Status Fault(std::string_view message) const;
  Status NotSupported(std::string_view what) const;

  // Counts what is open within each other: an Enter() for each Leave().
  Status Enter();
  void Leave() { --nesting_; }

 private:
  std::vector<JinjaToken> tokens_;
  size_t at_ = 0;
  int nesting_ = 0;
};

// Filters and tests that are not known are refused here, by name.
class JinjaExpressionParser {
 public:
  explicit JinjaExpressionParser(JinjaTokens& tokens) : tokens_(tokens) {}

  // Also without brackets, and with a comma at the end: a, b
  Result<JinjaExprPtr> ParseTuple();
  Result<JinjaExprPtr> ParseExpression();
  Result<JinjaExprPtr> ParseOr();  // no "x if y": that is a loop's own
  // `| name(...) | name`, over what a filter block holds; the first name has no bar before it.
  Result<JinjaExprPtr> ParseFilters(JinjaExprPtr input, bool first_is_open);

 private:
  using Node = std::unique_ptr<JinjaExpr>;
  Node Make(JinjaExprKind kind) const;
  Result<JinjaExprPtr> Finish(Node node) const;
  Result<JinjaExprPtr> ParseConditional();
  Result<JinjaExprPtr> ParseAnd();
  Result<JinjaExprPtr> ParseNot();
  Result<JinjaExprPtr> ParseCompare();
  Result<JinjaExprPtr> ParseSum();
  Result<JinjaExprPtr> ParseConcat();
  Result<JinjaExprPtr> ParseProduct();
  Result<JinjaExprPtr> ParsePower();
  Result<JinjaExprPtr> ParseUnary(bool with_filters);
  Result<JinjaExprPtr> ParsePrimary();
  Result<JinjaExprPtr> ParseNumber();
  Result<JinjaExprPtr> ParseBracketed();
  Result<JinjaExprPtr> ParseDict();
  Result<JinjaExprPtr> ParsePostfix(JinjaExprPtr object);
  Result<JinjaExprPtr> ParseAttribute(JinjaExprPtr object);
  Result<JinjaExprPtr> ParseSubscript(JinjaExprPtr object);
  Result<JinjaExprPtr> ParseCall(JinjaExprPtr function);
  Status ParseArguments(JinjaExpr& call);
  Result<JinjaExprPtr> ParseTest(JinjaExprPtr input);

  JinjaTokens& tokens_;
};

}  // namespace aio

#endif  // AIO_JINJA_EXPRESSION_PARSER_H_
