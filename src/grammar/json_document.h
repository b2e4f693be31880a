// A JSON text as a tree that keeps what a schema needs kept: the order of members and how numbers
// are written. Internal to grammar/.
#ifndef AIO_GRAMMAR_JSON_DOCUMENT_H_
#define AIO_GRAMMAR_JSON_DOCUMENT_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace aio {

enum class JsonKind { kNull, kBoolean, kNumber, kString, kArray, kObject };

struct JsonNode {
  JsonKind kind = JsonKind::kNull;
  bool boolean = false;
  std::string text = {};             // of a string; of a number as written
  std::vector<JsonNode> items = {};  // of an array
  std::vector<std::pair<std::string, JsonNode>> members = {};  // of an object; distinct names

  // Null: there is none, or this is no object.
  const JsonNode* Find(std::string_view name) const;
};

// "null", "a boolean", "a number", ...
std::string_view DescribeKind(JsonKind kind);

inline constexpr int kJsonNodeDepthMax = 64;
inline constexpr size_t kJsonNodesMax = 100'000;

// kInvalidArgument says what is wrong and where: also for a name that an object has twice, and
// beyond the limits above.
Result<JsonNode> ParseJsonDocument(std::string_view text);

// As a JSON string, quotation marks included; as JsonStringChars() writes characters.
std::string QuoteJson(std::string_view text);

// "~" and "/" of a JSON pointer's part escaped (RFC 6901).
std::string PointerPart(std::string_view name);

}  // namespace aio

#endif  // AIO_GRAMMAR_JSON_DOCUMENT_H_
