#include "remote/sse_reader.h"

#include <utility>

namespace aio {

bool SseReader::Feed(std::string_view bytes,
                     const std::function<void(std::string_view data)>& on_event) {
  for (const char c : bytes) {
    const bool skip = c == '\n' && std::exchange(after_return_, false);
    after_return_ = c == '\r';
    if (skip) continue;
    if (c == '\n' || c == '\r') {
      EndLine(on_event);
      continue;
    }
    line_ += c;
    if (line_.size() + data_.size() > kEventBytesMax) return false;
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
