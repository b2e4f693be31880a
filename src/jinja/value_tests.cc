// Jinja's tests: x is defined.
#include <cmath>

#include "jinja/filters.h"
#include "jinja/objects.h"
#include "jinja/operators.h"
#include "jinja/python_text.h"

namespace aio {
namespace {

using Kind = JinjaValue::Kind;
using Arguments = JinjaArguments;

template <Kind kind>
JinjaValue IsKind(JinjaRun& /*run*/, const JinjaValue& value, const Arguments& /*arguments*/) {
  return JinjaValue::Bool(value.Is(kind));
}

JinjaValue IsDefined(JinjaRun& /*run*/, const JinjaValue& value, const Arguments& /*arguments*/) {
  return JinjaValue::Bool(!value.is_undefined());
}
JinjaValue IsNumber(JinjaRun& /*run*/, const JinjaValue& value, const Arguments& /*arguments*/) {
  return JinjaValue::Bool(value.is_number());
}
template <bool which>
JinjaValue IsBool(JinjaRun& /*run*/, const JinjaValue& value, const Arguments& /*arguments*/) {
  return JinjaValue::Bool(value.Is(Kind::kBool) && (value.integer() != 0) == which);
}
JinjaValue IsIterable(JinjaRun& /*run*/, const JinjaValue& value, const Arguments& /*arguments*/) {
  return JinjaValue::Bool(value.is_text() || value.is_list() || value.is_dict() ||
                          value.is_undefined());
}
JinjaValue IsSequence(JinjaRun& /*run*/, const JinjaValue& value, const Arguments& /*arguments*/) {
  const bool is_generator =
      value.is_list() && value.list().sequence == JinjaValue::Sequence::kGenerator;
  return JinjaValue::Bool(value.is_text() || value.is_dict() || (value.is_list() && !is_generator));
}
JinjaValue IsCallable(JinjaRun& /*run*/, const JinjaValue& value, const Arguments& /*arguments*/) {
  return JinjaValue::Bool(value.Is(Kind::kObject) &&
                          dynamic_cast<JinjaCallable*>(value.object()) != nullptr);
}

// Numbers, texts and the like have no identity of their own here: the same type and value.
JinjaValue IsSameAs(JinjaRun& run, const JinjaValue& value, const Arguments& arguments) {
  const JinjaValue other = arguments[0];
  return JinjaValue::Bool(value.kind() == other.kind() && Compare(run, "==", value, other));
}

template <char first, char second>
JinjaValue Compares(JinjaRun& run, const JinjaValue& value, const Arguments& arguments) {
  constexpr char kOp[] = {first, second, '\0'};
  return JinjaValue::Bool(Compare(run, kOp, value, arguments[0]));
}

JinjaValue IsIn(JinjaRun& run, const JinjaValue& value, const Arguments& arguments) {
  return JinjaValue::Bool(Compare(run, "in", value, arguments[0]));
}

template <int rest>
JinjaValue HasRest(JinjaRun& run, const JinjaValue& value, const Arguments& /*arguments*/) {
  const JinjaValue left = Arithmetic(run, "%", value, JinjaValue::Int(2));
  return JinjaValue::Bool(left == JinjaValue::Int(rest));
}
JinjaValue IsDivisible(JinjaRun& run, const JinjaValue& value, const Arguments& arguments) {
  return JinjaValue::Bool(Arithmetic(run, "%", value, arguments[0]) == JinjaValue::Int(0));
}

template <CharClass char_class>
JinjaValue AllOf(JinjaRun& run, const JinjaValue& value, const Arguments& /*arguments*/) {
  return JinjaValue::Bool(AllAre(run.Str(value).bytes(), char_class));
}

constexpr JinjaFunction kTests[] = {
    {"defined", "", IsDefined},
    {"undefined", "", IsKind<Kind::kUndefined>},
    {"none", "", IsKind<Kind::kNone>},
    {"boolean", "", IsKind<Kind::kBool>},
    {"true", "", IsBool<true>},
    {"false", "", IsBool<false>},
    {"integer", "", IsKind<Kind::kInt>},
    {"float", "", IsKind<Kind::kFloat>},
    {"number", "", IsNumber},
    {"string", "", IsKind<Kind::kText>},
    {"mapping", "", IsKind<Kind::kDict>},
    {"iterable", "", IsIterable},
    {"sequence", "", IsSequence},
    {"callable", "", IsCallable},
    {"sameas", "other", IsSameAs},
    {"eq", "other", Compares<'=', '='>},
    {"equalto", "other", Compares<'=', '='>},
    {"==", "other", Compares<'=', '='>},
    {"ne", "other", Compares<'!', '='>},
    {"!=", "other", Compares<'!', '='>},
    {"lt", "other", Compares<'<', '\0'>},
    {"lessthan", "other", Compares<'<', '\0'>},
    {"<", "other", Compares<'<', '\0'>},
    {"le", "other", Compares<'<', '='>},
    {"<=", "other", Compares<'<', '='>},
    {"gt", "other", Compares<'>', '\0'>},
    {"greaterthan", "other", Compares<'>', '\0'>},
    {">", "other", Compares<'>', '\0'>},
    {"ge", "other", Compares<'>', '='>},
    {">=", "other", Compares<'>', '='>},
    {"in", "seq", IsIn},
    {"even", "", HasRest<0>},
    {"odd", "", HasRest<1>},
    {"divisibleby", "num", IsDivisible},
    {"lower", "", AllOf<CharClass::kLower>},
    {"upper", "", AllOf<CharClass::kUpper>},
};

}  // namespace

const JinjaFunction* FindJinjaTest(std::string_view name) {
  for (const JinjaFunction& test : kTests) {
    if (test.name == name) return &test;
  }
  return nullptr;
}

}  // namespace aio
