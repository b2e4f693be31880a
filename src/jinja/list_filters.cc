#include "jinja/list_filters.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "jinja/filters.h"
#include "jinja/objects.h"
#include "jinja/operators.h"
#include "jinja/python_text.h"

namespace aio {
namespace {

using Arguments = JinjaArguments;
using Sequence = JinjaValue::Sequence;

JinjaValue Named(const Arguments& arguments, std::string_view name) {
  for (const auto& [given, value] : arguments.named) {
    if (given == name) return value;
  }
  return {};
}

JinjaValue ListOf(JinjaRun& run, const JinjaValue& input, const Arguments& /*arguments*/) {
  return run.List(run.Iterate(input));
}

JinjaValue ItemsOf(JinjaRun& run, const JinjaValue& input, const Arguments& /*arguments*/) {
  if (input.is_undefined()) return run.List({}, Sequence::kGenerator);
  if (!input.is_dict()) return run.Fault("Can only get item pairs from a mapping.");
  std::vector<JinjaValue> items;
  items.reserve(input.dict().members.size());
  for (const auto& [key, value] : input.dict().members) {
    items.push_back(run.List({key, value}, Sequence::kTuple));
    if (run.failed()) return {};
  }
  return run.List(std::move(items), Sequence::kGenerator);
}

JinjaValue FirstOf(JinjaRun& run, const JinjaValue& input, const Arguments& /*arguments*/) {
  const std::vector<JinjaValue> items = run.Iterate(input);
  return items.empty() ? JinjaValue::Undefined("No first item, sequence was empty.")
                       : items.front();
}
JinjaValue LastOf(JinjaRun& run, const JinjaValue& input, const Arguments& /*arguments*/) {
  const std::vector<JinjaValue> items = run.Iterate(input);
  return items.empty() ? JinjaValue::Undefined("No last item, sequence was empty.") : items.back();
}

JinjaValue JoinOf(JinjaRun& run, const JinjaValue& input, const Arguments& arguments) {
  const MarkedText separator = run.Str(arguments[0]);
  MarkedText joined;
  bool first = true;
  for (const JinjaValue& item : run.Iterate(input)) {
    if (!run.ChargeBytes(static_cast<int64_t>(separator.size()))) return {};
    if (!first) joined.Append(separator);
    first = false;
    const bool by_path = !arguments[1].is_undefined() && !arguments[1].is_none();
    joined.Append(run.Str(by_path ? GetPath(run, item, arguments[1]) : item));
  }
  return run.Text(std::move(joined));
}

JinjaValue ReverseOf(JinjaRun& run, const JinjaValue& input, const Arguments& /*arguments*/) {
  if (input.is_text()) return GetSlice(run, input, {{}, {}, JinjaValue::Int(-1)});
  std::vector<JinjaValue> items = run.Iterate(input);
  std::reverse(items.begin(), items.end());
  return run.List(std::move(items), Sequence::kGenerator);
}

// --- in order --------------------------------------------------------------------------------

JinjaValue WithoutCase(JinjaRun& run, const JinjaValue& value) {
  return value.is_text() ? run.Text(Lower(value.text())) : value;
}

// By the keys, stable. A fault of the comparison leaves any order.
void SortByKeys(JinjaRun& run, bool reverse,
                std::vector<std::pair<JinjaValue, JinjaValue>>& keyed) {
  // A merge sort of our own would be longer; std's needs a strict order, so values without one are
  // found first.
  for (size_t i = 1; i < keyed.size() && !run.failed(); ++i) {
    Order(run, keyed[i - 1].first, keyed[i].first);
  }
  if (run.failed()) return;
  std::stable_sort(keyed.begin(), keyed.end(), [&run, reverse](const auto& a, const auto& b) {
    const std::optional<int> order = Order(run, a.first, b.first);
    return order.value_or(0) < 0 ? !reverse : order.value_or(0) > 0 && reverse;
  });
}

JinjaValue Sorted(JinjaRun& run, bool reverse,
                  std::vector<std::pair<JinjaValue, JinjaValue>> keyed) {
  SortByKeys(run, reverse, keyed);
  std::vector<JinjaValue> items;
  items.reserve(keyed.size());
  for (auto& [key, item] : keyed) items.push_back(std::move(item));
  return run.List(std::move(items));
}

JinjaValue SortOf(JinjaRun& run, const JinjaValue& input, const Arguments& arguments) {
  const bool by_path = !arguments[2].is_undefined() && !arguments[2].is_none();
  std::vector<std::pair<JinjaValue, JinjaValue>> keyed;
  for (JinjaValue& item : run.Iterate(input)) {
    JinjaValue key = by_path ? GetPath(run, item, arguments[2]) : item;
    if (!arguments[1].IsTrue()) key = WithoutCase(run, key);
    keyed.emplace_back(std::move(key), std::move(item));
  }
  return Sorted(run, arguments[0].IsTrue(), std::move(keyed));
}

JinjaValue DictSortOf(JinjaRun& run, const JinjaValue& input, const Arguments& arguments) {
  if (!input.is_dict()) return run.Fault("dictsort() takes a dict");
  const auto by = TextArgument(run, arguments[1], "key");
  if (!by) return {};
  if (*by != "key" && *by != "value") {
    return run.Fault("You can only sort by either \"key\" or \"value\"");
  }
  std::vector<std::pair<JinjaValue, JinjaValue>> keyed;
  for (const auto& [name, value] : input.dict().members) {
    const JinjaValue& key = *by == "key" ? name : value;
    keyed.emplace_back(arguments[0].IsTrue() ? key : WithoutCase(run, key),
                       run.List({name, value}, Sequence::kTuple));
  }
  return Sorted(run, arguments[2].IsTrue(), std::move(keyed));
}

JinjaValue UniqueOf(JinjaRun& run, const JinjaValue& input, const Arguments& arguments) {
  const bool by_path = !arguments[1].is_undefined() && !arguments[1].is_none();
  std::vector<JinjaValue> unique;
  std::set<std::string> seen;
  for (JinjaValue& item : run.Iterate(input)) {
    JinjaValue key = by_path ? GetPath(run, item, arguments[1]) : item;
    if (!arguments[0].IsTrue()) key = WithoutCase(run, key);
    if (!JinjaValue::IsHashable(key)) return run.Fault("unique() takes texts and numbers");
    const std::string text = run.Str(key).bytes();
    if (seen.insert(key.is_text() ? "t" + text : text).second) unique.push_back(std::move(item));
  }
  return run.List(std::move(unique), Sequence::kGenerator);
}

template <bool least>
JinjaValue ExtremeOf(JinjaRun& run, const JinjaValue& input, const Arguments& arguments) {
  const bool by_path = !arguments[1].is_undefined() && !arguments[1].is_none();
  JinjaValue best = JinjaValue::Undefined("No aggregated item, sequence was empty.");
  JinjaValue best_key;
  for (JinjaValue& item : run.Iterate(input)) {
    JinjaValue key = by_path ? GetPath(run, item, arguments[1]) : item;
    if (!arguments[0].IsTrue()) key = WithoutCase(run, key);
    const bool first = best.is_undefined();
    const int order = first ? 0 : Order(run, key, best_key).value_or(0);
    if (run.failed()) return {};
    if (!first && (least ? order >= 0 : order <= 0)) continue;
    best = std::move(item);
    best_key = std::move(key);
  }
  return best;
}

JinjaValue SumOf(JinjaRun& run, const JinjaValue& input, const Arguments& arguments) {
  const bool by_path = !arguments[0].is_undefined() && !arguments[0].is_none();
  JinjaValue sum = arguments[1].is_undefined() ? JinjaValue::Int(0) : arguments[1];
  for (const JinjaValue& item : run.Iterate(input)) {
    sum = Arithmetic(run, "+", sum, by_path ? GetPath(run, item, arguments[0]) : item);
    if (run.failed()) return {};
  }
  return sum;
}

// --- by other filters and tests --------------------------------------------------------------

// Of another function's arguments for each item, without the first `taken`. Absent after a fault.
std::optional<Arguments> RestOf(JinjaRun& run, const Arguments& arguments, size_t taken,
                                bool with_named) {
  const size_t named = with_named ? arguments.named.size() : 0;
  if (!run.ChargeItems(arguments.positional.size() - taken + named)) return std::nullopt;
  Arguments rest;
  rest.positional.assign(arguments.positional.begin() + static_cast<ptrdiff_t>(taken),
                         arguments.positional.end());
  if (with_named) rest.named = arguments.named;
  return rest;
}

JinjaValue MapEach(JinjaRun& run, const JinjaValue& input, const Arguments& arguments) {
  const JinjaValue path = Named(arguments, "attribute");
  const JinjaValue or_else = Named(arguments, "default");
  const JinjaFunction* filter = nullptr;
  if (path.is_undefined()) {
    const JinjaValue name = arguments[0];
    filter = name.is_text() ? FindJinjaFilter(name.bytes()) : nullptr;
    if (filter == nullptr) {
      return run.Fault(fmt::format("map(): no filter named '{}'", run.Str(name).bytes()));
    }
  }
  std::vector<JinjaValue> mapped;
  for (const JinjaValue& item : run.Iterate(input)) {
    if (run.failed()) return {};
    if (filter == nullptr) {
      JinjaValue value = GetPath(run, item, path);
      if (value.is_undefined() && !or_else.is_undefined()) value = or_else;
      mapped.push_back(std::move(value));
      continue;
    }
    std::optional<Arguments> own = RestOf(run, arguments, 1, /*with_named=*/true);
    if (!own) return {};
    mapped.push_back(CallFunction(run, *filter, item, *std::move(own)));
  }
  return run.List(std::move(mapped), Sequence::kGenerator);
}

template <bool keeps, bool by_attribute>
JinjaValue SelectEach(JinjaRun& run, const JinjaValue& input, const Arguments& arguments) {
  constexpr size_t kTest = by_attribute ? 1 : 0;
  if (by_attribute && arguments.positional.empty()) {
    return run.Fault("Missing parameter for attribute name");
  }
  const JinjaFunction* test = nullptr;
  if (arguments.positional.size() > kTest) {
    const JinjaValue name = arguments[kTest];
    test = name.is_text() ? FindJinjaTest(name.bytes()) : nullptr;
    if (test == nullptr) {
      return run.Fault(fmt::format("no test named '{}'", run.Str(name).bytes()));
    }
  }
  std::vector<JinjaValue> selected;
  for (JinjaValue& item : run.Iterate(input)) {
    if (run.failed()) return {};
    JinjaValue value = by_attribute ? GetPath(run, item, arguments[0]) : item;
    if (test != nullptr) {
      std::optional<Arguments> own = RestOf(run, arguments, kTest + 1, /*with_named=*/false);
      if (!own) return {};
      value = CallFunction(run, *test, value, *std::move(own));
    }
    if (value.IsTrue() == keeps) selected.push_back(std::move(item));
  }
  return run.List(std::move(selected), Sequence::kGenerator);
}

constexpr JinjaFunction kFilters[] = {
    {"list", "", ListOf},
    {"items", "", ItemsOf},
    {"first", "", FirstOf},
    {"last", "", LastOf},
    {"join", "d attribute", JoinOf},
    {"reverse", "", ReverseOf},
    {"sort", "reverse case_sensitive attribute", SortOf},
    {"dictsort", "case_sensitive by reverse", DictSortOf},
    {"unique", "case_sensitive attribute", UniqueOf},
    {"min", "case_sensitive attribute", ExtremeOf<true>},
    {"max", "case_sensitive attribute", ExtremeOf<false>},
    {"sum", "attribute start", SumOf},
    {"map", "*", MapEach},
    {"select", "*", SelectEach<true, false>},
    {"reject", "*", SelectEach<false, false>},
    {"selectattr", "*", SelectEach<true, true>},
    {"rejectattr", "*", SelectEach<false, true>},
};

}  // namespace

const JinjaFunction* FindJinjaListFilter(std::string_view name) {
  for (const JinjaFunction& filter : kFilters) {
    if (filter.name == name) return &filter;
  }
  return nullptr;
}

}  // namespace aio
