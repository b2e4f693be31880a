#include "api/json_body.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "base/utf8.h"

namespace aio {
namespace {

Status BadBody(std::string message) {
  return InvalidArgument(std::move(message)).WithReason("invalid_json");
}

// The offset at which nesting passes kJsonDepthMax, or npos. Strings are skipped; whether the
// text is JSON at all is the parser's business.
size_t FindTooDeep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kJsonDepthMax) return i;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return std::string_view::npos;
}

// What the parser complains of, without its own prefix and without the text last read, which
// may be a client's prompt.
std::string Complaint(const nlohmann::json::exception& error) {
  std::string_view what = error.what();
  if (const size_t end = what.find("] "); end != what.npos) what.remove_prefix(end + 2);
  if (const size_t colon = what.find(": "); what.starts_with("parse error") && colon != what.npos) {
    what.remove_prefix(colon + 2);
  }
  what = what.substr(0, what.find("; last read"));
  return std::string(what.substr(0, 200));
}

}  // namespace

Status ParseJsonObject(std::string_view body, nlohmann::json& object) {
  if (body.empty()) return BadBody("The request body is empty; send a JSON object.");
  // The parser would skip it, who looks for a member's text would not.
  if (body.starts_with("\xEF\xBB\xBF")) {
    return BadBody("The request body begins with a byte order mark; leave it out.");
  }
  if (const size_t at = FindInvalidUtf8(body); at != std::string_view::npos) {
    return BadBody(fmt::format("The request body is not valid UTF-8 at byte {}.", at));
  }
  if (const size_t at = FindTooDeep(body); at != std::string_view::npos) {
    return BadBody(
        fmt::format("The request body nests deeper than {} levels at byte {}.", kJsonDepthMax, at));
  }
  try {
    object = nlohmann::json::parse(body);
  } catch (const nlohmann::json::parse_error& error) {
    return BadBody(fmt::format("The request body is not valid JSON at byte {}: {}.", error.byte,
                               Complaint(error)));
  } catch (const nlohmann::json::exception& error) {  // a number too large for a double
    return BadBody(fmt::format("The request body is not usable JSON: {}.", Complaint(error)));
  }
  if (!object.is_object()) {
    return BadBody(
        fmt::format("The request body must be a JSON object, not {}.", object.type_name()));
  }
  return Status::Ok();
}

}  // namespace aio
