#include "jinja/expression_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "jinja/filters.h"

namespace aio {
namespace {

using Kind = JinjaTokenKind;
using Expr = JinjaExprKind;

std::string Describe(const JinjaToken& token) {
  switch (token.kind) {
    case Kind::kData:
      return "text";
    case Kind::kBlockBegin:
      return "'{%'";
    case Kind::kBlockEnd:
      return "'%}'";
    case Kind::kVariableBegin:
      return "'{{'";
    case Kind::kVariableEnd:
      return "'}}'";
    case Kind::kString:
      return "a string";
    case Kind::kEnd:
      return "the end of the template";
    default:
      return fmt::format("'{}'", token.text);
  }
}

}  // namespace

JinjaToken JinjaTokens::Take() {
  JinjaToken token = current();
  Skip();
  return token;
}

bool JinjaTokens::SkipName(std::string_view name) {
  const bool is_it = AtName(name);
  if (is_it) Skip();
  return is_it;
}

bool JinjaTokens::SkipOperator(std::string_view op) {
  const bool is_it = AtOperator(op);
  if (is_it) Skip();
  return is_it;
}

Status JinjaTokens::Expect(JinjaTokenKind kind, std::string_view text) {
  if (!current().Is(kind, text)) return Unexpected(Describe({kind, std::string(text), 0}));
  Skip();
  return Status::Ok();
}

Result<std::string> JinjaTokens::TakeName(std::string_view what) {
  if (current().kind != Kind::kName) return Unexpected(what);
  return Take().text;
}

Status JinjaTokens::Fault(std::string_view message) const {
  return InvalidArgument(fmt::format("line {}: {}", line(), message));
}
Status JinjaTokens::Unexpected(std::string_view expected) const {
  return Fault(fmt::format("{} stands where {} is expected", Describe(current()), expected));
}
Status JinjaTokens::NotSupported(std::string_view what) const {
  return Unimplemented(fmt::format("line {}: {} is not supported", line(), what));
}

Status JinjaTokens::Enter() {
  if (++nesting_ <= kJinjaNestingMax) return Status::Ok();
  return Fault(fmt::format("more than {} levels within each other", kJinjaNestingMax));
}

JinjaExpressionParser::Node JinjaExpressionParser::Make(JinjaExprKind kind) const {
  auto node = std::make_unique<JinjaExpr>();
  node->kind = kind;
  node->line = tokens_.line();
  return node;
}

Result<JinjaExprPtr> JinjaExpressionParser::Finish(Node node) const {
  for (const JinjaExprPtr& child : node->children) {
    if (child != nullptr) node->depth = std::max(node->depth, child->depth + 1);
  }
  for (const auto& [name, child] : node->named)
    node->depth = std::max(node->depth, child->depth + 1);
  if (node->depth > kJinjaExprDepthMax) {
    return tokens_.Fault(fmt::format("an expression of more than {} levels", kJinjaExprDepthMax));
  }
  return JinjaExprPtr(std::move(node));
}

Result<JinjaExprPtr> JinjaExpressionParser::ParseTuple() {
  Node tuple = Make(Expr::kTuple);
  AIO_ASSIGN_OR_RETURN(JinjaExprPtr first, ParseExpression());
  if (!tokens_.AtOperator(",")) return first;
  tuple->children.push_back(std::move(first));
  while (tokens_.SkipOperator(",")) {
    const Kind kind = tokens_.current().kind;
    const bool ends = kind == Kind::kVariableEnd || kind == Kind::kBlockEnd ||
                      tokens_.AtOperator(")") || tokens_.AtOperator("=");
    if (ends) break;
    AIO_ASSIGN_OR_RETURN(tuple->children.emplace_back(), ParseExpression());
  }
  return Finish(std::move(tuple));
}

Result<JinjaExprPtr> JinjaExpressionParser::ParseExpression() {
  AIO_RETURN_IF_ERROR(tokens_.Enter());
  Result<JinjaExprPtr> expr = ParseConditional();
  tokens_.Leave();
  return expr;
}

Result<JinjaExprPtr> JinjaExpressionParser::ParseConditional() {
  AIO_ASSIGN_OR_RETURN(JinjaExprPtr value, ParseOr());
  while (tokens_.AtName("if")) {
    Node node = Make(Expr::kConditional);
    tokens_.Skip();
    AIO_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseOr());
    node->children.push_back(std::move(value));
    node->children.emplace_back();
    if (tokens_.SkipName("else")) {
      AIO_ASSIGN_OR_RETURN(node->children.back(), ParseExpression());
    }
    AIO_ASSIGN_OR_RETURN(value, Finish(std::move(node)));
  }
  return value;
}

Result<JinjaExprPtr> JinjaExpressionParser::ParseOr() {
  AIO_ASSIGN_OR_RETURN(JinjaExprPtr left, ParseAnd());
  while (tokens_.AtName("or")) {
    Node node = Make(Expr::kOr);
    tokens_.Skip();
    node->children.push_back(std::move(left));
    AIO_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseAnd());
    AIO_ASSIGN_OR_RETURN(left, Finish(std::move(node)));
  }
  return left;
}

Result<JinjaExprPtr> JinjaExpressionParser::ParseAnd() {
  AIO_ASSIGN_OR_RETURN(JinjaExprPtr left, ParseNot());
  while (tokens_.AtName("and")) {
    Node node = Make(Expr::kAnd);
    tokens_.Skip();
    node->children.push_back(std::move(left));
    AIO_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseNot());
    AIO_ASSIGN_OR_RETURN(left, Finish(std::move(node)));
  }
  return left;
}

Result<JinjaExprPtr> JinjaExpressionParser::ParseNot() {
  if (!tokens_.AtName("not")) return ParseCompare();
  AIO_RETURN_IF_ERROR(tokens_.Enter());
  Node node = Make(Expr::kNot);
  tokens_.Skip();
  AIO_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseNot());
  tokens_.Leave();
  return Finish(std::move(node));
}

Result<JinjaExprPtr> JinjaExpressionParser::ParseCompare() {
  constexpr std::string_view kOperators[] = {"==", "!=", "<", "<=", ">", ">="};
  Node node = Make(Expr::kCompare);
  AIO_ASSIGN_OR_RETURN(JinjaExprPtr first, ParseSum());
  for (;;) {
    std::string op;
    if (tokens_.SkipName("in")) {
      op = "in";
    } else if (tokens_.AtName("not") && tokens_.next().Is(Kind::kName, "in")) {
      tokens_.Skip();
      tokens_.Skip();
      op = "not in";
    } else if (tokens_.current().kind == Kind::kOperator &&
               std::find(std::begin(kOperators), std::end(kOperators), tokens_.current().text) !=
                   std::end(kOperators)) {
      op = tokens_.Take().text;
    } else {
      break;
    }
    if (first != nullptr) node->children.push_back(std::move(first));
    node->operators.push_back(std::move(op));
    AIO_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseSum());
  }
  if (first != nullptr) return first;
  return Finish(std::move(node));
}

Result<JinjaExprPtr> JinjaExpressionParser::ParseSum() {
  AIO_ASSIGN_OR_RETURN(JinjaExprPtr left, ParseConcat());
  while (tokens_.AtOperator("+") || tokens_.AtOperator("-")) {
    Node node = Make(Expr::kArithmetic);
    node->name = tokens_.Take().text;
    node->children.push_back(std::move(left));
    AIO_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseConcat());
    AIO_ASSIGN_OR_RETURN(left, Finish(std::move(node)));
  }
  return left;
}

Result<JinjaExprPtr> JinjaExpressionParser::ParseConcat() {
  Node node = Make(Expr::kConcat);
  AIO_ASSIGN_OR_RETURN(JinjaExprPtr first, ParseProduct());
  if (!tokens_.AtOperator("~")) return first;
  node->children.push_back(std::move(first));
  while (tokens_.SkipOperator("~")) {
    AIO_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseProduct());
  }
  return Finish(std::move(node));
}

Result<JinjaExprPtr> JinjaExpressionParser::ParseProduct() {
  AIO_ASSIGN_OR_RETURN(JinjaExprPtr left, ParsePower());
  while (tokens_.AtOperator("*") || tokens_.AtOperator("/") || tokens_.AtOperator("//") ||
         tokens_.AtOperator("%")) {
    Node node = Make(Expr::kArithmetic);
    node->name = tokens_.Take().text;
    node->children.push_back(std::move(left));
    AIO_ASSIGN_OR_RETURN(node->children.emplace_back(), ParsePower());
    AIO_ASSIGN_OR_RETURN(left, Finish(std::move(node)));
  }
  return left;
}

Result<JinjaExprPtr> JinjaExpressionParser::ParsePower() {
  AIO_ASSIGN_OR_RETURN(JinjaExprPtr left, ParseUnary(/*with_filters=*/true));
  while (tokens_.AtOperator("**")) {
    Node node = Make(Expr::kArithmetic);
    node->name = tokens_.Take().text;
    node->children.push_back(std::move(left));
    AIO_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseUnary(/*with_filters=*/true));
    AIO_ASSIGN_OR_RETURN(left, Finish(std::move(node)));
  }
  return left;
}

Result<JinjaExprPtr> JinjaExpressionParser::ParseUnary(bool with_filters) {
  JinjaExprPtr value;
  const bool is_minus = tokens_.AtOperator("-");
  if (is_minus || tokens_.AtOperator("+")) {
    AIO_RETURN_IF_ERROR(tokens_.Enter());
    Node node = Make(is_minus ? Expr::kNegative : Expr::kPositive);
    tokens_.Skip();
    AIO_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseUnary(/*with_filters=*/false));
    tokens_.Leave();
    AIO_ASSIGN_OR_RETURN(value, Finish(std::move(node)));
  } else {
    AIO_ASSIGN_OR_RETURN(value, ParsePrimary());
  }
  AIO_ASSIGN_OR_RETURN(value, ParsePostfix(std::move(value)));
  if (!with_filters) return value;
  for (;;) {
    if (tokens_.AtOperator("|")) {
      AIO_ASSIGN_OR_RETURN(value, ParseFilters(std::move(value), /*first_is_open=*/false));
    } else if (tokens_.AtName("is")) {
      AIO_ASSIGN_OR_RETURN(value, ParseTest(std::move(value)));
    } else if (tokens_.AtOperator("(")) {
      AIO_ASSIGN_OR_RETURN(value, ParseCall(std::move(value)));
    } else {
      return value;
    }
  }
}

Result<JinjaExprPtr> JinjaExpressionParser::ParsePrimary() {
  Node node = Make(Expr::kConstant);
  const JinjaToken& token = tokens_.current();
  if (token.kind == Kind::kName) {
    node->name = token.text;
    tokens_.Skip();
    const std::string_view name = node->name;
    const bool is_true = name == "true" || name == "True";
    if (is_true || name == "false" || name == "False") {
      node->value = JinjaValue::Bool(is_true);
    } else if (name == "none" || name == "None") {
      node->value = JinjaValue::None();
    } else {
      node->kind = Expr::kName;
    }
    return Finish(std::move(node));
  }
  if (token.kind == Kind::kString) {
    std::string text;
    while (tokens_.current().kind == Kind::kString) text += tokens_.Take().text;
    node->value = JinjaValue::TemplateText(std::move(text));
    return Finish(std::move(node));
  }
  if (token.kind == Kind::kInteger || token.kind == Kind::kFloat) return ParseNumber();
  return ParseBracketed();
}

Result<JinjaExprPtr> JinjaExpressionParser::ParseNumber() {
  Node node = Make(Expr::kConstant);
  const JinjaToken& token = tokens_.current();
  const char* end = token.text.data() + token.text.size();
  int64_t integer = 0;
  double number = 0;
  const bool is_integer = token.kind == Kind::kInteger;
  const auto read = is_integer ? std::from_chars(token.text.data(), end, integer)
                               : std::from_chars(token.text.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end) {
    return tokens_.Fault(fmt::format("the number {} is out of range", token.text));
  }
  node->value = is_integer ? JinjaValue::Int(integer) : JinjaValue::Float(number);
  tokens_.Skip();
  return Finish(std::move(node));
}

Result<JinjaExprPtr> JinjaExpressionParser::ParseBracketed() {
  Node node = Make(Expr::kTuple);
  if (tokens_.SkipOperator("(")) {
    if (tokens_.SkipOperator(")")) return Finish(std::move(node));
    AIO_ASSIGN_OR_RETURN(JinjaExprPtr inner, ParseTuple());
    AIO_RETURN_IF_ERROR(tokens_.Expect(Kind::kOperator, ")"));
    return inner;
  }
  if (tokens_.SkipOperator("[")) {
    node->kind = Expr::kList;
    while (!tokens_.SkipOperator("]")) {
      AIO_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseExpression());
      if (!tokens_.AtOperator("]")) AIO_RETURN_IF_ERROR(tokens_.Expect(Kind::kOperator, ","));
    }
    return Finish(std::move(node));
  }
  if (tokens_.AtOperator("{")) return ParseDict();
  return tokens_.Unexpected("a value");
}

Result<JinjaExprPtr> JinjaExpressionParser::ParseDict() {
  Node node = Make(Expr::kDict);
  tokens_.Skip();
  while (!tokens_.SkipOperator("}")) {
    AIO_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseExpression());
    AIO_RETURN_IF_ERROR(tokens_.Expect(Kind::kOperator, ":"));
    AIO_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseExpression());
    if (!tokens_.AtOperator("}")) AIO_RETURN_IF_ERROR(tokens_.Expect(Kind::kOperator, ","));
  }
  return Finish(std::move(node));
}

}  // namespace aio
