#include "jinja/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <utility>

#include "jinja/expression_parser.h"
#include "jinja/lexer.h"

namespace aio {
namespace {

using Kind = JinjaTokenKind;
using Statement = JinjaStatementKind;
using Node = std::unique_ptr<JinjaStatement>;
using Names = std::initializer_list<std::string_view>;

constexpr size_t kParametersMax = 255;  // of a macro, as it once was Python's

class Parser {
 public:
  explicit Parser(std::vector<JinjaToken> tokens) : tokens_(std::move(tokens)) {}

  Result<JinjaBlock> Parse() {
    AIO_ASSIGN_OR_RETURN(JinjaBlock block, ParseBlock({}));
    return block;
  }

 private:
  Node Make(Statement kind) const {
    auto node = std::make_unique<JinjaStatement>();
    node->kind = kind;
    node->line = tokens_.line();
    return node;
  }

  bool AtEndName(Names ends) const {
    if (tokens_.current().kind != Kind::kBlockBegin || tokens_.next().kind != Kind::kName) {
      return false;
    }
    return std::find(ends.begin(), ends.end(), tokens_.next().text) != ends.end();
  }

  // Up to the tag that begins with one of `ends`, past its {%; none: to the end of the template.
  Result<JinjaBlock> ParseBlock(Names ends) {
    AIO_RETURN_IF_ERROR(tokens_.Enter());
    JinjaBlock block;
    while (tokens_.current().kind != Kind::kEnd && !AtEndName(ends)) {
      AIO_ASSIGN_OR_RETURN(Node statement, ParseStatement());
      block.push_back(std::move(statement));
    }
    if (ends.size() > 0) {
      if (tokens_.current().kind == Kind::kEnd) {
        return tokens_.Unexpected(fmt::format("{{% {} %}}", *std::prev(ends.end())));
      }
      tokens_.Skip();
    }
    tokens_.Leave();
    return block;
  }

  Result<Node> ParseStatement() {
    if (tokens_.current().kind == Kind::kData) {
      Node node = Make(Statement::kData);
      node->text = tokens_.Take().text;
      return node;
    }
    if (tokens_.current().kind == Kind::kVariableBegin) {
      Node node = Make(Statement::kOutput);
      tokens_.Skip();
      AIO_ASSIGN_OR_RETURN(node->expr, expressions_.ParseTuple());
      AIO_RETURN_IF_ERROR(tokens_.Expect(Kind::kVariableEnd, ""));
      return node;
    }
    AIO_RETURN_IF_ERROR(tokens_.Expect(Kind::kBlockBegin, ""));
    return ParseTag();
  }

  Status EndTag() { return tokens_.Expect(Kind::kBlockEnd, ""); }
  Status EndTag(std::string_view name) {
    AIO_RETURN_IF_ERROR(tokens_.Expect(Kind::kName, name));
    return EndTag();
  }

  Result<Node> ParseTag() {
    struct Tag {
      std::string_view name;
      Result<Node> (Parser::*parse)();
    };
    constexpr Tag kTags[] = {{"if", &Parser::ParseIf},      {"for", &Parser::ParseFor},
                             {"set", &Parser::ParseSet},    {"macro", &Parser::ParseMacro},
                             {"call", &Parser::ParseCall},  {"filter", &Parser::ParseFilter},
                             {"with", &Parser::ParseWith},  {"generation", &Parser::ParseScope},
                             {"break", &Parser::ParseJump}, {"continue", &Parser::ParseJump}};
    constexpr std::string_view kOthers[] = {"include", "import", "from",      "extends",
                                            "block",   "do",     "autoescape"};
    for (const Tag& tag : kTags) {
      if (tokens_.AtName(tag.name)) return (this->*tag.parse)();
    }
    for (const std::string_view name : kOthers) {
      if (tokens_.AtName(name)) return tokens_.NotSupported(fmt::format("{{% {} %}}", name));
    }
    return tokens_.Unexpected("the name of a tag");
  }

  Result<Node> ParseIf() {
    Node node = Make(Statement::kIf);
    for (;;) {
      tokens_.Skip();  // "if" or "elif"
      AIO_ASSIGN_OR_RETURN(JinjaExprPtr condition, expressions_.ParseTuple());
      AIO_RETURN_IF_ERROR(EndTag());
      AIO_ASSIGN_OR_RETURN(JinjaBlock body, ParseBlock({"elif", "else", "endif"}));
      node->branches.emplace_back(std::move(condition), std::move(body));
      if (!tokens_.AtName("elif")) break;
    }
    if (tokens_.SkipName("else")) {
      AIO_RETURN_IF_ERROR(EndTag());
      AIO_ASSIGN_OR_RETURN(JinjaBlock body, ParseBlock({"endif"}));
      node->branches.emplace_back(nullptr, std::move(body));
    }
    AIO_RETURN_IF_ERROR(EndTag("endif"));
    return node;
  }

  // Names alone, with commas or brackets for several.
  Status ParseNames(JinjaTarget& target) {
    const bool bracketed = tokens_.SkipOperator("(");
    do {
      if (!target.names.empty() && tokens_.current().kind != Kind::kName) break;
      AIO_ASSIGN_OR_RETURN(target.names.emplace_back(), tokens_.TakeName("a name to assign to"));
      target.is_tuple = target.is_tuple || tokens_.AtOperator(",");
    } while (tokens_.SkipOperator(","));
    if (bracketed) AIO_RETURN_IF_ERROR(tokens_.Expect(Kind::kOperator, ")"));
    for (const std::string& name : target.names) {
      for (const std::string_view constant : {"true", "false", "none", "True", "False", "None"}) {
        if (name == constant) return tokens_.Fault(fmt::format("cannot assign to '{}'", name));
      }
    }
    return Status::Ok();
  }

  Result<Node> ParseFor() {
    Node node = Make(Statement::kFor);
    tokens_.Skip();
    AIO_RETURN_IF_ERROR(ParseNames(node->target));
    AIO_RETURN_IF_ERROR(tokens_.Expect(Kind::kName, "in"));
    AIO_ASSIGN_OR_RETURN(node->expr, ParseLooped());
    if (tokens_.SkipName("if")) {
      AIO_ASSIGN_OR_RETURN(node->condition, expressions_.ParseExpression());
    }
    if (tokens_.AtName("recursive")) return tokens_.NotSupported("a recursive loop");
    AIO_RETURN_IF_ERROR(EndTag());
    ++loops_;
    AIO_ASSIGN_OR_RETURN(node->body, ParseBlock({"else", "endfor"}));
    --loops_;
    if (tokens_.SkipName("else")) {
      AIO_RETURN_IF_ERROR(EndTag());
      AIO_ASSIGN_OR_RETURN(node->otherwise, ParseBlock({"endfor"}));
    }
    AIO_RETURN_IF_ERROR(EndTag("endfor"));
    return node;
  }

  // An `if` after it is the loop's, not the expression's.
  Result<JinjaExprPtr> ParseLooped() {
    AIO_ASSIGN_OR_RETURN(JinjaExprPtr first, expressions_.ParseOr());
    if (!tokens_.AtOperator(",")) return first;
    return tokens_.NotSupported("a loop over values without brackets");
  }

  Result<Node> ParseJump() {
    Node node = Make(tokens_.AtName("break") ? Statement::kBreak : Statement::kContinue);
    if (loops_ == 0) {
      return tokens_.Fault(fmt::format("'{}' outside of a loop", tokens_.current().text));
    }
    tokens_.Skip();
    AIO_RETURN_IF_ERROR(EndTag());
    return node;
  }

  Result<Node> ParseSet() {
    Node node = Make(Statement::kSet);
    tokens_.Skip();
    AIO_RETURN_IF_ERROR(ParseNames(node->target));
    if (node->target.names.size() == 1 && !node->target.is_tuple && tokens_.SkipOperator(".")) {
      AIO_ASSIGN_OR_RETURN(node->target.attribute, tokens_.TakeName("the name of an attribute"));
    }
    if (tokens_.SkipOperator("=")) {
      AIO_ASSIGN_OR_RETURN(node->expr, expressions_.ParseTuple());
      AIO_RETURN_IF_ERROR(EndTag());
      return node;
    }
    node->kind = Statement::kSetBlock;
    AIO_ASSIGN_OR_RETURN(node->expr, expressions_.ParseFilters(nullptr, /*first_is_open=*/false));
    AIO_RETURN_IF_ERROR(EndTag());
    AIO_ASSIGN_OR_RETURN(node->body, ParseBody("endset"));
    return node;
  }

  // Of a tag whose inside is computed by itself: no break out of it.
  Result<JinjaBlock> ParseBody(std::string_view end) {
    const int loops = std::exchange(loops_, 0);
    AIO_ASSIGN_OR_RETURN(JinjaBlock body, ParseBlock({end}));
    loops_ = loops;
    AIO_RETURN_IF_ERROR(EndTag(end));
    return body;
  }

  Status ParseParameters(std::vector<JinjaParameter>& parameters) {
    AIO_RETURN_IF_ERROR(tokens_.Expect(Kind::kOperator, "("));
    while (!tokens_.SkipOperator(")")) {
      JinjaParameter& parameter = parameters.emplace_back();
      AIO_ASSIGN_OR_RETURN(parameter.name, tokens_.TakeName("the name of a parameter"));
      const auto same = [&](const JinjaParameter& each) { return each.name == parameter.name; };
      if (std::count_if(parameters.begin(), parameters.end(), same) > 1) {
        return tokens_.Fault(fmt::format("two parameters are named '{:.100}'", parameter.name));
      }
      if (parameters.size() > kParametersMax) {
        return tokens_.Fault(fmt::format("a macro of more than {} parameters", kParametersMax));
      }
      if (tokens_.SkipOperator("=")) {
        AIO_ASSIGN_OR_RETURN(parameter.default_value, expressions_.ParseExpression());
      } else if (parameters.size() > 1 &&
                 parameters[parameters.size() - 2].default_value != nullptr) {
        return tokens_.Fault("a parameter without default stands after one with a default");
      }
      if (!tokens_.AtOperator(")")) AIO_RETURN_IF_ERROR(tokens_.Expect(Kind::kOperator, ","));
    }
    return Status::Ok();
  }

  Result<Node> ParseMacro() {
    Node node = Make(Statement::kMacro);
    tokens_.Skip();
    AIO_ASSIGN_OR_RETURN(node->text, tokens_.TakeName("the name of a macro"));
    AIO_RETURN_IF_ERROR(ParseParameters(node->parameters));
    AIO_RETURN_IF_ERROR(EndTag());
    AIO_ASSIGN_OR_RETURN(node->body, ParseBody("endmacro"));
    return node;
  }

  Result<Node> ParseCall() {
    Node node = Make(Statement::kCall);
    tokens_.Skip();
    if (tokens_.AtOperator("(")) AIO_RETURN_IF_ERROR(ParseParameters(node->parameters));
    AIO_ASSIGN_OR_RETURN(node->expr, expressions_.ParseExpression());
    if (node->expr->kind != JinjaExprKind::kCall) return tokens_.Fault("expected a call");
    AIO_RETURN_IF_ERROR(EndTag());
    AIO_ASSIGN_OR_RETURN(node->body, ParseBody("endcall"));
    return node;
  }

  Result<Node> ParseFilter() {
    Node node = Make(Statement::kFilter);
    tokens_.Skip();
    AIO_ASSIGN_OR_RETURN(node->expr, expressions_.ParseFilters(nullptr, /*first_is_open=*/true));
    AIO_RETURN_IF_ERROR(EndTag());
    AIO_ASSIGN_OR_RETURN(node->body, ParseBody("endfilter"));
    return node;
  }

  Result<Node> ParseWith() {
    Node node = Make(Statement::kWith);
    tokens_.Skip();
    while (tokens_.current().kind != Kind::kBlockEnd) {
      if (!node->assignments.empty()) {
        AIO_RETURN_IF_ERROR(tokens_.Expect(Kind::kOperator, ","));
      }
      AIO_ASSIGN_OR_RETURN(std::string name, tokens_.TakeName("a name to assign to"));
      AIO_RETURN_IF_ERROR(tokens_.Expect(Kind::kOperator, "="));
      AIO_ASSIGN_OR_RETURN(JinjaExprPtr value, expressions_.ParseExpression());
      node->assignments.emplace_back(std::move(name), std::move(value));
    }
    AIO_RETURN_IF_ERROR(EndTag());
    AIO_ASSIGN_OR_RETURN(node->body, ParseBlock({"endwith"}));
    AIO_RETURN_IF_ERROR(EndTag("endwith"));
    return node;
  }

  Result<Node> ParseScope() {
    Node node = Make(Statement::kScope);
    tokens_.Skip();
    AIO_RETURN_IF_ERROR(EndTag());
    AIO_ASSIGN_OR_RETURN(node->body, ParseBody("endgeneration"));
    return node;
  }

  JinjaTokens tokens_;
  JinjaExpressionParser expressions_{tokens_};
  int loops_ = 0;  // that are open here
};

}  // namespace

Result<JinjaBlock> ParseJinja(std::string_view source) {
  AIO_ASSIGN_OR_RETURN(std::vector<JinjaToken> tokens, LexJinja(source));
  return Parser(std::move(tokens)).Parse();
}

}  // namespace aio
