// What Python's operators do with a template's values. Internal to jinja/.
#ifndef AIO_JINJA_OPERATORS_H_
#define AIO_JINJA_OPERATORS_H_

#include <optional>
#include <string_view>

#include "jinja/run.h"
#include "jinja/value.h"

namespace aio {

// + - * / // % **; a fault for operands that Python does not take, division by zero, and numbers
// beyond 64 bits.
JinjaValue Arithmetic(JinjaRun& run, std::string_view op, const JinjaValue& left,
                      const JinjaValue& right);
JinjaValue Negative(JinjaRun& run, const JinjaValue& value);

// == != < <= > >= in, not in. False after a fault.
bool Compare(JinjaRun& run, std::string_view op, const JinjaValue& left, const JinjaValue& right);
// Negative, 0 or positive; absent, after a fault, for values without order.
std::optional<int> Order(JinjaRun& run, const JinjaValue& left, const JinjaValue& right);

}  // namespace aio

#endif  // AIO_JINJA_OPERATORS_H_
