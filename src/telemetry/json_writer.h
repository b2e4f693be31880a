// Appends JSON to a text, piece by piece: for what is written for every request, where a tree of
// values would cost more than the text.
#ifndef AIO_TELEMETRY_JSON_WRITER_H_
#define AIO_TELEMETRY_JSON_WRITER_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace aio {

// Commas are its own; that what is opened is closed is the caller's.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void BeginObject() { Open('{'); }
  void EndObject() { Close('}'); }
  void BeginArray() { Open('['); }
  void EndArray() { Close(']'); }

  // Of the next value. Keys are written as they are: they are the program's own.
  void Key(std::string_view key);

  // Ill-formed UTF-8 becomes U+FFFD.
  void String(std::string_view text);
  void Int(int64_t value);
  void Double(double value);  // what JSON has no word for becomes null
  void Bool(bool value);

  void Member(std::string_view key, std::string_view text) {
    Key(key);
    String(text);
  }

 private:
  void Open(char bracket);
  void Close(char bracket);
  void Separate();

  std::string& out_;
  bool needs_comma_ = false;
};

}  // namespace aio

#endif  // AIO_TELEMETRY_JSON_WRITER_H_
