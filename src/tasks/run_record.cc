#include "tasks/run_record.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>

namespace aio {

namespace {

using Json = nlohmann::ordered_json;

// Every field but `entropy`, in the order in which a row has them.
template <typename Record, typename Visit>
void ForEachField(Record& record, const Visit& visit) {
  visit("key", record.key);
  visit("task", record.task);
  visit("item", record.item);
  visit("configuration", record.configuration);
  visit("sample", record.sample);
  visit("context", record.context);
  visit("depth", record.depth);
  visit("shots", record.shots);
  visit("prompt_style", record.prompt_style);
  visit("prompt_hash", record.prompt_hash);
  visit("seed", record.seed);
  visit("temperature", record.temperature);
  visit("model", record.model);
  visit("role", record.role);
  visit("weights", record.weights);
  visit("strategy", record.strategy);
  visit("rule", record.rule);
  visit("reason", record.reason);
  visit("intent", record.intent);
  visit("output", record.output);
  visit("finish", record.finish);
  visit("prompt_tokens", record.prompt_tokens);
  visit("cached_prompt_tokens", record.cached_prompt_tokens);
  visit("completion_tokens", record.completion_tokens);
  visit("draft_tokens", record.draft_tokens);
  visit("draft_accepted_tokens", record.draft_accepted_tokens);
  visit("ttft_ms", record.ttft_ms);
  visit("total_ms", record.total_ms);
  visit("probe_ms", record.probe_ms);
  visit("prompt_ms", record.prompt_ms);
  visit("predicted_ms", record.predicted_ms);
  visit("weight_bytes", record.weight_bytes);
  visit("kv_bytes", record.kv_bytes);
  visit("static_large_bytes", record.static_large_bytes);
  visit("right", record.right);
  visit("graded_by", record.graded_by);
  visit("answer", record.answer);
  visit("why", record.why);
}

bool Read(const Json& value, std::string& field) {
  if (!value.is_string()) return false;
  field = value.get<std::string>();
  return true;
}

bool Read(const Json& value, bool& field) {
  if (!value.is_boolean()) return false;
  field = value.get<bool>();
  return true;
}

bool Read(const Json& value, double& field) {
  if (!value.is_number()) return false;
  field = value.get<double>();
  return std::isfinite(field);
}

template <typename Integer>
bool Read(const Json& value, Integer& field) {
  if (!value.is_number_integer()) return false;
  field = value.get<Integer>();
  return std::is_signed_v<Integer>
             ? value.get<int64_t>() == static_cast<int64_t>(field) && field >= 0
             : value.is_number_unsigned();
}

}  // namespace

std::string RunRecordToJson(const RunRecord& record) {
  Json row = Json::object();
  ForEachField(record, [&](const char* name, const auto& value) { row[name] = value; });
  row["entropy"] = record.entropy ? Json(*record.entropy) : Json();
  return row.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

Result<RunRecord> RunRecordFromJson(std::string_view line) {
  const Json row = Json::parse(line, /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (!row.is_object()) return InvalidArgument("not a JSON object");
  RunRecord record;
  std::string fault;
  ForEachField(record, [&](const char* name, auto& value) {
    const auto it = row.find(name);
    if (fault.empty() && (it == row.end() || !Read(*it, value))) fault = name;
  });
  if (const auto it = row.find("entropy"); it != row.end() && !it->is_null()) {
    double entropy = 0;
    if (Read(*it, entropy)) {
      record.entropy = entropy;
    } else if (fault.empty()) {
      fault = "entropy";
    }
  }
  if (!fault.empty()) return InvalidArgument(fmt::format("field '{}' is missing or wrong", fault));
  return record;
}

}  // namespace aio
