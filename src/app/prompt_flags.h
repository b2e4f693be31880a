// Command-line options that become a Request: shared by `generate`, `chat` and `route`.
#ifndef AIO_APP_PROMPT_FLAGS_H_
#define AIO_APP_PROMPT_FLAGS_H_

#include <optional>
#include <string>
#include <vector>

#include "backend/request.h"
#include "base/status.h"

namespace CLI {
class App;
}

namespace aio {

struct SamplingFlags {
  std::string model = "auto";
  std::string strategy;                // empty: the policy's choice
  int num_speculative_tokens = -1;     // 0: plain; < 0: the strategy's
  std::optional<std::string> weights;  // absent: the policy's choice
  double entropy_threshold = -1;       // < 0: the policy's
  double temperature = 0;
  double top_p = 1;
  int top_k = 0;
  double min_p = 0;
  double repetition_penalty = 1;
  uint64_t seed = 0;
  int max_tokens = 0;  // 0: until the model ends or the context is full
  std::vector<std::string> stop;
  bool ignore_eos = false;

  void AddTo(CLI::App& command);
  // A request without a prompt.
  Result<Request> ToRequest() const;
};

// `text`, or standard input when it is "-".
Result<std::string> ReadPromptArgument(const std::string& text);

}  // namespace aio

#endif  // AIO_APP_PROMPT_FLAGS_H_
