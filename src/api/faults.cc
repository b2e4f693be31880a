#include "api/faults.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace aio {
namespace {

std::string_view TypeName(const nlohmann::json& value) {
  switch (value.type()) {
    case nlohmann::json::value_t::null:
      return "null";
    case nlohmann::json::value_t::object:
      return "an object";
    case nlohmann::json::value_t::array:
      return "an array";
    case nlohmann::json::value_t::string:
      return "a string";
    case nlohmann::json::value_t::boolean:
      return "a boolean";
    case nlohmann::json::value_t::number_integer:
    case nlohmann::json::value_t::number_unsigned:
      return "an integer";
    case nlohmann::json::value_t::number_float:
      return "a number with a fraction or exponent";
    default:
      return "something else";
  }
}

Status Fault(std::string message, const std::string& path, const char* reason) {
  return InvalidArgument(std::move(message)).WithParam(path).WithReason(reason);
}

}  // namespace

Status WrongType(const std::string& path, std::string_view expected, const nlohmann::json& got) {
  return Fault(fmt::format("Invalid type for '{}': expected {}, but got {} instead.", path,
                           expected, TypeName(got)),
               path, "invalid_type");
}

Status MissingField(const std::string& path, std::string_view expected) {
  return Fault(fmt::format("Missing required parameter: '{}'. Give {}.", path, expected), path,
               "missing_required_parameter");
}

Status BadValue(const std::string& path, std::string_view problem) {
  return Fault(fmt::format("Invalid value for '{}': {}", path, problem), path, "invalid_value");
}

Status Unsupported(const std::string& path, std::string_view mend) {
  return Fault(fmt::format("Unsupported parameter: '{}' is not supported here. {}", path, mend),
               path, "unsupported_parameter");
}

Status UnknownField(const std::string& path, std::string_view known) {
  return Fault(fmt::format("Unknown parameter: '{}'. Known here: {}.", path, known), path,
               "unknown_parameter");
}

}  // namespace aio
