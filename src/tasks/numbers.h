// Numbers in running text.
#ifndef AIO_TASKS_NUMBERS_H_
#define AIO_TASKS_NUMBERS_H_

#include <optional>
#include <string>
#include <string_view>

namespace aio {

// The last number of a text, in its canonical form: "-" if it is below zero, digits without
// leading zeros, and a fraction without trailing ones ("$1,200.50." is "1200.5", "-0.0" is "0").
// A comma between digits with three after it groups them. A "-" is a sign where no letter, digit
// or closing bracket stands before it ("5-3" ends in 3, "= -3" in -3); so is U+2212, and one
// before a "$". Absent: there is none.
std::optional<std::string> LastNumber(std::string_view text);

// The final number of an answer to a problem of arithmetic: the first after the last "####", if
// there is such a mark with a number behind it; else the first in the last \boxed{}; else the
// last number of all.
std::optional<std::string> FinalNumber(std::string_view text);

}  // namespace aio

#endif  // AIO_TASKS_NUMBERS_H_
