#include "api/json_member_text.h"

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

namespace aio {
namespace {

size_t SkipSpace(std::string_view json, size_t at) {
  const size_t next = json.find_first_not_of(" \t\r\n", at);
  return next == std::string_view::npos ? json.size() : next;
}

// From a quotation mark to after the one that ends the string.
size_t SkipString(std::string_view json, size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return at + 1;
}

// From the first byte of a value to after its last. The text is known to be well-formed.
size_t SkipValue(std::string_view json, size_t at) {
  int depth = 0;
  while (at < json.size()) {
    const char c = json[at];
    if (c == '"') {
      at = SkipString(json, at);
    } else if (c == '{' || c == '[') {
      ++depth;
      ++at;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;  // of what encloses a number or a literal
      --depth;
      ++at;
    } else if (depth == 0) {
      const size_t end = json.find_first_of(",}] \t\r\n", at);
      return end == std::string_view::npos ? json.size() : end;
    } else {
      ++at;
    }
    if (depth == 0) return at;
  }
  return at;
}

bool IsName(std::string_view quoted, std::string_view name) {
  if (quoted.find('\\') == std::string_view::npos) {
    return quoted.size() == name.size() + 2 && quoted.substr(1, name.size()) == name;
  }
  return nlohmann::json::parse(quoted, nullptr, /*allow_exceptions=*/false) == std::string(name);
}

std::string_view Member(std::string_view object, std::string_view name) {
  std::string_view found;
  size_t at = SkipSpace(object, 0);
  if (at == object.size() || object[at] != '{') return found;
  at = SkipSpace(object, at + 1);
  while (at < object.size() && object[at] == '"') {
    const size_t name_end = SkipString(object, at);
    const std::string_view quoted = object.substr(at, name_end - at);
    at = SkipSpace(object, SkipSpace(object, name_end) + 1);  // over the colon
    const size_t end = SkipValue(object, at);
    if (IsName(quoted, name)) found = object.substr(at, end - at);
    at = SkipSpace(object, end);
    if (at < object.size() && object[at] == ',') at = SkipSpace(object, at + 1);
  }
  return found;
}

}  // namespace

std::string_view MemberText(std::string_view json, const std::vector<std::string_view>& path) {
  for (const std::string_view name : path) json = Member(json, name);
  return json;
}

std::vector<std::string_view> ElementTexts(std::string_view array) {
  std::vector<std::string_view> elements;
  size_t at = SkipSpace(array, 0);
  if (at == array.size() || array[at] != '[') return elements;
  at = SkipSpace(array, at + 1);
  while (at < array.size() && array[at] != ']') {
    const size_t end = SkipValue(array, at);
    elements.push_back(array.substr(at, end - at));
    at = SkipSpace(array, end);
    if (at < array.size() && array[at] == ',') at = SkipSpace(array, at + 1);
  }
  return elements;
}

}  // namespace aio
