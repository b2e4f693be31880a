// What one configuration made of one item, once: a row of the records file.
#ifndef AIO_TASKS_RUN_RECORD_H_
#define AIO_TASKS_RUN_RECORD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace aio {

struct RunRecord {
  std::string key;  // equal ones are the same work: it is not done again

  std::string task;
  std::string item;           // its id
  std::string configuration;  // "large+prompt_lookup"
  int sample = 0;             // of several answers to the same prompt
  int context = 0;            // tokens of a long variant; 0: the item alone
  double depth = 0;           // of a long variant, 0..1
  int shots = 0;
  std::string prompt_style;  // PromptStyleName()
  std::string prompt_hash;   // PromptHash()
  uint64_t seed = 0;         // of the sampling
  double temperature = 0;

  std::string model;     // that answered
  std::string role;      // "small" or "large"
  std::string weights;   // "" or kW8A16
  std::string strategy;  // by kind
  std::string rule;      // of the policy; "override" for a configuration that names its model
  std::string reason;
  std::string intent;                  // as the probe has it; empty: not probed
  std::optional<double> entropy = {};  // nats; absent: not probed

  std::string output;
  std::string finish;  // "stop", "length"; empty: refused
  int prompt_tokens = 0;
  int cached_prompt_tokens = 0;
  int completion_tokens = 0;
  int draft_tokens = 0;
  int draft_accepted_tokens = 0;

  double ttft_ms = 0;   // from asking to the first text, as the asker sees it
  double total_ms = 0;  // to the end
  double probe_ms = 0;
  double prompt_ms = 0;
  double predicted_ms = 0;  // first token to last
  int64_t weight_bytes = 0;
  int64_t kv_bytes = 0;
  int64_t static_large_bytes = 0;  // see Traffic

  bool right = false;
  std::string graded_by;  // "tests", "number", "letter", "likelihood", "text"
  std::string answer;     // what was taken from the output
  std::string why;
};

// One line of JSON, without its end. Text that is no UTF-8 is mended.
std::string RunRecordToJson(const RunRecord& record);
// kInvalidArgument naming the field.
Result<RunRecord> RunRecordFromJson(std::string_view line);

}  // namespace aio

#endif  // AIO_TASKS_RUN_RECORD_H_
