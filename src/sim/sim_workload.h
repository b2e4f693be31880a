// What is asked of a simulated system.
#ifndef AIO_SIM_SIM_WORKLOAD_H_
#define AIO_SIM_SIM_WORKLOAD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backend/request.h"
#include "base/clock.h"

namespace aio {

// One request as it is known beforehand.
struct SimRequest {
  Duration arrival{};
  int prompt_tokens = 1;
  int answer_tokens = 1;
  int intent = -1;  // what it is about, truly: of SimWorkload::labels; -1: not known
  std::vector<float> label_logits = {};  // what the probe's look gives; [labels]
  // At the prompt's end, that the probe does not read: what a template puts before the answer.
  int unprobed_tokens = 0;
  // Of TraceRequest::blocks: requests that begin with equal ones share that much of their prompts.
  std::vector<int64_t> blocks = {};
  int block_tokens = 1;  // of a block
};

struct SimWorkload {
  std::string source;  // for people: "Poisson, 20 requests/s, seed 1"
  std::vector<std::string> labels;
  std::vector<SimRequest> requests;  // in order of arrival
  // Logits are as a probe scored, before a policy's [calibration]; else they come true as they are.
  bool has_raw_logits = false;
  int64_t shortened = 0;  // requests that were longer than the models' context, and were cut to it
  std::optional<double> entropy_threshold = {};  // Request::entropy_threshold, of all

  Duration length() const { return requests.empty() ? Duration{} : requests.back().arrival; }
};

// As it comes to the router. Its id says which one it is, and so how long its prompt is, of which
// it has but a token. It has no max_tokens: how long an answer will be, nobody knows.
Request RequestOf(const SimWorkload& workload, size_t index);
// Tokens that mean nothing, and are equal where blocks are.
std::vector<int32_t> PromptOf(const SimWorkload& workload, size_t index);
size_t IndexOf(const SimWorkload& workload, const Request& request);

}  // namespace aio

#endif  // AIO_SIM_SIM_WORKLOAD_H_
