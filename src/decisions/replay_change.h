// What a policy would change, from what is known of requests. Internal to decisions/.
#ifndef AIO_DECISIONS_REPLAY_CHANGE_H_
#define AIO_DECISIONS_REPLAY_CHANGE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "decisions/replay.h"

namespace aio {

// Names stand in tables, so that a request is small: logs have millions.
struct ReplayedRequest {
  int32_t intent = 0;  // index into a table of intents
  int32_t arm = 0;     // that answered: index into a table of arms
  bool by_policy = false;
  bool ended = false;  // the answer came to its own end, on that arm, with at least a token
  float score = 0;     // NaN: none
  int32_t tokens = 0;
  float seconds = 0;
  int64_t bytes = 0;
};

struct ReplayedRequests {
  std::vector<std::string> intents;
  std::vector<ReplayArm> arms;
  std::vector<ReplayedRequest> requests;
};

// `to` [requests]: the arm that the other policy gives; that which answered where no policy
// decides. Fills in all but what the caller knows of single requests.
void DescribeChange(const ReplayedRequests& log, const std::vector<int32_t>& to,
                    PolicyReplay& replay);

std::map<ReplayArm, ArmUse> CountUse(const ReplayedRequests& log);

}  // namespace aio

#endif  // AIO_DECISIONS_REPLAY_CHANGE_H_
