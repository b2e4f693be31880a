// Workloads mixed of several kinds of prompts, in given shares: the scenarios of the paper and
// mixes of one's own.
#ifndef AIO_TRAFFIC_MIX_H_
#define AIO_TRAFFIC_MIX_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "traffic/workload_items.h"

namespace aio {

// Which prompts a part of a mix takes, and how many.
struct MixPart {
  std::string kind;  // an intent ("code") or a task ("pocket-code")
  // Of WorkloadItem::context: kShort takes 0, kLong the longest that the kind has, other values
  // exactly these.
  static constexpr int kShort = 0;
  static constexpr int kLong = -1;
  int context = kShort;
  double share = 0;  // of the requests; > 0

  bool Takes(const WorkloadItem& item) const;
};

struct Mix {
  std::string name;            // "A", or how it was written
  std::vector<MixPart> parts;  // shares sum to 1
};

// The paper's mixed workloads: A is code-centric (70 % code, 20 % knowledge, 10 % mathematics), B
// knowledge-centric (30, 40, 30), C half long code and half knowledge.
const std::vector<Mix>& Scenarios();
// By its letter, of either case; kInvalidArgument with those that there are.
Result<Mix> FindScenario(std::string_view name);

// "code=0.5,qa@long=0.3,pocket-math@2000=0.2": kinds, perhaps with a context after an '@', and
// their shares, which are divided by their sum.
Result<Mix> ParseMix(std::string_view text);

// `requests` indices into `items` in random order, as many of each part as its share says (the
// largest remainders get what rounding leaves). No prompt of a part comes again before all of it
// have come. kInvalidArgument if a part finds no prompt. The same seed draws the same.
Result<std::vector<size_t>> DrawMix(const Mix& mix, const std::vector<WorkloadItem>& items,
                                    int64_t requests, uint64_t seed);

}  // namespace aio

#endif  // AIO_TRAFFIC_MIX_H_
