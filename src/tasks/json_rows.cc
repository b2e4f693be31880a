#include "tasks/json_rows.h"

#include <fmt/format.h>

#include <utility>

namespace aio {

Result<JsonRow> JsonRow::Parse(std::string_view line, int number, const std::string& source) {
  nlohmann::json object = nlohmann::json::parse(line, /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) {
    return InvalidArgument(fmt::format("{}: line {}: not a JSON object", source, number));
  }
  return JsonRow(std::move(object), number, source);
}

Status JsonRow::Fault(const char* key, std::string_view wanted) const {
  return InvalidArgument(
      fmt::format("{}: line {}: field '{}' must be {}", source_, line_, key, wanted));
}

Result<std::string> JsonRow::Text(const char* key) const {
  const auto it = object_.find(key);
  if (it == object_.end() || !it->is_string() || it->get_ref<const std::string&>().empty()) {
    return Fault(key, "a string that is not empty");
  }
  return it->get<std::string>();
}

Result<std::string> JsonRow::OptionalText(const char* key) const {
  const auto it = object_.find(key);
  if (it == object_.end()) return std::string();
  if (!it->is_string()) return Fault(key, "a string");
  return it->get<std::string>();
}

Result<int64_t> JsonRow::Integer(const char* key) const {
  const auto it = object_.find(key);
  if (it == object_.end() || !it->is_number_integer()) return Fault(key, "an integer");
  return it->get<int64_t>();
}

Result<bool> JsonRow::OptionalBool(const char* key, bool fallback) const {
  const auto it = object_.find(key);
  if (it == object_.end()) return fallback;
  if (!it->is_boolean()) return Fault(key, "true or false");
  return it->get<bool>();
}

Result<std::vector<std::string>> JsonRow::Texts(const char* key, size_t min) const {
  const auto it = object_.find(key);
  const auto fault = [&] {
    return Fault(key, fmt::format("an array of at least {} strings, none empty", min));
  };
  if (it == object_.end() || !it->is_array() || it->size() < min) return fault();
  std::vector<std::string> texts;
  texts.reserve(it->size());
  for (const nlohmann::json& text : *it) {
    if (!text.is_string() || text.get_ref<const std::string&>().empty()) return fault();
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

Result<std::vector<JsonRow>> ParseJsonRows(std::string_view text, const std::string& source) {
  std::vector<JsonRow> rows;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    AIO_ASSIGN_OR_RETURN(JsonRow row, JsonRow::Parse(line, number, source));
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace aio
