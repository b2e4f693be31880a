// All that clients do to a server, at once and for long: honest requests and streams, streams that
// break off, stalls, failures, slow readers, pipelines, and hostile requests.
#ifndef AIO_STRESS_SIEGE_H_
#define AIO_STRESS_SIEGE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "stress/server_process.h"

namespace aio {

struct SiegeOptions {
  uint64_t seed = 1;
  int connections = 64;
  int64_t hostile_max = 0;    // ends after so many hostile requests; 0: by time alone
  Duration time{};            // ends after so long; 0: by the number alone
  bool only_hostile = false;  // and honest ones in between
  Duration pause_max{};       // before a connection's next deed, at random
  // The server is a stub, whose answers count; else answers to one question must be equal.
  bool is_stub = true;
};

struct SiegeReport {
  std::map<std::string, int64_t> deeds;     // that came to their end, by name
  std::map<int, int64_t> hostile_statuses;  // 0: closed without an answer
  int64_t wrong = 0;                        // answers that they should not be, or did not come
  std::vector<std::string> first_wrong;     // what the first of these were
  std::vector<int64_t> resident_bytes;      // of the server, once a second
  bool server_ran = true;                   // to the end

  // Of resident memory: the median of the last tenth of the time over that of the tenth that
  // follows the warm-up, a fifth of the whole; 0 with too few samples.
  double growth() const;
};

// One thread's; ends early if the server does.
SiegeReport LaySiege(ServerProcess& server, const SiegeOptions& options);

}  // namespace aio

#endif  // AIO_STRESS_SIEGE_H_
