// The columns of a log's rows and their values, the same in every database. Internal to decisions/.
#ifndef AIO_DECISIONS_LOG_VALUES_H_
#define AIO_DECISIONS_LOG_VALUES_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "decisions/log_item.h"
#include "decisions/redactor.h"

namespace aio {

using LogValue = std::variant<std::monostate, int64_t, double, std::string>;  // the first: NULL

struct LogColumn {
  enum class Type { kText, kInteger, kReal };
  const char* name;
  Type type;
};

// What is known when it is decided.
inline constexpr LogColumn kDecisionColumns[] = {{"request_id", LogColumn::Type::kText},
                                                 {"unix_seconds", LogColumn::Type::kInteger},
                                                 {"prompt_hash", LogColumn::Type::kText},
                                                 {"prompt", LogColumn::Type::kText},
                                                 {"small_model", LogColumn::Type::kText},
                                                 {"large_model", LogColumn::Type::kText},
                                                 {"small_fingerprint", LogColumn::Type::kText},
                                                 {"large_fingerprint", LogColumn::Type::kText},
                                                 {"policy_hash", LogColumn::Type::kText},
                                                 {"signals", LogColumn::Type::kText},
                                                 {"intent", LogColumn::Type::kText},
                                                 {"probabilities", LogColumn::Type::kText},
                                                 {"entropy", LogColumn::Type::kReal},
                                                 {"prompt_tokens", LogColumn::Type::kInteger},
                                                 {"model", LogColumn::Type::kText},
                                                 {"role", LogColumn::Type::kText},
                                                 {"weights", LogColumn::Type::kText},
                                                 {"strategy", LogColumn::Type::kText},
                                                 {"strategy_json", LogColumn::Type::kText},
                                                 {"rule", LogColumn::Type::kText},
                                                 {"reason", LogColumn::Type::kText}};
std::vector<LogValue> DecisionValues(const DecisionRecord& record, const Redactor& redactor);

// What is known when it has ended. The prompt's tokens are the greater of these and the decision's.
inline constexpr LogColumn kEndColumns[] = {{"finish", LogColumn::Type::kText},
                                            {"error", LogColumn::Type::kText},
                                            {"answered_by", LogColumn::Type::kText},
                                            {"prompt_tokens", LogColumn::Type::kInteger},
                                            {"completion_tokens", LogColumn::Type::kInteger},
                                            {"cached_prompt_tokens", LogColumn::Type::kInteger},
                                            {"draft_tokens", LogColumn::Type::kInteger},
                                            {"draft_accepted_tokens", LogColumn::Type::kInteger},
                                            {"queue_ms", LogColumn::Type::kReal},
                                            {"probe_ms", LogColumn::Type::kReal},
                                            {"prompt_ms", LogColumn::Type::kReal},
                                            {"predicted_ms", LogColumn::Type::kReal},
                                            {"weight_bytes", LogColumn::Type::kInteger},
                                            {"kv_bytes", LogColumn::Type::kInteger},
                                            {"static_large_bytes", LogColumn::Type::kInteger}};
std::vector<LogValue> EndValues(const RequestOutcome& outcome);

// The comment as it may be kept.
LogValue CommentValue(const Feedback& feedback, const Redactor& redactor);

// What feedback on an id that no row has is answered.
Status UnknownRequest(const Feedback& feedback);

}  // namespace aio

#endif  // AIO_DECISIONS_LOG_VALUES_H_
