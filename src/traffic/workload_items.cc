#include "traffic/workload_items.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/utf8.h"
#include "eval/data_file.h"
#include "eval/data_sets.h"

namespace aio {
namespace {

using Json = nlohmann::json;

constexpr int64_t kTokensMax = 1 << 24;

Result<std::string> GetText(const Json& object, const char* key) {
  const auto it = object.find(key);
  const bool text = it != object.end() && it->is_string();
  if (!text || it->get_ref<const std::string&>().empty()) {
    return InvalidArgument(fmt::format("field '{}' must be a string that is not empty", key));
  }
  return it->get<std::string>();
}

Result<int> GetTokens(const Json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || it->is_null()) return 0;
  if (!it->is_number_integer() || *it < 0 || *it > kTokensMax) {
    return InvalidArgument(
        fmt::format("field '{}' must be an integer from 0 to {}", key, kTokensMax));
  }
  return it->get<int>();
}

Result<std::string> GetId(const Json& object, int number) {
  const auto it = object.find("id");
  if (it == object.end()) return std::to_string(number);
  if (it->is_string()) return it->get<std::string>();
  if (it->is_number_integer()) return it->dump();
  return InvalidArgument("field 'id' must be a string or an integer");
}

Result<WorkloadItem> ReadLine(std::string_view line, int number) {
  const Json object = Json::parse(line, /*callback=*/nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return InvalidArgument("not a JSON object");
  WorkloadItem item;
  const char* task_key =
      !object.contains("task") && object.contains("workload") ? "workload" : "task";
  AIO_ASSIGN_OR_RETURN(item.task, GetText(object, task_key));
  AIO_ASSIGN_OR_RETURN(item.id, GetId(object, number));
  AIO_ASSIGN_OR_RETURN(item.prompt, GetText(object, "prompt"));
  item.intent = IntentOfTask(item.task);
  if (object.contains("intent")) {
    AIO_ASSIGN_OR_RETURN(item.intent, GetText(object, "intent"));
  }
  AIO_ASSIGN_OR_RETURN(item.context, GetTokens(object, "context"));
  AIO_ASSIGN_OR_RETURN(item.max_tokens, GetTokens(object, "max_tokens"));
  item.line = line;
  item.line_number = number;
  return item;
}

}  // namespace

std::string IntentOfTask(std::string_view task) {
  const size_t dash = task.rfind('-');
  const std::string_view last = dash == std::string_view::npos ? task : task.substr(dash + 1);
  for (const std::string_view intent : {"code", "qa", "math"}) {
    if (last == intent) return std::string(intent);
  }
  for (const DataSetKind& known : KnownDataSets()) {
    if (task == known.task || task == known.name) return std::string(known.intent);
  }
  // What the bundled workloads are called.
  if (task == "arithmetic") return "math";
  if (task == "chat") return "qa";
  return "";
}

Result<std::vector<WorkloadItem>> ReadWorkloadItems(const std::string& path) {
  AIO_ASSIGN_OR_RETURN(const std::string text, ReadDataFile(path));
  return ParseWorkloadItems(text, path);
}

Result<std::vector<WorkloadItem>> ParseWorkloadItems(std::string_view text,
                                                     const std::string& source) {
  std::vector<WorkloadItem> items;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Result<WorkloadItem> item = ReadLine(line, number);
    if (!item.ok()) {
      return item.status().WithContext(fmt::format("{}: line {}", source, number));
    }
    items.push_back(*std::move(item));
  }
  if (items.empty()) return InvalidArgument(source + ": holds no prompt");
  return items;
}

}  // namespace aio
