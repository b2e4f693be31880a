#include "grammar/text_grammar.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "grammar/compile_grammar.h"
#include "grammar/gbnf.h"
#include "grammar/json_document.h"
#include "grammar/json_schema.h"
#include "grammar/json_text.h"
#include "grammar/regex.h"

namespace aio {

namespace {

std::string_view NameOf(GrammarSource source) {
  switch (source) {
    case GrammarSource::kJsonObject:
    case GrammarSource::kJsonSchema:
      return "the schema";
    case GrammarSource::kRegex:
      return "the regular expression";
    case GrammarSource::kChoice:
      return "the choice";
    case GrammarSource::kGbnf:
      return "the grammar";
  }
  return "";
}

RuleId Define(GrammarBuilder& builder, ExprId body) {
  const RuleId rule = builder.AddRule();
  builder.Define(rule, body);
  return rule;
}

Result<RuleId> ReadWholeRegex(std::string_view text, GrammarBuilder& builder) {
  const CharWriter write = [&builder](const CodePointSet& set) { return builder.Chars(set); };
  AIO_ASSIGN_OR_RETURN(const ExprId body, ReadRegex(text, RegexMatch::kWhole, builder, write));
  return Define(builder, body);
}

Result<RuleId> ReadChoice(std::string_view text, GrammarBuilder& builder) {
  Result<JsonNode> choices = ParseJsonDocument(text);
  if (!choices.ok()) return choices.status().WithContext("the choice");
  if (choices->kind != JsonKind::kArray || choices->items.empty()) {
    return InvalidArgument("the choice must be an array of at least one string");
  }
  std::vector<ExprId> exprs;
  for (const JsonNode& choice : choices->items) {
    if (choice.kind != JsonKind::kString || choice.text.empty()) {
      return InvalidArgument("the choice must be an array of strings that are not empty");
    }
    exprs.push_back(builder.Bytes(choice.text));
  }
  return Define(builder, builder.Choice(std::move(exprs)));
}

Result<RuleId> ReadText(GrammarSource source, std::string_view text, GrammarBuilder& builder) {
  switch (source) {
    case GrammarSource::kJsonObject:
      return Define(builder, JsonText(builder).AnyObject());
    case GrammarSource::kJsonSchema:
      return ReadJsonSchema(text, builder);
    case GrammarSource::kRegex:
      return ReadWholeRegex(text, builder);
    case GrammarSource::kChoice:
      return ReadChoice(text, builder);
    case GrammarSource::kGbnf:
      return ReadGbnf(text, builder);
  }
  return Internal("no such source");
}

}  // namespace

Result<std::shared_ptr<const Grammar>> CompileText(GrammarSource source, std::string_view text) {
  if (text.size() > kGrammarTextBytesMax) {
    return InvalidArgument(fmt::format("{} has {} bytes; at most {} are allowed", NameOf(source),
                                       text.size(), kGrammarTextBytesMax));
  }
  GrammarBuilder builder;
  AIO_ASSIGN_OR_RETURN(const RuleId root, ReadText(source, text, builder));
  Result<std::shared_ptr<const Grammar>> grammar = CompileGrammar(builder, root);
  if (!grammar.ok()) return grammar.status().WithContext(NameOf(source));
  return grammar;
}

}  // namespace aio
