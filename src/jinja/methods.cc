// Python's methods of str, list and dict that change nothing; and those of a loop.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <span>

#include "jinja/objects.h"
#include "jinja/python_text.h"

namespace aio {
namespace {

using Arguments = JinjaArguments;

// --- str -----------------------------------------------------------------------------------

template <StripSide side>
JinjaValue StripOf(JinjaRun& run, const JinjaValue& self, const Arguments& arguments) {
  std::optional<std::string> chars;
  if (!arguments[0].is_undefined() && !arguments[0].is_none()) {
    chars = TextArgument(run, arguments[0], "");
    // A set is made of them.
    if (!chars || !run.ChargeBytes(static_cast<int64_t>(2 * chars->size()))) return {};
  }
  if (!run.ChargeReading(self.text().size())) return {};
  return run.Text(Strip(self.text(), side, chars));
}

template <bool from_right>
JinjaValue SplitOf(JinjaRun& run, const JinjaValue& self, const Arguments& arguments) {
  const auto splits_max = IntArgument(run, arguments[1], -1);
  const auto separator = TextArgument(run, arguments[0], "");
  if (!splits_max || !separator) return {};
  if (!run.ChargeReading(self.text().size())) return {};
  const auto may_make = [&run, &splits_max](size_t parts) {
    const auto most = static_cast<uint64_t>(*splits_max);
    return run.ChargeParts(*splits_max < 0 || parts <= most ? parts : most + 1);
  };
  if (!separator->empty()) {
    // A copy, to go through it from the right.
    if (from_right && !run.ChargeBytes(static_cast<int64_t>(self.text().size()))) return {};
    if (!may_make(CountParts(self.bytes(), *separator) + 1)) return {};
    return run.Texts(Split(self.text(), *separator, *splits_max, from_right));
  }
  if (arguments[0].is_text()) return run.Fault("empty separator");
  if (from_right && *splits_max >= 0) return run.Fault("rsplit() by spaces takes no maxsplit here");
  if (!may_make(CountBySpaces(self.bytes(), *splits_max))) return {};
  return run.Texts(SplitSpaces(self.text(), *splits_max));
}

JinjaValue SplitLinesOf(JinjaRun& run, const JinjaValue& self, const Arguments& /*arguments*/) {
  if (!run.ChargeReading(self.text().size())) return {};
  if (!run.ChargeParts(CountLines(self.bytes()))) return {};
  return run.Texts(SplitLines(self.text()));
}

template <MarkedText (*map)(const MarkedText&)>
JinjaValue MapOf(JinjaRun& run, const JinjaValue& self, const Arguments& /*arguments*/) {
  return run.Text(map(self.text()));
}

JinjaValue TitleOf(JinjaRun& run, const JinjaValue& self, const Arguments& /*arguments*/) {
  return run.Text(Title(self.text(), TitleRule::kMethod));
}

JinjaValue ReplaceOf(JinjaRun& run, const JinjaValue& self, const Arguments& arguments) {
  if (!arguments[0].is_text() || !arguments[1].is_text()) {
    return run.Fault("replace() takes two strs");
  }
  const auto count = IntArgument(run, arguments[2], -1);
  return count ? ReplaceIn(run, self.text(), {arguments[0].text(), arguments[1].text()}, *count)
               : JinjaValue();
}

// Any of several: a tuple.
template <typename Has>
JinjaValue HasAffix(JinjaRun& run, const JinjaValue& self, const Arguments& arguments, Has has) {
  const JinjaValue given = arguments[0];
  const std::span<const JinjaValue> affixes =
      given.is_list() ? std::span(given.list().items) : std::span(&given, 1);
  for (const JinjaValue& affix : affixes) {
    if (!affix.is_text()) return run.Fault("a str or a tuple of strs is expected");
    const size_t compared = std::min(affix.text().size(), self.text().size());
    if (!run.Charge() || !run.ChargeReading(compared)) return {};
    if (has(affix.bytes())) return JinjaValue::Bool(true);
  }
  return JinjaValue::Bool(false);
}
JinjaValue StartsWith(JinjaRun& run, const JinjaValue& self, const Arguments& arguments) {
  return HasAffix(run, self, arguments,
                  [&self](const std::string& affix) { return self.bytes().starts_with(affix); });
}
JinjaValue EndsWith(JinjaRun& run, const JinjaValue& self, const Arguments& arguments) {
  return HasAffix(run, self, arguments,
                  [&self](const std::string& affix) { return self.bytes().ends_with(affix); });
}

JinjaValue RemovePrefix(JinjaRun& run, const JinjaValue& self, const Arguments& arguments) {
  const auto affix = TextArgument(run, arguments[0], "");
  if (!affix || !self.bytes().starts_with(*affix)) return self;
  return run.Text(self.text().Part(affix->size()));
}
JinjaValue RemoveSuffix(JinjaRun& run, const JinjaValue& self, const Arguments& arguments) {
  const auto affix = TextArgument(run, arguments[0], "");
  if (!affix || !self.bytes().ends_with(*affix)) return self;
  return run.Text(self.text().Part(0, self.text().size() - affix->size()));
}

JinjaValue Place(const JinjaValue& self, size_t byte) {
  if (byte == std::string::npos) return JinjaValue::Int(-1);
  return JinjaValue::Int(
      static_cast<int64_t>(CountChars(std::string_view(self.bytes()).substr(0, byte))));
}
JinjaValue Find(JinjaRun& run, const JinjaValue& self, const Arguments& arguments) {
  const auto part = TextArgument(run, arguments[0], "");
  if (!part || !run.ChargeReading(self.text().size())) return {};
  return Place(self, FindPart(self.bytes(), *part));
}
JinjaValue RightFind(JinjaRun& run, const JinjaValue& self, const Arguments& arguments) {
  const auto part = TextArgument(run, arguments[0], "");
  if (!part || !run.ChargeReading(self.text().size())) return {};
  return Place(self, RightFindPart(self.bytes(), *part));
}

JinjaValue CountOf(JinjaRun& run, const JinjaValue& self, const Arguments& arguments) {
  if (self.is_list()) {
    const auto& items = self.list().items;
    if (!run.ChargeBytes(self.weight())) return {};
    return JinjaValue::Int(std::count(items.begin(), items.end(), arguments[0]));
  }
  const auto part = TextArgument(run, arguments[0], "");
  if (!part || !run.ChargeReading(self.text().size())) return {};
  if (part->empty()) return JinjaValue::Int(static_cast<int64_t>(CountChars(self.bytes())) + 1);
  return JinjaValue::Int(static_cast<int64_t>(CountParts(self.bytes(), *part)));
}

JinjaValue JoinOf(JinjaRun& run, const JinjaValue& self, const Arguments& arguments) {
  MarkedText joined;
  bool first = true;
  for (const JinjaValue& item : run.Iterate(arguments[0])) {
    if (!item.is_text()) return run.Fault("join() takes strs");
    const auto size = static_cast<int64_t>(item.text().size() + self.text().size());
    if (!run.ChargeBytes(size)) return {};
    if (!first) joined.Append(self.text());
    joined.Append(item.text());
    first = false;
  }
  return run.Text(std::move(joined));
}

template <CharClass char_class>
JinjaValue AllOf(JinjaRun& run, const JinjaValue& self, const Arguments& /*arguments*/) {
  if (!run.ChargeReading(self.text().size())) return {};
  return JinjaValue::Bool(AllAre(self.bytes(), char_class));
}

constexpr JinjaFunction kTextMethods[] = {
    {"strip", "chars", StripOf<StripSide::kBoth>},
    {"lstrip", "chars", StripOf<StripSide::kLeft>},
    {"rstrip", "chars", StripOf<StripSide::kRight>},
    {"split", "sep maxsplit", SplitOf<false>},
    {"rsplit", "sep maxsplit", SplitOf<true>},
    {"splitlines", "", SplitLinesOf},
    {"upper", "", MapOf<Upper>},
    {"lower", "", MapOf<Lower>},
    {"capitalize", "", MapOf<Capitalize>},
    {"title", "", TitleOf},
    {"replace", "old new count", ReplaceOf},
    {"startswith", "prefix", StartsWith},
    {"endswith", "suffix", EndsWith},
    {"removeprefix", "prefix", RemovePrefix},
    {"removesuffix", "suffix", RemoveSuffix},
    {"find", "sub", Find},
    {"rfind", "sub", RightFind},
    {"count", "sub", CountOf},
    {"join", "iterable", JoinOf},
    {"isalpha", "", AllOf<CharClass::kAlpha>},
    {"isdigit", "", AllOf<CharClass::kDigit>},
    {"isnumeric", "", AllOf<CharClass::kDigit>},
    {"isalnum", "", AllOf<CharClass::kAlphaOrDigit>},
    {"isspace", "", AllOf<CharClass::kSpace>},
    {"islower", "", AllOf<CharClass::kLower>},
    {"isupper", "", AllOf<CharClass::kUpper>},
};

// --- list and dict ---------------------------------------------------------------------------

JinjaValue IndexOf(JinjaRun& run, const JinjaValue& self, const Arguments& arguments) {
  const auto& items = self.list().items;
  if (!run.ChargeBytes(self.weight())) return {};
  const auto found = std::find(items.begin(), items.end(), arguments[0]);
  if (found == items.end()) return run.Fault("index(): the value is not in the list");
  return JinjaValue::Int(found - items.begin());
}

JinjaValue CopyOf(JinjaRun& /*run*/, const JinjaValue& self, const Arguments& /*arguments*/) {
  return self;  // nothing can change it
}

constexpr JinjaFunction kListMethods[] = {
    {"index", "value", IndexOf}, {"count", "value", CountOf}, {"copy", "", CopyOf}};

JinjaValue Items(JinjaRun& run, const JinjaValue& self, const Arguments& /*arguments*/) {
  std::vector<JinjaValue> items;
  items.reserve(self.dict().members.size());
  for (const auto& [key, value] : self.dict().members) {
    items.push_back(run.List({key, value}, JinjaValue::Sequence::kTuple));
    if (run.failed()) return {};
  }
  return run.List(std::move(items));
}
JinjaValue Keys(JinjaRun& run, const JinjaValue& self, const Arguments& /*arguments*/) {
  return run.List(run.Iterate(self));
}
JinjaValue Values(JinjaRun& run, const JinjaValue& self, const Arguments& /*arguments*/) {
  std::vector<JinjaValue> values;
  values.reserve(self.dict().members.size());
  for (const auto& [key, value] : self.dict().members) values.push_back(value);
  return run.List(std::move(values));
}
JinjaValue Get(JinjaRun& run, const JinjaValue& self, const Arguments& arguments) {
  const JinjaValue key = arguments[0];
  if (key.is_text() && !run.ChargeReading(key.text().size())) return {};
  const JinjaValue* member = self.dict().Find(key);
  if (member != nullptr) return *member;
  return arguments.positional.size() > 1 ? arguments[1] : JinjaValue::None();
}

constexpr JinjaFunction kDictMethods[] = {{"items", "", Items},
                                          {"keys", "", Keys},
                                          {"values", "", Values},
                                          {"get", "key default", Get},
                                          {"copy", "", CopyOf}};

// --- loop ------------------------------------------------------------------------------------

JinjaValue Cycle(JinjaRun& run, const JinjaValue& self, const Arguments& arguments) {
  const size_t size = arguments.positional.size();
  if (size == 0) return run.Fault("no items for cycling given");
  return arguments.positional[static_cast<JinjaLoop*>(self.object())->index() % size];
}
JinjaValue Changed(JinjaRun& run, const JinjaValue& self, const Arguments& arguments) {
  JinjaValue asked = run.List(arguments.positional, JinjaValue::Sequence::kTuple);
  if (!run.ChargeBytes(asked.weight())) return {};
  return JinjaValue::Bool(static_cast<JinjaLoop*>(self.object())->Changed(run, std::move(asked)));
}

constexpr JinjaFunction kLoopMethods[] = {{"cycle", "*", Cycle}, {"changed", "*", Changed}};

std::span<const JinjaFunction> MethodsOf(const JinjaValue& object) {
  if (object.is_text()) return kTextMethods;
  if (object.is_dict()) return kDictMethods;
  if (object.is_list()) return kListMethods;
  const bool is_loop =
      object.Is(JinjaValue::Kind::kObject) && dynamic_cast<JinjaLoop*>(object.object()) != nullptr;
  return is_loop ? std::span<const JinjaFunction>(kLoopMethods) : std::span<const JinjaFunction>();
}

}  // namespace

const JinjaFunction* FindJinjaMethod(const JinjaValue& object, std::string_view name) {
  for (const JinjaFunction& method : MethodsOf(object)) {
    if (method.name == name) return &method;
  }
  return nullptr;
}

}  // namespace aio
