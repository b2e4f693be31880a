#include "paper/strict_json.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

namespace aio {

namespace {

const StrictJson& NullJson() {
  static const StrictJson null;
  return null;
}

// A name from the file, short and safe to print.
std::string Printable(std::string_view name) {
  constexpr size_t kShown = 60;
  std::string text;
  text.reserve(kShown);
  for (const char c : name.substr(0, kShown)) {
    const auto byte = static_cast<unsigned char>(c);
    text.push_back(byte < 0x20 || byte == 0x7f ? '?' : c);
  }
  return text;
}

}  // namespace

void FirstFault::Set(const std::string& path, std::string_view message) {
  if (!status_.ok()) return;
  status_ = InvalidArgument(path.empty()
                                ? fmt::format("{}: {}", source_, message)
                                : fmt::format("{}: '{}': {}", source_, Printable(path), message));
}

StrictObject::StrictObject(const StrictJson& json, std::string path, FirstFault& fault)
    : json_(json), path_(std::move(path)), fault_(fault) {
  if (!json_.is_object()) fault_.Set(path_, "must be an object");
}

bool StrictObject::Has(const std::string& key) const {
  return json_.is_object() && json_.contains(key);
}

std::string StrictObject::PathOf(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

const StrictJson& StrictObject::Member(const std::string& key) {
  known_.insert(key);
  if (Has(key)) return json_[key];
  fault_.Set(PathOf(key), "is missing; add it");
  return NullJson();
}

std::string StrictObject::Text(const std::string& key) {
  const StrictJson& value = Member(key);
  if (value.is_string()) return value.get<std::string>();
  fault_.Set(PathOf(key), "must be a string");
  return "";
}

double StrictObject::Number(const std::string& key, double low, double high) {
  return StrictNumber(Member(key), PathOf(key), low, high, fault_);
}

std::optional<double> StrictObject::OptionalNumber(const std::string& key, double low,
                                                   double high) {
  if (!Has(key)) return std::nullopt;
  return Number(key, low, high);
}

int StrictObject::Int(const std::string& key, int low, int high) {
  const StrictJson& value = Member(key);
  if (value.is_number_integer()) {
    // Of an unsigned number beyond int64_t, the sign: never within an int's range either way.
    const auto number = value.get<int64_t>();
    if (number >= low && number <= high) return static_cast<int>(number);
  }
  fault_.Set(PathOf(key), fmt::format("must be a whole number from {} to {}", low, high));
  return 0;
}

std::vector<std::string> StrictObject::Texts(const std::string& key) {
  const StrictJson& list = Member(key);
  std::vector<std::string> texts;
  if (!IsStrictList(list, PathOf(key), std::nullopt, fault_)) return texts;
  texts.reserve(list.size());
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i].is_string()) {
      texts.push_back(list[i].get<std::string>());
    } else {
      fault_.Set(fmt::format("{}[{}]", PathOf(key), i), "must be a string");
    }
  }
  return texts;
}

StrictObject StrictObject::Object(const std::string& key) {
  return {Member(key), PathOf(key), fault_};
}

void StrictObject::ForEach(
    const std::string& key,
    const std::function<void(const std::string& name, const StrictJson& value,
                             const std::string& path)>& read) {
  const StrictJson& members = Member(key);
  if (!members.is_object()) {
    fault_.Set(PathOf(key), "must be an object");
    return;
  }
  for (const auto& [name, value] : members.items()) {
    read(name, value, fmt::format("{}.{}", PathOf(key), name));
  }
}

void StrictObject::Finish() {
  if (!json_.is_object()) return;
  for (const auto& [name, value] : json_.items()) {
    if (known_.contains(name)) continue;
    fault_.Set(PathOf(name),
               fmt::format("is not known here; the fields are: {}", fmt::join(known_, ", ")));
  }
}

Result<StrictJson> ParseStrictJson(std::string_view text, const std::string& source) {
  try {
    return StrictJson::parse(text.begin(), text.end());
  } catch (const StrictJson::parse_error& error) {
    return InvalidArgument(fmt::format("{}: is no JSON from byte {} on", source, error.byte));
  } catch (const StrictJson::exception&) {  // a number beyond a double
    return InvalidArgument(source + ": holds a number that is out of range");
  }
}

double StrictNumber(const StrictJson& json, const std::string& path, double low, double high,
                    FirstFault& fault) {
  if (json.is_number()) {
    const auto number = json.get<double>();
    if (std::isfinite(number) && number >= low && number <= high) return number;
  }
  fault.Set(path, fmt::format("must be a number from {} to {}", low, high));
  return 0;
}

bool IsStrictList(const StrictJson& json, const std::string& path, std::optional<size_t> size,
                  FirstFault& fault) {
  if (json.is_array() && (!size || json.size() == *size)) return true;
  fault.Set(path, size ? fmt::format("must be a list of {}", *size) : "must be a list");
  return false;
}

}  // namespace aio
