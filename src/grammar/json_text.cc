#include "grammar/json_text.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/utf8.h"
#include "grammar/char_classes.h"

namespace aio {

// The call is known before the body is made: values contain values.
template <typename Make>
ExprId JsonText::Shared(const std::string& key, Make make) {
  const auto found = shared_.find(key);
  if (found != shared_.end()) return found->second;
  const RuleId rule = builder_.AddRule();
  const ExprId call = builder_.Call(rule);
  shared_.emplace(key, call);
  builder_.Define(rule, make());
  return call;
}

ExprId JsonText::Space() {
  constexpr int kIndentMax = 20;
  return Shared("space", [this] {
    const ExprId blank = builder_.Choice({builder_.Bytes(" "), builder_.Bytes("\t")});
    const ExprId line =
        builder_.Sequence({builder_.Bytes("\n"), builder_.Repeat(blank, 0, kIndentMax)});
    return builder_.Choice({builder_.Empty(), builder_.Bytes(" "), line});
  });
}

ExprId JsonText::Separator() { return builder_.Sequence({builder_.Bytes(","), Space()}); }

ExprId JsonText::Value() {
  return Shared("value", [this] {
    return builder_.Choice({AnyObject(), AnyArray(), String(), Number(), Boolean(), Null()});
  });
}

ExprId JsonText::AnyObject() {
  return Shared("object", [this] { return Object({}, Member(String(), Value())); });
}

ExprId JsonText::AnyArray() {
  return Shared("array", [this] { return Array({.prefix = {}, .item = Value()}); });
}

ExprId JsonText::Integer() {
  return Shared("integer", [this] {
    const ExprId digits = builder_.Sequence(
        {builder_.Range('1', '9'), builder_.Repeat(builder_.Range('0', '9'), 0, kDigitsMax - 1)});
    return builder_.Choice(
        {builder_.Bytes("0"), builder_.Sequence({builder_.Optional(builder_.Bytes("-")), digits})});
  });
}

ExprId JsonText::Number() {
  return Shared("number", [this] {
    const ExprId digit = builder_.Range('0', '9');
    const ExprId whole = builder_.Choice(
        {builder_.Bytes("0"),
         builder_.Sequence({builder_.Range('1', '9'), builder_.Repeat(digit, 0, kDigitsMax - 1)})});
    const ExprId fraction =
        builder_.Sequence({builder_.Bytes("."), builder_.Repeat(digit, 1, kDigitsMax)});
    const ExprId sign =
        builder_.Choice({builder_.Empty(), builder_.Bytes("+"), builder_.Bytes("-")});
    const ExprId e = builder_.Choice({builder_.Bytes("e"), builder_.Bytes("E")});
    const ExprId exponent = builder_.Sequence({e, sign, builder_.Repeat(digit, 1, 2)});
    return builder_.Sequence({builder_.Optional(builder_.Bytes("-")), whole,
                              builder_.Optional(fraction), builder_.Optional(exponent)});
  });
}

ExprId JsonText::Boolean() {
  return builder_.Choice({builder_.Bytes("true"), builder_.Bytes("false")});
}

ExprId JsonText::Null() { return builder_.Bytes("null"); }

ExprId JsonText::StringChar() {
  return Shared("char", [this] {
    const CodePointSet plain = CodePointSet({{0, 0x1F}, {'"', '"'}, {'\\', '\\'}}).Complement();
    const CodePointSet hex = {{'0', '9'}, {'A', 'F'}, {'a', 'f'}};
    const auto of = [this](std::string_view chars) {
      return builder_.Chars(CodePointSet::Of(chars));
    };
    const ExprId digit = builder_.Chars(hex);
    const ExprId digits2 = builder_.Repeat(digit, 2, 2);
    const ExprId no_surrogate = builder_.Choice(
        {builder_.Sequence({of("0123456789ABCEFabcef"), builder_.Repeat(digit, 3, 3)}),
         builder_.Sequence({of("Dd"), of("01234567"), digits2})});
    const ExprId pair = builder_.Sequence({of("Dd"), of("89ABab"), digits2, builder_.Bytes("\\u"),
                                           of("Dd"), of("CDEFcdef"), digits2});
    const ExprId escape = builder_.Choice(
        {of("\"\\/bfnrt"),
         builder_.Sequence({builder_.Bytes("u"), builder_.Choice({no_surrogate, pair})})});
    return builder_.Choice(
        {builder_.Chars(plain), builder_.Sequence({builder_.Bytes("\\"), escape})});
  });
}

// The characters' body, not a call: what goes round within one automaton is fast.
ExprId JsonText::String(int min, int max) {
  return Shared(fmt::format("string {} {}", min, max), [&] {
    const ExprId quote = builder_.Bytes("\"");
    StringChar();
    const ExprId body = builder_.body(builder_.expr(shared_.at("char")).min);
    return builder_.Sequence({quote, builder_.Repeat(body, min, max), quote});
  });
}

ExprId JsonText::StringBut(const std::vector<std::string>& names) {
  std::set<std::u32string> sorted;
  for (const std::string& name : names) {
    std::u32string decoded;
    for (std::string_view rest = name; !rest.empty();) {
      const Utf8Step step = DecodeUtf8(rest);
      decoded.push_back(step.code_point);
      rest.remove_prefix(step.length);
    }
    sorted.insert(std::move(decoded));
  }
  return builder_.AsRule(builder_.Sequence(
      {builder_.Bytes("\""), NamesApart({sorted.begin(), sorted.end()}, /*depth=*/0)}));
}

// What may follow the `depth` characters that all of `names` (sorted, distinct) begin with. A
// character that is the names' own is written one way only, or it could pass for another.
ExprId JsonText::NamesApart(const std::vector<std::u32string>& names, size_t depth) {
  const ExprId quote = builder_.Bytes("\"");
  std::vector<ExprId> choices;
  CodePointSet taken;
  auto name = names.begin();
  if (name != names.end() && name->size() == depth) {
    ++name;
  } else {
    choices.push_back(quote);
  }
  while (name != names.end()) {
    const char32_t c = (*name)[depth];
    std::vector<std::u32string> same;
    for (; name != names.end() && (*name)[depth] == c; ++name) same.push_back(*name);
    taken.Add(c, c);
    choices.push_back(
        builder_.Sequence({JsonStringChars(builder_, {{c, c}}), NamesApart(same, depth + 1)}));
  }
  const ExprId other = JsonStringChars(builder_, taken.Complement());
  StringChar();
  const ExprId any = builder_.body(builder_.expr(shared_.at("char")).min);
  choices.push_back(builder_.Sequence({other, builder_.Repeat(any, 0), quote}));
  const ExprId rest = builder_.Choice(std::move(choices));
  // Expressions are nested twice for each character; a rule begins anew.
  constexpr size_t kCharsARule = 64;
  return (depth + 1) % kCharsARule == 0 ? builder_.AsRule(rest) : rest;
}

ExprId JsonText::Object(const std::vector<GrammarBuilder::ListItem>& items, ExprId tail) {
  return builder_.AsRule(
      builder_.Sequence({builder_.Bytes("{"), Space(), builder_.List(items, Separator(), tail),
                         Space(), builder_.Bytes("}")}));
}

ExprId JsonText::Member(ExprId name, ExprId value) {
  return builder_.Sequence(
      {name, builder_.Bytes(":"), builder_.Optional(builder_.Bytes(" ")), value});
}

ExprId JsonText::Array(const ArrayShape& shape) {
  const auto num_prefix = static_cast<int>(shape.prefix.size());
  const auto after = [](int bound, int count) {
    return bound == kUnbounded ? kUnbounded : std::max(bound - count, 0);
  };
  // From the end: what may follow the first i elements.
  const int written = std::max(num_prefix, 1);  // before what is repeated with its separator
  ExprId rest = builder_.Empty();
  if (after(shape.max, written) > 0) {
    rest = builder_.Repeat(builder_.Sequence({Separator(), shape.item}), after(shape.min, written),
                           after(shape.max, written));
  }
  for (int i = written - 1; i >= 0; --i) {
    const ExprId element = num_prefix == 0 ? shape.item : shape.prefix[i];
    std::vector<ExprId> parts = {element, rest};
    if (i > 0) parts.insert(parts.begin(), Separator());
    if (shape.max <= i) {
      rest = builder_.Empty();
    } else {
      rest = builder_.Sequence(std::move(parts));
      if (shape.min <= i) rest = builder_.Optional(rest);
    }
  }
  return builder_.AsRule(
      builder_.Sequence({builder_.Bytes("["), Space(), rest, Space(), builder_.Bytes("]")}));
}

ExprId JsonText::Literal(const JsonNode& value) {
  switch (value.kind) {
    case JsonKind::kNull:
      return Null();
    case JsonKind::kBoolean:
      return builder_.Bytes(value.boolean ? "true" : "false");
    case JsonKind::kNumber:
      return builder_.Bytes(value.text);
    case JsonKind::kString:
      return builder_.Bytes(QuoteJson(value.text));
    case JsonKind::kArray: {
      // Not by Array(), which nests expressions for each item.
      std::vector<ExprId> parts = {builder_.Bytes("["), Space()};
      for (const JsonNode& item : value.items) {
        if (&item != &value.items.front()) parts.push_back(Separator());
        parts.push_back(Literal(item));
      }
      parts.insert(parts.end(), {Space(), builder_.Bytes("]")});
      return builder_.AsRule(builder_.Sequence(std::move(parts)));
    }
    case JsonKind::kObject: {
      std::vector<GrammarBuilder::ListItem> members;
      members.reserve(value.members.size());
      for (const auto& [name, member] : value.members) {
        members.push_back({Member(builder_.Bytes(QuoteJson(name)), Literal(member)), true});
      }
      return Object(members, builder_.Nothing());
    }
  }
  return builder_.Nothing();
}

}  // namespace aio
