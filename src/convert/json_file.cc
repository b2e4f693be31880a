#include "convert/json_file.h"

#include <fmt/format.h>

#include <utility>

#include "formats/mapped_file.h"

namespace aio {
namespace {

using Json = nlohmann::json;

// Vocabularies of 250,000 tokens take some 30 MB.
constexpr size_t kMaxBytes = size_t{256} << 20;

}  // namespace

const Json* JsonObject::Find(std::string_view key) const {
  const auto found = value_.find(key);
  return found == value_.end() || found->is_null() ? nullptr : &*found;
}

Status JsonObject::Invalid(std::string_view key, std::string_view problem) const {
  return InvalidArgument(fmt::format("{}: {}: {}", where_, key, problem));
}

Status JsonObject::Unsupported(std::string_view key, std::string_view problem) const {
  return Unimplemented(fmt::format("{}: {}: {}", where_, key, problem));
}

Status JsonObject::Missing(std::string_view key) const {
  return NotFound(fmt::format("{}: {}: is missing", where_, key));
}

Result<int> JsonObject::Int(std::string_view key, int min, int max) const {
  const Json* value = Find(key);
  if (value == nullptr) return Missing(key);
  if (!value->is_number_integer()) return Invalid(key, "is no whole number");
  const auto number = value->is_number_unsigned() && value->get<uint64_t>() > INT64_MAX
                          ? INT64_MAX
                          : value->get<int64_t>();
  if (number >= min && number <= max) return static_cast<int>(number);
  return Invalid(key, fmt::format("{} is out of range; expected {} to {}", number, min, max));
}

Result<int> JsonObject::IntOr(std::string_view key, int absent, int min, int max) const {
  if (!Has(key)) return absent;
  return Int(key, min, max);
}

Result<double> JsonObject::Number(std::string_view key, double min, double max) const {
  const Json* value = Find(key);
  if (value == nullptr) return Missing(key);
  if (!value->is_number()) return Invalid(key, "is no number");
  const auto number = value->get<double>();
  if (number >= min && number <= max) return number;
  return Invalid(key, fmt::format("{} is out of range; expected {} to {}", number, min, max));
}

Result<double> JsonObject::NumberOr(std::string_view key, double absent, double min,
                                    double max) const {
  if (!Has(key)) return absent;
  return Number(key, min, max);
}

Result<bool> JsonObject::BoolOr(std::string_view key, bool absent) const {
  const Json* value = Find(key);
  if (value == nullptr) return absent;
  if (!value->is_boolean()) return Invalid(key, "is neither true nor false");
  return value->get<bool>();
}

Result<std::string> JsonObject::StringOr(std::string_view key, std::string_view absent) const {
  const Json* value = Find(key);
  if (value == nullptr) return std::string(absent);
  if (!value->is_string()) return Invalid(key, "is no string");
  return value->get<std::string>();
}

Result<std::string> ReadTextFile(const std::string& path) {
  Result<MappedFile> file = MappedFile::Open(path);
  if (!file.ok()) return std::move(file).status().WithContext(path);
  const std::span<const std::byte> bytes = file->bytes();
  if (bytes.size() > kMaxBytes) {
    return InvalidArgument(
        fmt::format("{}: has {} bytes; expected at most {}", path, bytes.size(), kMaxBytes));
  }
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Result<Json> ParseJsonObject(std::string_view text, const std::string& name) {
  Json value = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) {
    return InvalidArgument(name + ": is no JSON, or cut short; fetch it again");
  }
  if (!value.is_object()) return InvalidArgument(name + ": is no JSON object");
  return value;
}

Result<std::optional<Json>> ReadJsonFile(const std::string& path) {
  Result<std::string> text = ReadTextFile(path);
  if (text.status().code() == StatusCode::kNotFound) return std::optional<Json>();
  if (!text.ok()) return text.status();
  AIO_ASSIGN_OR_RETURN(Json value, ParseJsonObject(*text, path));
  return std::optional<Json>(std::move(value));
}

}  // namespace aio
