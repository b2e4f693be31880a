#include "jinja/run.h"

#include <fmt/format.h>

#include <algorithm>

#include "jinja/python_text.h"

namespace aio {
namespace {

constexpr int64_t kItemBytes = 64;  // about what an item of a list takes
constexpr int kValueDepthMax = 100;

std::vector<std::string_view> SplitNames(std::string_view names) {
  std::vector<std::string_view> split;
  while (!names.empty()) {
    const size_t end = std::min(names.find(' '), names.size());
    split.push_back(names.substr(0, end));
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return split;
}

// Functions may call functions, by names that a template gives.
JinjaValue CallWithin(JinjaRun& run, const JinjaFunction& function, const JinjaValue& input,
                      const JinjaArguments& arguments) {
  JinjaValue value;
  if (run.Enter()) value = function.call(run, input, arguments);
  run.Leave();
  return value;
}

}  // namespace

JinjaValue JinjaRun::Fault(std::string message) {
  if (fault_.ok()) fault_ = InvalidArgument(fmt::format("line {}: {}", line_, message));
  return {};
}

// What exceeds a budget is not added: any sum would do, and some would overflow.
bool JinjaRun::Charge(int64_t steps) {
  if (steps > limits_.steps_max - steps_) {
    Fault(fmt::format("rendering takes more than {} steps", limits_.steps_max));
  } else {
    steps_ += steps;
  }
  return !failed();
}

bool JinjaRun::ChargeBytes(int64_t bytes) {
  if (bytes > limits_.bytes_max - bytes_) {
    Fault(fmt::format("rendering makes more than {} bytes of text and lists", limits_.bytes_max));
  } else {
    bytes_ += bytes;
  }
  return !failed();
}

bool JinjaRun::ChargeParts(size_t count) {
  return ChargeBytes(static_cast<int64_t>(count * sizeof(MarkedText)));
}

bool JinjaRun::ChargeItems(size_t count) {
  return ChargeBytes(static_cast<int64_t>(count) * kItemBytes);
}

bool JinjaRun::Enter() {
  if (++depth_ > limits_.depth_max) {
    Fault(fmt::format("more than {} calls, blocks and expressions within each other",
                      limits_.depth_max));
  }
  return !failed();
}

JinjaValue JinjaRun::Text(MarkedText text) {
  if (!ChargeBytes(static_cast<int64_t>(text.size()))) return {};
  return JinjaValue::Text(std::move(text));
}

JinjaValue JinjaRun::Texts(std::vector<MarkedText> texts) {
  std::vector<JinjaValue> items;
  items.reserve(texts.size());
  for (MarkedText& text : texts) {
    items.push_back(Text(std::move(text)));
    if (failed()) return {};
  }
  return List(std::move(items));
}

JinjaValue JinjaRun::List(std::vector<JinjaValue> items, JinjaValue::Sequence sequence) {
  if (!ChargeItems(items.size())) return {};
  return Bounded(JinjaValue::List(std::move(items), sequence));
}

JinjaValue JinjaRun::Dict(JinjaValue::Members members) {
  if (!ChargeItems(members.size() * 2)) return {};
  for (const auto& [key, value] : members) {
    if (!JinjaValue::IsHashable(key)) {
      return Fault(fmt::format("a {} cannot be the key of a dict", key.TypeName()));
    }
    // Keys are put in order, so compared.
    if (key.is_text() && !ChargeReading(key.text().size())) return {};
  }
  return Bounded(JinjaValue::Dict(std::move(members)));
}

JinjaValue JinjaRun::Object(std::shared_ptr<JinjaObject> object) {
  return Bounded(JinjaValue::Object(std::move(object)));
}

// Values are compared, written and taken down level by level, on the stack.
JinjaValue JinjaRun::Bounded(JinjaValue value) {
  if (value.depth() <= kValueDepthMax) return value;
  return Fault(
      fmt::format("lists, dicts and what holds them more than {} levels deep", kValueDepthMax));
}

MarkedText JinjaRun::Str(const JinjaValue& value) {
  // What is within lists and dicts is escaped: "\x01".
  constexpr int64_t kEscaped = 4;
  const bool is_plain = !value.is_list() && !value.is_dict();
  if (!ChargeBytes(value.weight() * (is_plain ? 1 : kEscaped))) return {};
  return PythonStr(value);
}

std::vector<JinjaValue> JinjaRun::Iterate(const JinjaValue& value) {
  std::vector<JinjaValue> items;
  if (value.is_list()) {
    if (!ChargeItems(value.list().items.size())) return {};
    items = value.list().items;
  } else if (value.is_dict()) {
    if (!ChargeItems(value.dict().members.size())) return {};
    for (const auto& [key, member] : value.dict().members) items.push_back(key);
  } else if (value.is_text()) {
    const MarkedText& text = value.text();
    for (size_t at = 0; at < text.size() && !failed();) {
      const size_t length = CharLength(text.bytes(), at);
      items.push_back(Text(text.Part(at, length)));
      ChargeItems(2);  // a text and its place
      at += length;
    }
  } else if (!value.is_undefined()) {
    Fault(fmt::format("'{}' object is not iterable", value.TypeName()));
  }
  if (failed()) return {};
  return items;
}

JinjaValue CallFunction(JinjaRun& run, const JinjaFunction& function, const JinjaValue& input,
                        JinjaArguments arguments) {
  if (!run.Charge()) return {};
  if (function.parameters == "*") return CallWithin(run, function, input, arguments);
  const std::vector<std::string_view> names = SplitNames(function.parameters);
  if (arguments.positional.size() > names.size()) {
    return run.Fault(fmt::format("{}() takes at most {} arguments, {} are given", function.name,
                                 names.size(), arguments.positional.size()));
  }
  const size_t given = arguments.positional.size();
  for (auto& [name, value] : arguments.named) {
    const auto place =
        static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
    if (place == names.size() || place < given) {
      return run.Fault(fmt::format("{}() has no argument '{}'{}", function.name, name,
                                   place < given ? " that is not given already" : ""));
    }
    arguments.positional.resize(std::max(arguments.positional.size(), place + 1));
    arguments.positional[place] = std::move(value);
  }
  return CallWithin(run, function, input, arguments);
}

std::optional<int64_t> IntArgument(JinjaRun& run, const JinjaValue& value, int64_t or_else) {
  if (value.is_undefined() || value.is_none()) return or_else;
  if (value.is_integer()) return value.integer();
  run.Fault(fmt::format("a {} is given where an int is expected", value.TypeName()));
  return std::nullopt;
}

std::optional<std::string> TextArgument(JinjaRun& run, const JinjaValue& value,
                                        std::string_view or_else) {
  if (value.is_undefined() || value.is_none()) return std::string(or_else);
  if (value.is_text()) {
    if (!run.ChargeReading(value.text().size())) return std::nullopt;
    return value.bytes();
  }
  run.Fault(fmt::format("a {} is given where a str is expected", value.TypeName()));
  return std::nullopt;
}

}  // namespace aio
