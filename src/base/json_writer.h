// Writes JSON from front to back into one string: for what is written for every request and token.
#ifndef AIO_BASE_JSON_WRITER_H_
#define AIO_BASE_JSON_WRITER_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace aio {

// Commas are put where they belong; that what is begun is ended, and that members have keys, is the
// caller's. Of strings ill-formed UTF-8 becomes U+FFFD; numbers that JSON has no word for become
// null, and doubles are written so that they stay doubles: 1.0. Not thread-safe.
class JsonWriter {
 public:
  void BeginObject() { Begin('{'); }
  void EndObject() { End('}'); }
  void BeginArray() { Begin('['); }
  void EndArray() { End(']'); }
  void Key(std::string_view key) {
    Value(key);
    text_ += ':';
    follows_value_ = false;
  }

  void Value(std::string_view text);
  void Value(const char* text) { Value(std::string_view(text)); }
  void Value(std::nullptr_t) { Raw("null"); }
  void Value(std::integral auto value) {
    if constexpr (std::same_as<decltype(value), bool>) {
      Raw(value ? "true" : "false");
    } else {
      Raw(std::to_string(value));
    }
  }
  // The shortest that reads as the same float or double.
  void Value(float value);
  void Value(double value);
  // What is JSON already.
  void Raw(std::string_view json) {
    if (follows_value_) text_ += ',';
    text_ += json;
    follows_value_ = true;
  }

  void Member(std::string_view key, const auto& value) {
    Key(key);
    Value(value);
  }
  void RawMember(std::string_view key, std::string_view json) {
    Key(key);
    Raw(json);
  }

  void reserve(size_t bytes) { text_.reserve(bytes); }
  // What has been written; this is empty then.
  std::string Take();

 private:
  void Begin(char bracket) {
    if (follows_value_) text_ += ',';
    text_ += bracket;
    follows_value_ = false;
  }
  void End(char bracket) {
    text_ += bracket;
    follows_value_ = true;
  }
  void AppendOther(std::string_view text);

  std::string text_;
  bool follows_value_ = false;
};

}  // namespace aio

#endif  // AIO_BASE_JSON_WRITER_H_
