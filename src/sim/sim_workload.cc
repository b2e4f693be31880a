#include "sim/sim_workload.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"

namespace aio {

// A token for each place of the prompt, so that prompts are equal as far as their blocks are.
std::vector<int32_t> PromptOf(const SimWorkload& workload, size_t index) {
  const SimRequest& wanted = workload.requests[index];
  const auto tokens = static_cast<size_t>(std::max(wanted.prompt_tokens, 1));
  // Those without blocks are told apart by tokens that no block has: blocks' are not negative.
  std::vector<int32_t> prompt(tokens, ~static_cast<int32_t>(index & 0x7fffffff));
  const auto block_tokens = static_cast<size_t>(std::max(wanted.block_tokens, 1));
  for (size_t i = 0; i < tokens; ++i) {
    const size_t block = i / block_tokens;
    if (block >= wanted.blocks.size()) break;
    prompt[i] = static_cast<int32_t>(wanted.blocks[block] & 0x7fffffff);
  }
  return prompt;
}

Request RequestOf(const SimWorkload& workload, size_t index) {
  const SimRequest& wanted = workload.requests[index];
  Request request;
  request.id = std::to_string(index);
  request.model = "auto";
  request.prompt = std::vector<int32_t>{0};
  if (wanted.intent >= 0) request.intent = workload.labels[static_cast<size_t>(wanted.intent)];
  request.entropy_threshold = workload.entropy_threshold;
  return request;
}

size_t IndexOf(const SimWorkload& workload, const Request& request) {
  size_t index = 0;
  const std::string& id = request.id;
  std::from_chars(id.data(), id.data() + id.size(), index);
  AIO_CHECK(index < workload.requests.size());
  return index;
}

}  // namespace aio
