#include "sim/workload.h"

#include <algorithm>
#include <variant>

#include "base/check.h"

namespace aio {

Request RequestOf(const Workload& workload, size_t index) {
  const WorkloadRequest& wanted = workload.requests[index];
  std::vector<int32_t> prompt(static_cast<size_t>(std::max(wanted.prompt_tokens, 1)));
  prompt[0] = static_cast<int32_t>(index);
  Request request;
  request.model = "auto";
  request.prompt = std::move(prompt);
  request.sampling.max_tokens = wanted.answer_tokens;
  return request;
}

const WorkloadRequest& Find(const Workload& workload, const Request& request) {
  const auto& prompt = std::get<std::vector<int32_t>>(request.prompt);
  const auto index = static_cast<size_t>(prompt.at(0));
  AIO_CHECK(index < workload.requests.size());
  return workload.requests[index];
}

}  // namespace aio
