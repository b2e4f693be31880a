// Reads the members of one JSON object into typed variables, with faults that name the member.
#ifndef AIO_API_OBJECT_READER_H_
#define AIO_API_OBJECT_READER_H_

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aio {

struct FloatRange {
  float min;
  float max;
  bool min_open = false;  // min itself is out
  bool max_open = false;
};

struct IntRange {
  int min;
  int max = std::numeric_limits<int>::max();
};

// An absent member and a null one are the same, as OpenAI's clients expect: the variable
// keeps its value. Ranges are checked on the value as stored, after rounding to float.
// Keeps references: object and reader do not outlive the JSON value.
class ObjectReader {
 public:
  // `path` is the object's own name in faults; empty for the body.
  explicit ObjectReader(const nlohmann::json& object, std::string path = "");

  // From now on, the names that are asked for are appended to `asked`, which outlives this. They
  // must outlive it, too.
  void Record(std::vector<std::string_view>& asked) { asked_ = &asked; }

  // The member, or null when it is absent or null.
  const nlohmann::json* Find(std::string_view name) const;
  std::string Path(std::string_view name) const;
  const nlohmann::json& object() const { return object_; }

  Status Read(std::string_view name, bool& value) const;
  Status Read(std::string_view name, FloatRange range, float& value) const;
  Status Read(std::string_view name, IntRange range, int& value) const;
  Status Read(std::string_view name, IntRange range, std::optional<int>& value) const;
  // Any finite number >= 0.
  Status Read(std::string_view name, std::optional<double>& value) const;
  // `expected` describes the member in faults: "the name of a model". Missing or empty is one.
  Status ReadRequired(std::string_view name, std::string_view expected, std::string& value) const;

  // For objects in which a typing error must not pass: a fault that names the first other member.
  Status RefuseUnknown(std::initializer_list<std::string_view> known) const;

 private:
  const nlohmann::json& object_;
  std::string path_;
  std::vector<std::string_view>* asked_ = nullptr;
};

// The checks of the readers above, for values found by other ways.
Status ReadFloat(const nlohmann::json& json, const std::string& path, FloatRange range,
                 float& value);
Status ReadInt(const nlohmann::json& json, const std::string& path, IntRange range, int& value);

}  // namespace aio

#endif  // AIO_API_OBJECT_READER_H_
