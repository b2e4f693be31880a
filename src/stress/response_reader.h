// Reads HTTP/1.1 responses as they arrive, piece by piece, as a client that trusts nothing.
#ifndef AIO_STRESS_RESPONSE_READER_H_
#define AIO_STRESS_RESPONSE_READER_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace aio {

class ResponseReader {
 public:
  // Takes bytes, no further than the end of the response; how many it took. Takes none once it is
  // done or broken.
  size_t Feed(std::string_view bytes);
  // The connection has ended: the end of a response whose length nobody gave, else of no use.
  void FeedEnd();
  // The next response; `is_head`: the answer to a HEAD, which has no body.
  void Next(bool is_head = false);

  bool begun() const { return state_ != State::kHead || !line_.empty(); }
  bool done() const { return state_ == State::kDone; }
  bool broken() const { return state_ == State::kBroken; }  // no HTTP that this knows
  int status() const { return status_; }                    // 0 until the head has come
  bool closes() const { return closes_; }                   // the server said so
  // What came of it, chunks joined. A caller may take it away meanwhile.
  std::string& body() { return body_; }

 private:
  enum class State {
    kHead,
    kBytes,
    kToEnd,
    kChunkSize,
    kChunk,
    kChunkEnd,
    kTrailer,
    kDone,
    kBroken
  };

  size_t FeedLine(std::string_view bytes);
  size_t FeedBody(std::string_view bytes);
  void TakeLine();
  void TakeHead();
  void TakeChunkSize();

  State state_ = State::kHead;
  bool is_head_ = false;
  int status_ = 0;
  bool closes_ = false;
  std::string line_;  // of a head: all its lines so far
  size_t left_ = 0;   // bytes of the body or chunk
  std::string body_;
};

}  // namespace aio

#endif  // AIO_STRESS_RESPONSE_READER_H_
