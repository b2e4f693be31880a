#include "base/named_variable.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace aio {
namespace {

bool IsNameOfVariable(const std::string& text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto fits = [&](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || is_digit(c);
  };
  return !text.empty() && !is_digit(text.front()) && std::all_of(text.begin(), text.end(), fits);
}

}  // namespace

Result<std::string> ReadNamedVariable(const std::string& name) {
  if (!IsNameOfVariable(name)) {
    return InvalidArgument(
        "must be the name of an environment variable (letters, digits and '_'), not the secret "
        "that it holds");
  }
  const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): at start
  if (value == nullptr || *value == '\0') {
    return NotFound(fmt::format("the environment variable {} is not set or empty", name));
  }
  return std::string(value);
}

}  // namespace aio
