// What may follow a value: attributes, subscripts, calls, filters and tests.
#include <fmt/format.h>

#include "jinja/expression_parser.h"
#include "jinja/filters.h"

namespace aio {

namespace {

using Kind = JinjaTokenKind;
using Expr = JinjaExprKind;

}  // namespace

Result<JinjaExprPtr> JinjaExpressionParser::ParsePostfix(JinjaExprPtr object) {
  for (;;) {
    if (tokens_.AtOperator(".")) {
      AIO_ASSIGN_OR_RETURN(object, ParseAttribute(std::move(object)));
    } else if (tokens_.AtOperator("[")) {
      AIO_ASSIGN_OR_RETURN(object, ParseSubscript(std::move(object)));
    } else if (tokens_.AtOperator("(")) {
      AIO_ASSIGN_OR_RETURN(object, ParseCall(std::move(object)));
    } else {
      return object;
    }
  }
}

Result<JinjaExprPtr> JinjaExpressionParser::ParseAttribute(JinjaExprPtr object) {
  Node node = Make(Expr::kAttribute);
  tokens_.Skip();
  if (tokens_.current().kind == Kind::kInteger) {
    node->kind = Expr::kItem;
    node->children.push_back(std::move(object));
    AIO_ASSIGN_OR_RETURN(node->children.emplace_back(), ParseNumber());
    return Finish(std::move(node));
  }
  AIO_ASSIGN_OR_RETURN(node->name, tokens_.TakeName("the name of an attribute"));
  node->children.push_back(std::move(object));
  return Finish(std::move(node));
}

Result<JinjaExprPtr> JinjaExpressionParser::ParseSubscript(JinjaExprPtr object) {
  Node node = Make(Expr::kItem);
  tokens_.Skip();
  node->children.push_back(std::move(object));
  node->children.emplace_back();
  if (!tokens_.AtOperator(":")) {
    AIO_ASSIGN_OR_RETURN(node->children.back(), ParseTuple());
  }
  while (tokens_.SkipOperator(":")) {
    node->kind = Expr::kSlice;
    node->children.emplace_back();
    if (tokens_.AtOperator(":") || tokens_.AtOperator("]")) continue;
    AIO_ASSIGN_OR_RETURN(node->children.back(), ParseExpression());
  }
  if (node->children.size() > 4) return tokens_.Fault("a slice has at most three parts");
  if (node->kind == Expr::kSlice) node->children.resize(4);
  AIO_RETURN_IF_ERROR(tokens_.Expect(Kind::kOperator, "]"));
  return Finish(std::move(node));
}

Status JinjaExpressionParser::ParseArguments(JinjaExpr& call) {
  AIO_RETURN_IF_ERROR(tokens_.Expect(Kind::kOperator, "("));
  while (!tokens_.SkipOperator(")")) {
    if (tokens_.AtOperator("*") || tokens_.AtOperator("**")) {
      return tokens_.NotSupported("taking arguments out of a list or a dict");
    }
    const bool is_named =
        tokens_.current().kind == Kind::kName && tokens_.next().Is(Kind::kOperator, "=");
    if (is_named) {
      std::string name = tokens_.Take().text;
      tokens_.Skip();
      AIO_ASSIGN_OR_RETURN(JinjaExprPtr value, ParseExpression());
      call.named.emplace_back(std::move(name), std::move(value));
    } else if (!call.named.empty()) {
      return tokens_.Fault("an argument without a name stands after one with a name");
    } else {
      AIO_ASSIGN_OR_RETURN(call.children.emplace_back(), ParseExpression());
    }
    if (!tokens_.AtOperator(")")) AIO_RETURN_IF_ERROR(tokens_.Expect(Kind::kOperator, ","));
  }
  return Status::Ok();
}

Result<JinjaExprPtr> JinjaExpressionParser::ParseCall(JinjaExprPtr function) {
  Node node = Make(Expr::kCall);
  node->children.push_back(std::move(function));
  AIO_RETURN_IF_ERROR(ParseArguments(*node));
  return Finish(std::move(node));
}

Result<JinjaExprPtr> JinjaExpressionParser::ParseFilters(JinjaExprPtr input, bool first_is_open) {
  while (first_is_open || tokens_.SkipOperator("|")) {
    first_is_open = false;
    Node node = Make(Expr::kFilter);
    AIO_ASSIGN_OR_RETURN(node->name, tokens_.TakeName("the name of a filter"));
    if (FindJinjaFilter(node->name) == nullptr) {
      return tokens_.NotSupported(fmt::format("the filter \"{}\"", node->name));
    }
    node->children.push_back(std::move(input));
    if (tokens_.AtOperator("(")) AIO_RETURN_IF_ERROR(ParseArguments(*node));
    AIO_ASSIGN_OR_RETURN(input, Finish(std::move(node)));
  }
  return input;
}

Result<JinjaExprPtr> JinjaExpressionParser::ParseTest(JinjaExprPtr input) {
  Node node = Make(Expr::kTest);
  tokens_.Skip();
  const bool negated = tokens_.SkipName("not");
  AIO_ASSIGN_OR_RETURN(node->name, tokens_.TakeName("the name of a test"));
  if (FindJinjaTest(node->name) == nullptr) {
    return tokens_.NotSupported(fmt::format("the test \"{}\"", node->name));
  }
  node->children.push_back(std::move(input));
  const JinjaToken& token = tokens_.current();
  const bool is_value = token.kind == Kind::kString || token.kind == Kind::kInteger ||
                        token.kind == Kind::kFloat || tokens_.AtOperator("[") ||
                        tokens_.AtOperator("{");
  const bool is_name = token.kind == Kind::kName && token.text != "else" && token.text != "or" &&
                       token.text != "and";
  if (tokens_.AtOperator("(")) {
    AIO_RETURN_IF_ERROR(ParseArguments(*node));
  } else if (is_value || is_name) {
    if (tokens_.AtName("is")) return tokens_.Fault("a test of a test; use brackets");
    AIO_ASSIGN_OR_RETURN(JinjaExprPtr argument, ParsePrimary());
    AIO_ASSIGN_OR_RETURN(node->children.emplace_back(), ParsePostfix(std::move(argument)));
  }
  if (!negated) return Finish(std::move(node));
  Node negation = Make(Expr::kNot);
  AIO_ASSIGN_OR_RETURN(negation->children.emplace_back(), Finish(std::move(node)));
  return Finish(std::move(negation));
}

}  // namespace aio
