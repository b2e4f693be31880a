#include "jinja/operators.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "jinja/python_text.h"

namespace aio {
namespace {

using Sequence = JinjaValue::Sequence;

JinjaValue Refuse(JinjaRun& run, std::string_view op, const JinjaValue& left,
                  const JinjaValue& right) {
  for (const JinjaValue* value : {&left, &right}) {
    if (value->is_undefined()) return run.Fault(value->undefined_message());
  }
  return run.Fault(fmt::format("unsupported operand types for {}: '{}' and '{}'", op,
                               left.TypeName(), right.TypeName()));
}

JinjaValue IntArithmetic(JinjaRun& run, std::string_view op, int64_t a, int64_t b) {
  int64_t result = 0;
  bool overflows = false;
  if (op == "+") {
    overflows = __builtin_add_overflow(a, b, &result);
  } else if (op == "-") {
    overflows = __builtin_sub_overflow(a, b, &result);
  } else if (op == "*") {
    overflows = __builtin_mul_overflow(a, b, &result);
  } else if (op == "**") {
    if (b < 0) return JinjaValue::Float(std::pow(static_cast<double>(a), static_cast<double>(b)));
    result = 1;
    for (int64_t i = 0; i < b && !overflows; ++i) {
      if (!run.Charge()) return {};
      overflows = __builtin_mul_overflow(result, a, &result);
    }
  } else {
    if (b == 0) return run.Fault("division by zero");
    if (a == std::numeric_limits<int64_t>::min() && b == -1) {
      overflows = op == "//";
    } else {
      // Python rounds down, and the rest has the divisor's sign.
      const int64_t rest = a % b;
      const bool rounds = rest != 0 && (rest < 0) != (b < 0);
      result = op == "//" ? a / b - (rounds ? 1 : 0) : rest + (rounds ? b : 0);
    }
  }
  if (overflows) return run.Fault("a number is beyond 64 bits");
  return JinjaValue::Int(result);
}

JinjaValue FloatArithmetic(JinjaRun& run, std::string_view op, double a, double b) {
  if (op == "+") return JinjaValue::Float(a + b);
  if (op == "-") return JinjaValue::Float(a - b);
  if (op == "*") return JinjaValue::Float(a * b);
  if (op == "**") return JinjaValue::Float(std::pow(a, b));
  if (b == 0) return run.Fault("division by zero");
  if (op == "/") return JinjaValue::Float(a / b);
  if (op == "//") return JinjaValue::Float(std::floor(a / b));
  const double rest = std::fmod(a, b);
  return JinjaValue::Float(rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest);
}

// A text or list so many times.
JinjaValue Repeat(JinjaRun& run, const JinjaValue& value, int64_t times) {
  times = std::max<int64_t>(times, 0);
  const size_t size = value.is_text() ? value.text().size() : value.list().items.size();
  const size_t unit = value.is_text() ? size : size * sizeof(JinjaValue);
  int64_t total = 0;
  if (__builtin_mul_overflow(static_cast<int64_t>(unit), times, &total) ||
      !run.ChargeBytes(total)) {
    return run.Fault("a repetition is too long");
  }
  if (size == 0) return value;
  if (value.is_text()) {
    MarkedText text;
    for (; times > 0; --times) text.Append(value.text());
    return run.Text(std::move(text));
  }
  std::vector<JinjaValue> items;
  for (; times > 0; --times) {
    items.insert(items.end(), value.list().items.begin(), value.list().items.end());
  }
  return run.List(std::move(items), value.list().sequence);
}

bool SameSequence(const JinjaValue& left, const JinjaValue& right) {
  return left.is_list() && right.is_list() && left.list().sequence == right.list().sequence &&
         left.list().sequence != Sequence::kGenerator;
}

bool Contains(JinjaRun& run, const JinjaValue& container, const JinjaValue& value) {
  if (container.is_text()) {
    if (!value.is_text()) {
      run.Fault(fmt::format("'in' a str needs a str, not {}", value.TypeName()));
      return false;
    }
    if (!run.ChargeReading(container.text().size())) return false;
    return FindPart(container.bytes(), value.bytes()) != std::string::npos;
  }
  if (container.is_list()) {
    const std::vector<JinjaValue>& items = container.list().items;
    if (!run.Charge(static_cast<int64_t>(items.size()))) return false;
    if (value.is_text()) {
      // As much as is compared, if all of it was alike.
      const auto compared = static_cast<int64_t>(items.size() * value.text().size());
      if (!run.Charge(std::min(compared, container.weight()) / 8)) return false;
    }
    if (value.depth() > 0 && !run.ChargeBytes(container.weight())) return false;
    return std::find(items.begin(), items.end(), value) != items.end();
  }
  if (container.is_dict()) {
    if (value.is_text() && !run.ChargeReading(value.text().size())) return false;
    return container.dict().Find(value) != nullptr;
  }
  if (container.is_undefined()) return false;
  run.Fault(fmt::format("'{}' object is not iterable", container.TypeName()));
  return false;
}

bool ChargeTexts(JinjaRun& run, const JinjaValue& left, const JinjaValue& right) {
  if (!left.is_text() || !right.is_text()) return true;
  return run.ChargeReading(std::min(left.text().size(), right.text().size()));
}

template <typename T>
int Sign(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

}  // namespace

JinjaValue Arithmetic(JinjaRun& run, std::string_view op, const JinjaValue& left,
                      const JinjaValue& right) {
  if (left.is_integer() && right.is_integer() && op != "/") {
    return IntArithmetic(run, op, left.integer(), right.integer());
  }
  if (left.is_number() && right.is_number()) {
    return FloatArithmetic(run, op, left.number(), right.number());
  }
  if (op == "+" && left.is_text() && right.is_text()) {
    if (!run.ChargeBytes(static_cast<int64_t>(right.text().size()))) return {};
    MarkedText text = left.text();
    text.Append(right.text());
    return run.Text(std::move(text));
  }
  if (op == "+" && SameSequence(left, right)) {
    std::vector<JinjaValue> items = left.list().items;
    items.insert(items.end(), right.list().items.begin(), right.list().items.end());
    return run.List(std::move(items), left.list().sequence);
  }
  const auto repeats = [](const JinjaValue& value) {
    return value.is_text() || (value.is_list() && value.list().sequence != Sequence::kGenerator);
  };
  if (op == "*" && repeats(left) && right.is_integer()) return Repeat(run, left, right.integer());
  if (op == "*" && repeats(right) && left.is_integer()) return Repeat(run, right, left.integer());
  if (op == "%" && left.is_text()) return run.Fault("formatting with % is not supported");
  return Refuse(run, op, left, right);
}

JinjaValue Negative(JinjaRun& run, const JinjaValue& value) {
  if (value.is_integer()) return IntArithmetic(run, "-", 0, value.integer());
  if (value.is_number()) return JinjaValue::Float(-value.number());
  if (value.is_undefined()) return run.Fault(value.undefined_message());
  return run.Fault(fmt::format("a {} has no negative", value.TypeName()));
}

bool Compare(JinjaRun& run, std::string_view op, const JinjaValue& left, const JinjaValue& right) {
  if (op == "in") return Contains(run, right, left);
  if (op == "not in") return !Contains(run, right, left);
  // What is in lists and dicts is compared too.
  if (left.depth() > 0 && !run.ChargeBytes(std::min(left.weight(), right.weight()))) return false;
  if (op == "==" || op == "!=") {
    return ChargeTexts(run, left, right) && (left == right) == (op == "==");
  }
  const std::optional<int> order = Order(run, left, right);
  if (!order) return false;
  if (op == "<") return *order < 0;
  if (op == "<=") return *order <= 0;
  return op == ">" ? *order > 0 : *order >= 0;
}

std::optional<int> Order(JinjaRun& run, const JinjaValue& left, const JinjaValue& right) {
  if (!run.Charge() || !ChargeTexts(run, left, right)) return std::nullopt;
  if (left.is_integer() && right.is_integer()) return Sign(left.integer(), right.integer());
  if (left.is_number() && right.is_number()) return Sign(left.number(), right.number());
  if (left.is_text() && right.is_text()) return left.bytes().compare(right.bytes());
  if (SameSequence(left, right)) {
    if (!run.ChargeBytes(std::min(left.weight(), right.weight()))) return std::nullopt;
    const std::vector<JinjaValue>& a = left.list().items;
    const std::vector<JinjaValue>& b = right.list().items;
    for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
      if (!(a[i] == b[i])) return Order(run, a[i], b[i]);
    }
    return Sign(a.size(), b.size());
  }
  Refuse(run, "<", left, right);
  return std::nullopt;
}

}  // namespace aio
