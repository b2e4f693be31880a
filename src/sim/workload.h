// What is asked of a simulated system.
#ifndef AIO_SIM_WORKLOAD_H_
#define AIO_SIM_WORKLOAD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "backend/request.h"
#include "base/clock.h"

namespace aio {

// One request as it is known beforehand. A prompt of a Request refers to it by its first token, its
// place in a Workload; what else is in the prompt means nothing.
struct WorkloadRequest {
  Duration arrival{};
  int prompt_tokens = 1;
  int answer_tokens = 1;
  std::string intent = {};               // what it is about, truly
  std::vector<float> label_logits = {};  // what the probe's look gives; [labels]
};

struct Workload {
  std::vector<std::string> labels;
  std::vector<WorkloadRequest> requests;  // in order of arrival
};

// As it comes to the router.
Request RequestOf(const Workload& workload, size_t index);
// Which one it was.
const WorkloadRequest& Find(const Workload& workload, const Request& request);

}  // namespace aio

#endif  // AIO_SIM_WORKLOAD_H_
