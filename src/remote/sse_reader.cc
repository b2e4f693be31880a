#include "remote/sse_reader.h"

#include <algorithm>
#include <utility>

namespace aio {

bool SseReader::Feed(std::string_view bytes,
                     const std::function<void(std::string_view data)>& on_event) {
  while (!bytes.empty()) {
    if (std::exchange(after_return_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const size_t end = std::min(bytes.find_first_of("\r\n"), bytes.size());
    line_ += bytes.substr(0, end);
    if (line_.size() + data_.size() > kEventBytesMax) return false;
    if (end == bytes.size()) return true;
    after_return_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    EndLine(on_event);
  }
  return true;
}

void SseReader::EndLine(const std::function<void(std::string_view data)>& on_event) {
  const std::string line = std::exchange(line_, {});
  if (line.empty()) {
    if (std::exchange(has_data_, false)) on_event(std::exchange(data_, {}));
    return;
  }
  std::string_view value = line;
  if (!value.starts_with("data")) return;
  value.remove_prefix(4);
  if (!value.empty() && value.front() != ':') return;  // another field
  if (!value.empty()) value.remove_prefix(1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (std::exchange(has_data_, true)) data_ += '\n';
  data_ += value;
}

}  // namespace aio
