#include "remote/sse_reader.h"

#include <algorithm>
#include <utility>

namespace aio {
namespace {

// Where the first line of `bytes` ends, at its \r or \n.
size_t LineEnd(std::string_view bytes) {
  const size_t end = std::min(bytes.find('\n'), bytes.size());
  return std::min(bytes.substr(0, end).find('\r'), end);
}

}  // namespace

bool SseReader::Feed(std::string_view bytes,
                     const std::function<void(std::string_view data)>& on_event) {
  while (!bytes.empty()) {
    if (std::exchange(after_return_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const size_t end = LineEnd(bytes);
    if (line_.size() + data_.size() + end > kEventBytesMax) return false;
    if (end == bytes.size()) {
      line_ += bytes;
      return true;
    }
    std::string_view line = bytes.substr(0, end);
    if (!line_.empty()) line = line_ += line;
    after_return_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    EndLine(line, on_event);
    line_.clear();
  }
  return true;
}

void SseReader::EndLine(std::string_view line,
                        const std::function<void(std::string_view data)>& on_event) {
  if (line.empty()) {
    if (!std::exchange(has_data_, false)) return;
    on_event(data_);
    data_.clear();
    return;
  }
  if (!line.starts_with("data")) return;
  line.remove_prefix(4);
  if (!line.empty() && line.front() != ':') return;  // another field
  if (!line.empty()) line.remove_prefix(1);
  if (line.starts_with(' ')) line.remove_prefix(1);
  if (std::exchange(has_data_, true)) data_ += '\n';
  data_ += line;
}

}  // namespace aio
