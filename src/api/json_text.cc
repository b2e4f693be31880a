#include "api/json_text.h"

#include <charconv>
#include <nlohmann/json.hpp>

namespace aio {

std::string ToText(const OrderedJson& json, int indent) {
  return json.dump(indent, ' ', false, OrderedJson::error_handler_t::replace);
}

double AsWritten(float value) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  double written = value;  // stays where it is not finite
  std::from_chars(digits, end, written);
  return written;
}

}  // namespace aio
