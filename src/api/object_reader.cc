#include "api/object_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/faults.h"

namespace aio {
namespace {

// "between 0 and 2", "above 0 and at most 1", ...
std::string Describe(FloatRange range) {
  if (!range.min_open && !range.max_open) {
    return fmt::format("between {} and {}", range.min, range.max);
  }
  return fmt::format("{} {} and {} {}", range.min_open ? "above" : "at least", range.min,
                     range.max_open ? "below" : "at most", range.max);
}

bool Contains(FloatRange range, float value) {
  const bool above = range.min_open ? value > range.min : value >= range.min;
  const bool below = range.max_open ? value < range.max : value <= range.max;
  return above && below;  // false for NaN
}

std::string Describe(IntRange range) {
  if (range.max == std::numeric_limits<int>::max()) return fmt::format("at least {}", range.min);
  return fmt::format("between {} and {}", range.min, range.max);
}

}  // namespace

Status ReadFloat(const nlohmann::json& json, const std::string& path, FloatRange range,
                 float& value) {
  if (!json.is_number()) return WrongType(path, "a number", json);
  const double given = json.get<double>();
  // Beyond float the cast is undefined; no range reaches that far.
  const double limit = std::numeric_limits<float>::max();
  const bool fits = given >= -limit && given <= limit;
  if (!fits || !Contains(range, static_cast<float>(given))) {
    return BadValue(
        path, fmt::format("{} is out of range; give a number {}.", json.dump(), Describe(range)));
  }
  value = static_cast<float>(given);
  return Status::Ok();
}

Status ReadInt(const nlohmann::json& json, const std::string& path, IntRange range, int& value) {
  if (!json.is_number_integer()) return WrongType(path, "an integer", json);
  // Unsigned values beyond int64 wrap to negative in get<int64_t>.
  const bool huge = json.is_number_unsigned() &&
                    json.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int>::max());
  const int64_t given = huge ? 0 : json.get<int64_t>();
  if (huge || given < range.min || given > range.max) {
    return BadValue(
        path, fmt::format("{} is out of range; give an integer {}.", json.dump(), Describe(range)));
  }
  value = static_cast<int>(given);
  return Status::Ok();
}

ObjectReader::ObjectReader(const nlohmann::json& object, std::string path)
    : object_(object), path_(std::move(path)) {}

const nlohmann::json* ObjectReader::Find(std::string_view name) const {
  if (asked_ != nullptr) asked_->push_back(name);
  const auto member = object_.find(name);
  return member == object_.end() || member->is_null() ? nullptr : &*member;
}

std::string ObjectReader::Path(std::string_view name) const {
  return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
}

Status ObjectReader::Read(std::string_view name, bool& value) const {
  const nlohmann::json* json = Find(name);
  if (json == nullptr) return Status::Ok();
  if (!json->is_boolean()) return WrongType(Path(name), "a boolean", *json);
  value = json->get<bool>();
  return Status::Ok();
}

Status ObjectReader::Read(std::string_view name, FloatRange range, float& value) const {
  const nlohmann::json* json = Find(name);
  return json == nullptr ? Status::Ok() : ReadFloat(*json, Path(name), range, value);
}

Status ObjectReader::Read(std::string_view name, IntRange range, int& value) const {
  const nlohmann::json* json = Find(name);
  return json == nullptr ? Status::Ok() : ReadInt(*json, Path(name), range, value);
}

Status ObjectReader::Read(std::string_view name, IntRange range, std::optional<int>& value) const {
  const nlohmann::json* json = Find(name);
  if (json == nullptr) return Status::Ok();
  return ReadInt(*json, Path(name), range, value.emplace());
}

Status ObjectReader::Read(std::string_view name, std::optional<double>& value) const {
  const nlohmann::json* json = Find(name);
  if (json == nullptr) return Status::Ok();
  if (!json->is_number()) return WrongType(Path(name), "a number", *json);
  const double given = json->get<double>();
  if (!(given >= 0)) return BadValue(Path(name), "give a number of at least 0.");
  value = given;
  return Status::Ok();
}

Status ObjectReader::ReadRequired(std::string_view name, std::string_view expected,
                                  std::string& value) const {
  const nlohmann::json* json = Find(name);
  if (json == nullptr) return MissingField(Path(name), expected);
  if (!json->is_string()) return WrongType(Path(name), "a string", *json);
  value = json->get<std::string>();
  if (value.empty()) return BadValue(Path(name), fmt::format("it is empty; give {}.", expected));
  return Status::Ok();
}

Status ObjectReader::RefuseUnknown(std::initializer_list<std::string_view> known) const {
  for (const auto& member : object_.items()) {
    if (std::find(known.begin(), known.end(), member.key()) != known.end()) continue;
    // Clients choose the name: it may be long, the message need not be.
    return UnknownField(Path(member.key().substr(0, 64)),
                        fmt::format("{}", fmt::join(known, ", ")));
  }
  return Status::Ok();
}

}  // namespace aio
