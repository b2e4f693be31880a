// The JSON files beside a Hugging Face model, with errors that name the file and the key.
#ifndef AIO_CONVERT_JSON_FILE_H_
#define AIO_CONVERT_JSON_FILE_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace aio {

// An object from a file, or one within it. The value is kept alive by whoever made it.
class JsonObject {
 public:
  JsonObject(const nlohmann::json& value, std::string where)
      : value_(value), where_(std::move(where)) {}

  const nlohmann::json& value() const { return value_; }
  const std::string& where() const { return where_; }

  // Null if the key is missing or its value is null.
  const nlohmann::json* Find(std::string_view key) const;
  bool Has(std::string_view key) const { return Find(key) != nullptr; }

  // "model/config.json: hidden_size: <problem>"
  Status Invalid(std::string_view key, std::string_view problem) const;
  Status Unsupported(std::string_view key, std::string_view problem) const;

  // Missing: kNotFound. Wrong type or out of range: kInvalidArgument.
  Result<int> Int(std::string_view key, int min, int max) const;
  Result<int> IntOr(std::string_view key, int absent, int min, int max) const;
  Result<double> Number(std::string_view key, double min, double max) const;
  Result<double> NumberOr(std::string_view key, double absent, double min, double max) const;
  Result<bool> BoolOr(std::string_view key, bool absent) const;
  Result<std::string> StringOr(std::string_view key, std::string_view absent) const;

 private:
  Status Missing(std::string_view key) const;

  const nlohmann::json& value_;
  const std::string where_;
};

// A file's text. kInvalidArgument when it is larger than any such file is.
Result<std::string> ReadTextFile(const std::string& path);

// `text` as JSON, which must be an object; `name` stands for the file in errors.
Result<nlohmann::json> ParseJsonObject(std::string_view text, const std::string& name);

// The object in a file; absent if there is no file.
Result<std::optional<nlohmann::json>> ReadJsonFile(const std::string& path);

}  // namespace aio

#endif  // AIO_CONVERT_JSON_FILE_H_
