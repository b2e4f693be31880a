// Rows of JSON lines, field by field, with faults that name file, line and field. Private to this
// layer.
#ifndef AIO_TASKS_JSON_ROWS_H_
#define AIO_TASKS_JSON_ROWS_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aio {

// An object; text in it is valid UTF-8 (the parser refuses other).
class JsonRow {
 public:
  // kInvalidArgument if `line` is not a JSON object.
  static Result<JsonRow> Parse(std::string_view line, int number, const std::string& source);

  int line() const { return line_; }
  bool Has(const char* key) const { return object_.contains(key); }

  Result<std::string> Text(const char* key) const;  // a string, not empty
  // Absent: "".
  Result<std::string> OptionalText(const char* key) const;
  Result<int64_t> Integer(const char* key) const;
  Result<bool> OptionalBool(const char* key, bool fallback) const;
  // An array of at least `min` strings, none empty.
  Result<std::vector<std::string>> Texts(const char* key, size_t min) const;

  // "file: line 3: field 'key' must be ...".
  Status Fault(const char* key, std::string_view wanted) const;

 private:
  JsonRow(nlohmann::json object, int line, std::string source)
      : object_(std::move(object)), line_(line), source_(std::move(source)) {}

  nlohmann::json object_;
  int line_;
  std::string source_;
};

// The rows of `text`; blank lines are left out. The first fault ends it.
Result<std::vector<JsonRow>> ParseJsonRows(std::string_view text, const std::string& source);

}  // namespace aio

#endif  // AIO_TASKS_JSON_ROWS_H_
