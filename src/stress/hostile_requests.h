// Requests that no honest client sends, made from a seed: the same number gives the same bytes
// for ever, so that whatever one of a million brings to light can be looked at again.
#ifndef AIO_STRESS_HOSTILE_REQUESTS_H_
#define AIO_STRESS_HOSTILE_REQUESTS_H_

#include <cstdint>
#include <string>

namespace aio {

// What the client does once all is sent.
enum class HostileEnd {
  kWaits,       // for an answer, or the connection's end
  kHalfCloses,  // says that nothing more comes, then waits
  kCloses,
  kResets,
};

struct HostileRequest {
  std::string bytes;
  HostileEnd end = HostileEnd::kWaits;
  size_t first_bytes = 0;  // are sent by themselves, the rest a moment later; 0: all at once
  size_t piece_bytes = 0;  // of the rest, each a moment after the last; 0: all of it
};

// Of the `number`-th request of `seed`: requests to every path with broken heads, framing, JSON,
// members and values; honest ones with bytes changed, lost or doubled; noise. At most some 100 KiB.
HostileRequest MakeHostileRequest(uint64_t seed, uint64_t number);

}  // namespace aio

#endif  // AIO_STRESS_HOSTILE_REQUESTS_H_
