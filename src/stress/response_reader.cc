#include "stress/response_reader.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace aio {
namespace {

constexpr size_t kHeadBytesMax = 64 << 10;

// The value of a header that our own server writes: names in small letters, one space.
std::optional<std::string_view> Find(std::string_view head, std::string_view name) {
  const size_t at = head.find(name);
  if (at == head.npos) return std::nullopt;
  const size_t begin = at + name.size();
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

bool ReadNumber(std::string_view text, int base, size_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace

void ResponseReader::Next(bool is_head) {
  state_ = State::kHead;
  is_head_ = is_head;
  status_ = 0;
  closes_ = false;
  line_.clear();
  body_.clear();
}

size_t ResponseReader::Feed(std::string_view bytes) {
  size_t taken = 0;
  while (taken < bytes.size() && !done() && !broken()) {
    const std::string_view rest = bytes.substr(taken);
    const bool in_body =
        state_ == State::kBytes || state_ == State::kToEnd || state_ == State::kChunk;
    taken += in_body ? FeedBody(rest) : FeedLine(rest);
  }
  return taken;
}

void ResponseReader::FeedEnd() {
  if (state_ == State::kToEnd) state_ = State::kDone;
}

size_t ResponseReader::FeedBody(std::string_view bytes) {
  if (state_ == State::kToEnd) {
    body_ += bytes;
    return bytes.size();
  }
  const size_t taken = std::min(bytes.size(), left_);
  body_ += bytes.substr(0, taken);
  left_ -= taken;
  if (left_ == 0) state_ = state_ == State::kBytes ? State::kDone : State::kChunkEnd;
  return taken;
}

size_t ResponseReader::FeedLine(std::string_view bytes) {
  const size_t end = bytes.find('\n');
  const size_t taken = end == bytes.npos ? bytes.size() : end + 1;
  line_ += bytes.substr(0, taken);
  if (line_.size() > kHeadBytesMax) {
    state_ = State::kBroken;
  } else if (end != bytes.npos) {
    TakeLine();
  }
  return taken;
}

void ResponseReader::TakeLine() {
  if (state_ == State::kHead) {
    if (line_.ends_with("\r\n\r\n")) TakeHead();
    return;
  }
  if (!line_.ends_with("\r\n")) {
    state_ = State::kBroken;
  } else if (state_ == State::kChunkSize) {
    TakeChunkSize();
  } else if (state_ == State::kChunkEnd) {
    state_ = line_ == "\r\n" ? State::kChunkSize : State::kBroken;
  } else {  // the server sends no trailers
    state_ = line_ == "\r\n" ? State::kDone : State::kBroken;
  }
  line_.clear();
}

void ResponseReader::TakeChunkSize() {
  const std::string_view digits = std::string_view(line_).substr(0, line_.size() - 2);
  if (!ReadNumber(digits, 16, left_)) {
    state_ = State::kBroken;
  } else {
    state_ = left_ > 0 ? State::kChunk : State::kTrailer;
  }
}

void ResponseReader::TakeHead() {
  const std::string_view head = line_;
  size_t status = 0;
  const bool known = head.starts_with("HTTP/1.1 ") && ReadNumber(head.substr(9, 3), 10, status);
  if (known && status == 100) return line_.clear();  // the answer is still to come
  status_ = static_cast<int>(status);
  closes_ = Find(head, "\r\nconnection: ") == "close";
  const auto length = Find(head, "\r\ncontent-length: ");
  if (!known || (length && !ReadNumber(*length, 10, left_))) {
    state_ = State::kBroken;
  } else if (is_head_ || status == 204 || (length && left_ == 0)) {
    state_ = State::kDone;
  } else if (length) {
    state_ = State::kBytes;
  } else {
    const bool chunked = Find(head, "\r\ntransfer-encoding: ") == "chunked";
    state_ = chunked ? State::kChunkSize : State::kToEnd;
  }
  line_.clear();
}

}  // namespace aio
