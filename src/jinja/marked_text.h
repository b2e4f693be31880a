// A text that knows, byte for byte, which of it came with the data that a template was given and
// which the template itself wrote.
#ifndef AIO_JINJA_MARKED_TEXT_H_
#define AIO_JINJA_MARKED_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace aio {

// Value type. Whatever is done to it by parts keeps the marks of the parts: that is what lets a
// tokenizer read special tokens in the template's words and in nothing that a client sent.
class MarkedText {
 public:
  // A stretch of one origin. A view: lives as long as the text is not changed.
  struct Run {
    std::string_view bytes;
    bool is_data;
  };

  MarkedText() = default;
  MarkedText(std::string bytes, bool is_data)
      : bytes_(std::move(bytes)), marks_(bytes_.size(), Mark(is_data)) {}

  const std::string& bytes() const { return bytes_; }
  size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  bool is_data(size_t byte) const { return marks_[byte] != 0; }

  void Append(std::string_view bytes, bool is_data) {
    bytes_ += bytes;
    marks_.append(bytes.size(), Mark(is_data));
  }
  void Append(const MarkedText& text) {
    bytes_ += text.bytes_;
    marks_ += text.marks_;
  }
  // Bytes begin..begin + size of `text`, of which there must be so many.
  void AppendPart(const MarkedText& text, size_t begin, size_t size) {
    bytes_.append(text.bytes_, begin, size);
    marks_.append(text.marks_, begin, size);
  }
  MarkedText Part(size_t begin, size_t size = std::string::npos) const {
    MarkedText part;
    part.bytes_ = bytes_.substr(begin, size);
    part.marks_ = marks_.substr(begin, size);
    return part;
  }

  // Neighbours differ in origin; none is empty.
  std::vector<Run> Runs() const;

  // Of the characters alone.
  friend bool operator==(const MarkedText& a, const MarkedText& b) { return a.bytes_ == b.bytes_; }

 private:
  static char Mark(bool is_data) { return is_data ? 1 : 0; }

  std::string bytes_;
  std::string marks_;  // one a byte; not 0: data
};

}  // namespace aio

#endif  // AIO_JINJA_MARKED_TEXT_H_
