#include "jinja/filters.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

#include "jinja/json_value.h"
#include "jinja/list_filters.h"
#include "jinja/objects.h"
#include "jinja/operators.h"
#include "jinja/python_text.h"

namespace aio {
namespace {

using Arguments = JinjaArguments;
using Kind = JinjaValue::Kind;

// --- of texts --------------------------------------------------------------------------------

template <MarkedText (*map)(const MarkedText&)>
JinjaValue MapOf(JinjaRun& run, const JinjaValue& input, const Arguments& /*arguments*/) {
  return run.Text(map(run.Str(input)));
}
JinjaValue TitleOf(JinjaRun& run, const JinjaValue& input, const Arguments& /*arguments*/) {
  return run.Text(Title(run.Str(input), TitleRule::kFilter));
}
JinjaValue StringOf(JinjaRun& run, const JinjaValue& input, const Arguments& /*arguments*/) {
  return run.Text(run.Str(input));
}

JinjaValue TrimOf(JinjaRun& run, const JinjaValue& input, const Arguments& arguments) {
  std::optional<std::string> chars;
  if (arguments[0].is_text()) {
    chars = arguments[0].bytes();
    // A set is made of them.
    if (!run.ChargeBytes(static_cast<int64_t>(2 * chars->size()))) return {};
  }
  return run.Text(Strip(run.Str(input), StripSide::kBoth, chars));
}

JinjaValue ReplaceOf(JinjaRun& run, const JinjaValue& input, const Arguments& arguments) {
  const auto count = IntArgument(run, arguments[2], -1);
  if (!count) return {};
  const MarkedText from = run.Str(arguments[0]);
  const MarkedText to = run.Str(arguments[1]);
  return ReplaceIn(run, run.Str(input), {from, to}, *count);
}

JinjaValue IndentOf(JinjaRun& run, const JinjaValue& input, const Arguments& arguments) {
  MarkedText indention;
  if (arguments[0].is_text()) {
    indention = arguments[0].text();
  } else {
    const auto width = IntArgument(run, arguments[0], 4);
    if (!width || *width > 1000) return run.Fault("indent() by more than 1000 spaces");
    indention.Append(std::string(static_cast<size_t>(std::max<int64_t>(*width, 0)), ' '), false);
  }
  MarkedText text = run.Str(input);
  text.Append("\n", false);
  const size_t count = CountLines(text.bytes());
  if (!run.ChargeParts(count)) return {};
  if (!run.ChargeBytes(static_cast<int64_t>(count * (indention.size() + 1)))) return {};
  const std::vector<MarkedText> lines = SplitLines(text);
  MarkedText indented;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) indented.Append("\n", false);
    const bool indents =
        i == 0 ? arguments[1].IsTrue() : arguments[2].IsTrue() || !lines[i].empty();
    if (indents) indented.Append(indention);
    indented.Append(lines[i]);
  }
  return run.Text(std::move(indented));
}

JinjaValue WordCount(JinjaRun& run, const JinjaValue& input, const Arguments& /*arguments*/) {
  const std::string text = run.Str(input).bytes();
  int64_t words = 0;
  bool in_word = false;
  for (size_t at = 0; at < text.size();) {
    const size_t length = CharLength(text, at);
    const std::string_view c = std::string_view(text).substr(at, length);
    const bool is_word = AllAre(c, CharClass::kAlphaOrDigit) || c == "_";
    words += is_word && !in_word ? 1 : 0;
    in_word = is_word;
    at += length;
  }
  return JinjaValue::Int(words);
}

JinjaValue ToJson(JinjaRun& run, const JinjaValue& input, const Arguments& arguments) {
  JsonStyle style;
  style.ensure_ascii = arguments[0].IsTrue();
  const auto indent = IntArgument(run, arguments[1], -1);
  if (!indent || *indent < -1 || *indent > 100) {
    return run.Fault("tojson(): indent is -1 (one line) to 100 spaces");
  }
  style.indent = static_cast<int>(*indent);
  style.item_separator = std::string(style.indent >= 0 ? "," : ", ");
  if (arguments[2].is_list() && arguments[2].list().items.size() == 2) {
    const std::vector<JinjaValue>& separators = arguments[2].list().items;
    style.item_separator = run.Str(separators[0]).bytes();
    style.key_separator = run.Str(separators[1]).bytes();
  }
  style.sort_keys = arguments[3].IsTrue();
  // An indented line is as deep as the value is; a character may be escaped, as "\u0001"; and a
  // separator goes with each value and key.
  constexpr int64_t kEscaped = 6;
  const int64_t spaces = kEscaped + int64_t{std::max(style.indent, 0)} * (input.depth() + 1);
  const auto separator =
      static_cast<int64_t>(std::max(style.item_separator.size(), style.key_separator.size()));
  int64_t bytes = 0;
  if (__builtin_mul_overflow(input.weight(), spaces + separator / 8, &bytes) ||
      !run.ChargeBytes(bytes)) {
    return run.Fault("tojson() of too much");
  }
  Result<MarkedText> json = WriteJsonValue(input, style);
  return json.ok() ? run.Text(*std::move(json)) : run.Fault(json.status().message());
}

// --- of numbers ------------------------------------------------------------------------------

std::optional<double> ReadFloat(std::string_view text) {
  const std::string trimmed = Strip(MarkedText(std::string(text), false), StripSide::kBoth).bytes();
  const char* begin = trimmed.data() + (trimmed.starts_with('+') ? 1 : 0);
  const char* end = trimmed.data() + trimmed.size();
  double value = 0;
  const auto read = std::from_chars(begin, end, value);
  if (begin == end || read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return value;
}

std::optional<double> AsFloat(const JinjaValue& value) {
  if (value.is_number()) return value.number();
  return value.is_text() ? ReadFloat(value.bytes()) : std::nullopt;
}

JinjaValue IntOf(JinjaRun& run, const JinjaValue& input, const Arguments& arguments) {
  JinjaValue or_else = arguments[0].is_undefined() ? JinjaValue::Int(0) : arguments[0];
  if (input.is_undefined()) return run.Fault(input.undefined_message());
  if (input.is_integer()) return JinjaValue::Int(input.integer());
  const auto base = IntArgument(run, arguments[1], 10);
  if (!base) return {};
  if (input.is_text()) {
    if (!run.ChargeReading(2 * input.text().size())) return {};
    const std::string text = Strip(input.text(), StripSide::kBoth).bytes();
    const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
    const char* end = text.data() + text.size();
    int64_t value = 0;
    if (*base < 2 || *base > 36) return run.Fault("int() of a base that is not 2 to 36");
    const auto read = std::from_chars(begin, end, value, static_cast<int>(*base));
    if (begin != end && read.ec == std::errc() && read.ptr == end) return JinjaValue::Int(value);
  }
  const std::optional<double> number = AsFloat(input);
  if (!number || !(std::fabs(*number) < 9e18)) return or_else;
  return JinjaValue::Int(static_cast<int64_t>(*number));
}

JinjaValue FloatOf(JinjaRun& run, const JinjaValue& input, const Arguments& arguments) {
  if (input.is_undefined()) return run.Fault(input.undefined_message());
  if (input.is_text() && !run.ChargeReading(2 * input.text().size())) return {};
  if (const std::optional<double> number = AsFloat(input)) return JinjaValue::Float(*number);
  return arguments[0].is_undefined() ? JinjaValue::Float(0) : arguments[0];
}

JinjaValue AbsOf(JinjaRun& run, const JinjaValue& input, const Arguments& /*arguments*/) {
  if (!input.is_number()) return run.Fault("abs() takes a number");
  if (!input.is_integer()) return JinjaValue::Float(std::fabs(input.number()));
  return input.integer() < 0 ? Negative(run, input) : JinjaValue::Int(input.integer());
}

JinjaValue RoundOf(JinjaRun& run, const JinjaValue& input, const Arguments& arguments) {
  const auto precision = IntArgument(run, arguments[0], 0);
  const auto method = TextArgument(run, arguments[1], "common");
  if (!precision || !method) return {};
  if (!input.is_number()) return run.Fault("round() takes a number");
  if (*precision < -15 || *precision > 15) return run.Fault("round() to that many digits");
  if (input.is_integer() && *method == "common" && *precision >= 0) {
    return JinjaValue::Int(input.integer());
  }
  const double value = input.number();
  const double scale = std::pow(10.0, static_cast<double>(*precision));
  if (*method == "ceil") return JinjaValue::Float(std::ceil(value * scale) / scale);
  if (*method == "floor") return JinjaValue::Float(std::floor(value * scale) / scale);
  if (*method != "common") return run.Fault("method must be common, ceil or floor");
  if (*precision < 0) return JinjaValue::Float(std::nearbyint(value * scale) / scale);
  // By the decimal digits, ties to even, as Python does.
  const std::string digits = fmt::format("{:.{}f}", value, *precision);
  return JinjaValue::Float(ReadFloat(digits).value_or(value));
}

// --- of anything -----------------------------------------------------------------------------

JinjaValue DefaultOf(JinjaRun& run, const JinjaValue& input, const Arguments& arguments) {
  const bool replaces = input.is_undefined() || (arguments[1].IsTrue() && !input.IsTrue());
  if (!replaces) return input;
  return arguments.positional.empty() ? run.Text({}) : arguments[0];
}

JinjaValue Same(JinjaRun& /*run*/, const JinjaValue& input, const Arguments& /*arguments*/) {
  return input;
}

JinjaValue LengthOf(JinjaRun& run, const JinjaValue& input, const Arguments& /*arguments*/) {
  const auto size = [](size_t count) { return JinjaValue::Int(static_cast<int64_t>(count)); };
  if (input.is_undefined()) return size(0);
  if (input.is_text()) {
    if (!run.ChargeReading(input.text().size())) return {};
    return size(CountChars(input.bytes()));
  }
  if (input.is_dict()) return size(input.dict().members.size());
  if (input.is_list() && input.list().sequence != JinjaValue::Sequence::kGenerator) {
    return size(input.list().items.size());
  }
  return run.Fault(fmt::format("object of type '{}' has no len()", input.TypeName()));
}

JinjaValue AttributeOf(JinjaRun& run, const JinjaValue& input, const Arguments& arguments) {
  const auto name = TextArgument(run, arguments[0], "");
  return name ? GetAttribute(run, input, *name) : JinjaValue();
}

constexpr JinjaFunction kFilters[] = {
    {"upper", "", MapOf<Upper>},
    {"lower", "", MapOf<Lower>},
    {"capitalize", "", MapOf<Capitalize>},
    {"title", "", TitleOf},
    {"string", "", StringOf},
    {"trim", "chars", TrimOf},
    {"replace", "old new count", ReplaceOf},
    {"indent", "width first blank", IndentOf},
    {"wordcount", "", WordCount},
    {"tojson", "ensure_ascii indent separators sort_keys", ToJson},
    {"int", "default base", IntOf},
    {"float", "default", FloatOf},
    {"abs", "", AbsOf},
    {"round", "precision method", RoundOf},
    {"default", "default_value boolean", DefaultOf},
    {"d", "default_value boolean", DefaultOf},
    {"safe", "", Same},
    {"length", "", LengthOf},
    {"count", "", LengthOf},
    {"attr", "name", AttributeOf},
};

}  // namespace

const JinjaFunction* FindJinjaFilter(std::string_view name) {
  for (const JinjaFunction& filter : kFilters) {
    if (filter.name == name) return &filter;
  }
  return FindJinjaListFilter(name);
}

}  // namespace aio
