// Server-sent events as they come in, cut anywhere.
#ifndef AIO_REMOTE_SSE_READER_H_
#define AIO_REMOTE_SSE_READER_H_

#include <functional>
#include <string>
#include <string_view>

namespace aio {

// Of the fields only `data` matters here; comments, names and ids are skipped. Lines may end with
// \n, \r\n or \r.
class SseReader {
 public:
  static constexpr size_t kEventBytesMax = size_t{4} << 20;

  // False once an event has grown over kEventBytesMax: then nothing more is read.
  bool Feed(std::string_view bytes, const std::function<void(std::string_view data)>& on_event);

 private:
  void EndLine(std::string_view line, const std::function<void(std::string_view data)>& on_event);

  std::string line_;  // of which the end has not come
  std::string data_;
  bool has_data_ = false;
  bool after_return_ = false;  // the last byte was a \r, whose \n may follow
};

}  // namespace aio

#endif  // AIO_REMOTE_SSE_READER_H_
