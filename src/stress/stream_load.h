// Many streams at once: that each gets every token in order, what one costs in memory, and how soon
// what is left of those that break off is free.
#ifndef AIO_STRESS_STREAM_LOAD_H_
#define AIO_STRESS_STREAM_LOAD_H_

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "stress/server_process.h"

namespace aio {

// Follows the answer of a stub, "0 1 2 ...", through the server-sent events of a chat.
class StreamCheck {
 public:
  // Takes what is whole of `body` away from it.
  void Take(std::string& body);

  int tokens() const { return next_; }  // that came, in order
  bool done() const { return done_; }   // the stream said that it was over
  bool wrong() const { return wrong_; }

 private:
  void TakeEvent(std::string_view event);

  int next_ = 0;
  bool done_ = false;
  bool wrong_ = false;
};

struct StreamOptions {
  int streams = 5000;
  int tokens = 30;
  std::string model = "auto";
  int broken_off = 0;  // of the streams, so many, once all have a token: half by a reset
};

struct StreamReport {
  int held = 0;              // at one time, each with at least a token
  int whole = 0;             // got every token in order, and the end
  int wrong = 0;             // did not; those broken off apart
  int64_t bytes_before = 0;  // resident, of a server that has served a few
  int64_t bytes_held = 0;    // while all are held
  int64_t bytes_after = 0;
  Duration freed_after{};  // from the first breaking off until the last one's KV was free
  Status status;           // not ok: what else went wrong
};

// Against a stub server whose pace is slow enough for all streams to begin before the first ends.
StreamReport LoadStreams(ServerProcess& server, const StreamOptions& options);

}  // namespace aio

#endif  // AIO_STRESS_STREAM_LOAD_H_
