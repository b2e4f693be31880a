// What GET /metrics tells, in the names that users of vLLM's and llama.cpp's servers know,
// under the prefix aio_.
#ifndef AIO_SERVER_METRICS_H_
#define AIO_SERVER_METRICS_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "backend/events.h"
#include "base/clock.h"
#include "server/metric_reading.h"

namespace aio {

// Thread-safe. Labels come from route tables, model lists and policies, never from a client,
// so that their number stays bounded.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  // One request ended; `code` is its HTTP status, 499 if the client left or read too slowly.
  void CountRequest(std::string_view endpoint, int code);
  // One request was routed.
  void CountDecision(const Decision& decision);
  void ObserveFirstToken(const std::string& model, Duration since_arrival);
  // `decode` spans from the first token to the last.
  void ObserveAnswer(const StartEvent& start, const FinishEvent& finish, Duration since_arrival,
                     Duration decode);

  // Prometheus text format; `load` and `others` were read at this moment.
  std::string Text(const std::vector<ModelLoad>& load,
                   const std::vector<MetricReading>& others = {}) const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace aio

#endif  // AIO_SERVER_METRICS_H_
