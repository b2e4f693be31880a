// Plain structs to JSON and back from one list of their fields. Internal to decisions/: it
// includes the JSON library.
//
//   template <typename Fields, typename T>
//   requires SameAs<T, ContextNeed> void ListFields(Fields& fields, T& need) {
//     fields("prompt_tokens", need.prompt_tokens);   // one line a field, for both directions
//   }
//   FieldJson json = ToJson(need);
//   AIO_RETURN_IF_ERROR(FromJson(json, "signals", need));
//
// Numbers come back as they were, bit for bit: JSON's own are written with as many digits as it
// takes, and infinities and NaN as the strings "inf", "-inf" and "nan". Absent optionals, empty
// strings and empty lists are left out.
#ifndef AIO_DECISIONS_JSON_FIELDS_H_
#define AIO_DECISIONS_JSON_FIELDS_H_

#include <fmt/format.h>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "backend/request.h"
#include "base/status.h"

namespace aio {

using FieldJson = nlohmann::ordered_json;

template <typename T, typename Plain>
concept SameAs = std::same_as<std::remove_const_t<T>, Plain>;

// --- writing ---------------------------------------------------------------------------

class FieldWriter;

template <typename T>
FieldJson ToJson(const T& value);
template <typename T>
FieldJson ToJson(const std::optional<T>& value);
template <typename T>
FieldJson ToJson(const std::vector<T>& values);
template <typename A, typename B>
FieldJson ToJson(const std::pair<A, B>& pair);

class FieldWriter {
 public:
  template <typename T>
  void operator()(const char* name, const T& value) {
    FieldJson json = ToJson(value);
    if (IsNothing(json)) return;
    object_[name] = std::move(json);
  }
  FieldJson Take() { return std::move(object_); }

 private:
  static bool IsNothing(const FieldJson& json) {
    return json.is_null() || (json.is_string() && json.get_ref<const std::string&>().empty()) ||
           (json.is_array() && json.empty());
  }

  FieldJson object_ = FieldJson::object();
};

inline FieldJson NumberToJson(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

template <typename T>
FieldJson ToJson(const T& value) {
  if constexpr (std::is_floating_point_v<T>) {
    return NumberToJson(value);
  } else if constexpr (std::same_as<T, StrategyKind>) {
    return StrategyName(value);
  } else if constexpr (std::is_arithmetic_v<T> || std::same_as<T, std::string>) {
    return value;
  } else {
    FieldWriter fields;
    ListFields(fields, value);
    return fields.Take();
  }
}

template <typename T>
FieldJson ToJson(const std::optional<T>& value) {
  if (!value) return nullptr;
  // "" that is there differs from nothing: the client's own choice of a model's own weights.
  if constexpr (std::same_as<T, std::string>) return FieldJson::array({*value});
  return ToJson(*value);
}

template <typename T>
FieldJson ToJson(const std::vector<T>& values) {
  FieldJson array = FieldJson::array();
  for (const T& value : values) array.push_back(ToJson(value));
  return array;
}

template <typename A, typename B>
FieldJson ToJson(const std::pair<A, B>& pair) {
  return FieldJson::array({ToJson(pair.first), ToJson(pair.second)});
}

// --- reading ---------------------------------------------------------------------------

// Every fault is kInvalidArgument and begins with the value's path.
class FieldReader;

template <typename T>
Status FromJson(const FieldJson& json, const std::string& path, T& value);
template <typename T>
Status FromJson(const FieldJson& json, const std::string& path, std::optional<T>& value);
template <typename T>
Status FromJson(const FieldJson& json, const std::string& path, std::vector<T>& values);
template <typename A, typename B>
Status FromJson(const FieldJson& json, const std::string& path, std::pair<A, B>& pair);

// Absent fields keep their value: a log of before there was the field. Unknown ones are a fault:
// a log of a newer program, whose decisions hung on what this one does not know.
class FieldReader {
 public:
  FieldReader(const FieldJson& object, std::string path)
      : object_(object), path_(std::move(path)) {}

  template <typename T>
  void operator()(const char* name, T& value) {
    known_.insert(name);
    const auto found = object_.find(name);
    if (found == object_.end() || !fault_.ok()) return;
    fault_ = FromJson(*found, path_ + "." + name, value);
  }

  Status Finish() const {
    if (!fault_.ok()) return fault_;
    for (const auto& [name, value] : object_.items()) {
      if (known_.contains(name)) continue;
      return InvalidArgument(fmt::format("{}: unknown field '{}': written by a newer version?",
                                         path_, name.substr(0, 40)));
    }
    return Status::Ok();
  }

 private:
  const FieldJson& object_;
  const std::string path_;
  std::set<std::string, std::less<>> known_;
  Status fault_;
};

inline Status NotA(const std::string& path, std::string_view expected) {
  return InvalidArgument(fmt::format("{}: is not {}", path, expected));
}

template <typename T>
Status NumberFromJson(const FieldJson& json, const std::string& path, T& value) {
  using Limits = std::numeric_limits<T>;
  if (json.is_string()) {
    const auto& text = json.get_ref<const std::string&>();
    if (text == "nan") {
      value = Limits::quiet_NaN();
    } else if (text == "inf") {
      value = Limits::infinity();
    } else if (text == "-inf") {
      value = -Limits::infinity();
    } else {
      return NotA(path, "a number");
    }
    return Status::Ok();
  }
  if (!json.is_number()) return NotA(path, "a number");
  const auto number = json.get<double>();
  value = static_cast<T>(number);
  // A float is written as the double of its value; no other double may become one.
  if (static_cast<double>(value) != number) return NotA(path, "a number of its size");
  return Status::Ok();
}

template <typename T>
Status IntegerFromJson(const FieldJson& json, const std::string& path, T& value) {
  if (json.is_number_unsigned()) {
    if (!std::in_range<T>(json.get<uint64_t>())) return NotA(path, "within its range");
    value = static_cast<T>(json.get<uint64_t>());
    return Status::Ok();
  }
  if (!json.is_number_integer()) return NotA(path, "a whole number");
  if (!std::in_range<T>(json.get<int64_t>())) return NotA(path, "within its range");
  value = static_cast<T>(json.get<int64_t>());
  return Status::Ok();
}

inline Status KindFromJson(const FieldJson& json, const std::string& path, StrategyKind& kind) {
  constexpr StrategyKind kKinds[] = {StrategyKind::kPlain, StrategyKind::kPromptLookup,
                                     StrategyKind::kDraftModel, StrategyKind::kAuto};
  for (const StrategyKind known : kKinds) {
    if (!json.is_string() || json.get_ref<const std::string&>() != StrategyName(known)) continue;
    kind = known;
    return Status::Ok();
  }
  return NotA(path, "a strategy's kind");
}

template <typename T>
Status FromJson(const FieldJson& json, const std::string& path, T& value) {
  if constexpr (std::same_as<T, bool>) {
    if (!json.is_boolean()) return NotA(path, "true or false");
    value = json.get<bool>();
    return Status::Ok();
  } else if constexpr (std::is_floating_point_v<T>) {
    return NumberFromJson(json, path, value);
  } else if constexpr (std::is_integral_v<T>) {
    return IntegerFromJson(json, path, value);
  } else if constexpr (std::same_as<T, StrategyKind>) {
    return KindFromJson(json, path, value);
  } else if constexpr (std::same_as<T, std::string>) {
    if (!json.is_string()) return NotA(path, "a string");
    value = json.get<std::string>();
    return Status::Ok();
  } else {
    if (!json.is_object()) return NotA(path, "an object");
    FieldReader fields(json, path);
    ListFields(fields, value);
    return fields.Finish();
  }
}

template <typename T>
Status FromJson(const FieldJson& json, const std::string& path, std::optional<T>& value) {
  T present{};
  if constexpr (std::same_as<T, std::string>) {
    if (!json.is_array() || json.size() != 1) return NotA(path, "a list of one string");
    AIO_RETURN_IF_ERROR(FromJson(json[0], path, present));
  } else {
    AIO_RETURN_IF_ERROR(FromJson(json, path, present));
  }
  value = std::move(present);
  return Status::Ok();
}

template <typename T>
Status FromJson(const FieldJson& json, const std::string& path, std::vector<T>& values) {
  if (!json.is_array()) return NotA(path, "a list");
  values.clear();
  for (size_t i = 0; i < json.size(); ++i) {
    T value{};
    AIO_RETURN_IF_ERROR(FromJson(json[i], fmt::format("{}[{}]", path, i), value));
    values.push_back(std::move(value));
  }
  return Status::Ok();
}

template <typename A, typename B>
Status FromJson(const FieldJson& json, const std::string& path, std::pair<A, B>& pair) {
  if (!json.is_array() || json.size() != 2) return NotA(path, "a pair");
  AIO_RETURN_IF_ERROR(FromJson(json[0], path + "[0]", pair.first));
  return FromJson(json[1], path + "[1]", pair.second);
}

}  // namespace aio

#endif  // AIO_DECISIONS_JSON_FIELDS_H_
