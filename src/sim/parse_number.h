#ifndef AIO_SIM_PARSE_NUMBER_H_
#define AIO_SIM_PARSE_NUMBER_H_

#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>

namespace aio {

// The number that `text` is, all of it; not nan and not infinite.
inline std::optional<double> ParseNumber(const std::string& text) {
  char* rest = nullptr;
  const double number = std::strtod(text.c_str(), &rest);
  if (text.empty() || *rest != '\0' || !std::isfinite(number)) return std::nullopt;
  return number;
}

}  // namespace aio

#endif  // AIO_SIM_PARSE_NUMBER_H_
