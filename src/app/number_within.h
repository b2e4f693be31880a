// Ranges of options that are numbers with a fraction.
#ifndef AIO_APP_NUMBER_WITHIN_H_
#define AIO_APP_NUMBER_WITHIN_H_

#include <CLI/CLI.hpp>
#include <string>

namespace aio {

// From `min` to `max`, both included; CLI::Range takes "nan", which is neither below nor above.
inline CLI::Validator NumberWithin(double min, double max) {
  const std::string range =
      "from " + CLI::detail::to_string(min) + " to " + CLI::detail::to_string(max);
  return CLI::Validator(
      [min, max, range](const std::string& text) -> std::string {
        double value = 0;
        const bool is_number = CLI::detail::lexical_cast(text, value);
        if (is_number && value >= min && value <= max) return "";
        return "must be a number " + range + ", is '" + text + "'";
      },
      "FLOAT in [" + CLI::detail::to_string(min) + " - " + CLI::detail::to_string(max) + "]");
}

}  // namespace aio

#endif  // AIO_APP_NUMBER_WITHIN_H_
