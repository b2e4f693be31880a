// The functions that every template knows.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <iterator>

#include "jinja/objects.h"

namespace aio {
namespace {

constexpr int64_t kRangeMax = 100'000;  // as Jinja's sandbox has it

JinjaValue Range(JinjaRun& run, const JinjaValue& /*input*/, const JinjaArguments& arguments) {
  const bool has_stop = !arguments[1].is_undefined();
  const auto first = IntArgument(run, arguments[0], 0);
  const auto second = IntArgument(run, arguments[1], 0);
  const auto step = IntArgument(run, arguments[2], 1);
  if (!first || !second || !step) return {};
  if (*step == 0) return run.Fault("range() arg 3 must not be zero");
  const int64_t start = has_stop ? *first : 0;
  const int64_t stop = has_stop ? *second : *first;
  std::vector<JinjaValue> items;
  for (int64_t i = start; *step > 0 ? i < stop : i > stop;) {
    if (static_cast<int64_t>(items.size()) == kRangeMax) {
      return run.Fault(fmt::format("range() of more than {} numbers", kRangeMax));
    }
    items.push_back(JinjaValue::Int(i));
    if (__builtin_add_overflow(i, *step, &i)) break;
  }
  return run.List(std::move(items));
}

// dict(a=1) and dict({...}, a=1).
std::optional<JinjaValue::Members> GivenMembers(JinjaRun& run, const JinjaArguments& arguments) {
  JinjaValue::Members members;
  for (const JinjaValue& given : arguments.positional) {
    if (!given.is_dict()) {
      run.Fault(fmt::format("a {} is given where a dict is expected", given.TypeName()));
      return std::nullopt;
    }
    if (!run.ChargeItems(2 * given.dict().members.size())) return std::nullopt;
    members.insert(members.end(), given.dict().members.begin(), given.dict().members.end());
  }
  for (const auto& [name, value] : arguments.named) {
    members.emplace_back(JinjaValue::TemplateText(std::string(name)), value);
  }
  return members;
}

JinjaValue MakeDict(JinjaRun& run, const JinjaValue& /*input*/, const JinjaArguments& arguments) {
  auto members = GivenMembers(run, arguments);
  return members ? run.Dict(*std::move(members)) : JinjaValue();
}

JinjaValue MakeNamespace(JinjaRun& run, const JinjaValue& /*input*/,
                         const JinjaArguments& arguments) {
  const auto members = GivenMembers(run, arguments);
  if (!members || !run.ChargeBytes(256) || !run.ChargeItems(2 * members->size())) return {};
  auto names = std::make_shared<JinjaNamespace>();
  for (const auto& [name, value] : *members) {
    if (!name.is_text()) continue;
    if (!run.ChargeBytes(static_cast<int64_t>(name.text().size()))) return {};
    names->members[name.bytes()] = value;
  }
  run.Keep(names);
  return JinjaValue::Object(std::move(names));
}

JinjaValue RaiseException(JinjaRun& run, const JinjaValue& /*input*/,
                          const JinjaArguments& arguments) {
  return run.Fault(run.Str(arguments[0]).bytes());
}

JinjaValue StrftimeNow(JinjaRun& run, const JinjaValue& /*input*/,
                       const JinjaArguments& arguments) {
  const auto format = TextArgument(run, arguments[0], "");
  if (!format || format->empty()) return run.Text({});
  if (format->size() > 256) return run.Fault("strftime_now: the format is too long");
  const auto now = static_cast<time_t>(run.unix_seconds());
  std::tm time{};
  localtime_r(&now, &time);
  std::array<char, 4096> buffer;
  const size_t size = std::strftime(buffer.data(), buffer.size(), format->c_str(), &time);
  return run.Text(MarkedText(std::string(buffer.data(), size), /*is_data=*/false));
}

constexpr JinjaFunction kGlobals[] = {
    {"range", "start stop step", Range},     {"dict", "*", MakeDict},
    {"namespace", "*", MakeNamespace},       {"raise_exception", "message", RaiseException},
    {"strftime_now", "format", StrftimeNow},
};

}  // namespace

const JinjaFunction* FindJinjaGlobal(std::string_view name) {
  const auto found = std::find_if(std::begin(kGlobals), std::end(kGlobals),
                                  [name](const JinjaFunction& each) { return each.name == name; });
  return found == std::end(kGlobals) ? nullptr : found;
}

}  // namespace aio
