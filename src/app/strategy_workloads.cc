#include "app/strategy_workloads.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "app/beside_program.h"

namespace aio {

namespace {

using Json = nlohmann::json;

constexpr int64_t kMaxTokensMax = 1 << 20;

Result<std::string> GetText(const Json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_string() || it->get_ref<const std::string&>().empty()) {
    return InvalidArgument(fmt::format("field '{}' must be a string that is not empty", key));
  }
  return it->get<std::string>();
}

Result<int> GetMaxTokens(const Json& object) {
  const auto it = object.find("max_tokens");
  if (it == object.end() || !it->is_number_integer() || *it < 1 || *it > kMaxTokensMax) {
    return InvalidArgument(
        fmt::format("field 'max_tokens' must be an integer from 1 to {}", kMaxTokensMax));
  }
  return it->get<int>();
}

Status ParseLine(std::string_view line, std::vector<StrategyWorkload>& workloads) {
  const Json object = Json::parse(line, /*callback=*/nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return InvalidArgument("not a JSON object");
  AIO_ASSIGN_OR_RETURN(const std::string name, GetText(object, "workload"));
  WorkloadPrompt prompt;
  AIO_ASSIGN_OR_RETURN(prompt.prompt, GetText(object, "prompt"));
  AIO_ASSIGN_OR_RETURN(prompt.max_tokens, GetMaxTokens(object));
  auto workload = std::find_if(workloads.begin(), workloads.end(),
                               [&](const StrategyWorkload& w) { return w.name == name; });
  if (workload == workloads.end()) workload = workloads.insert(workload, {name, {}});
  workload->prompts.push_back(std::move(prompt));
  return Status::Ok();
}

}  // namespace

Result<std::vector<StrategyWorkload>> ReadStrategyWorkloads(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return NotFound(path + ": cannot be opened");
  std::ostringstream text;
  // What reading throws, as for a directory, becomes a flag here; so does an empty file.
  if (!(text << in.rdbuf())) {
    return InvalidArgument(path + ": is empty or cannot be read; is it a file of JSON lines?");
  }
  return ParseStrategyWorkloads(text.str(), path);
}

Result<std::vector<StrategyWorkload>> ParseStrategyWorkloads(std::string_view text,
                                                             const std::string& source) {
  std::vector<StrategyWorkload> workloads;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Status status = ParseLine(line, workloads);
    if (!status.ok()) {
      return std::move(status).WithContext(fmt::format("{}: line {}", source, number));
    }
  }
  if (workloads.empty()) return InvalidArgument(source + ": holds no workload");
  return workloads;
}

Result<std::vector<StrategyWorkload>> ChooseWorkloads(std::vector<StrategyWorkload> workloads,
                                                      const std::vector<std::string>& names) {
  std::vector<std::string> known;
  known.reserve(workloads.size());
  for (const StrategyWorkload& workload : workloads) known.push_back(workload.name);
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return InvalidArgument(
        fmt::format("--workload {}: there is no such; there are {}", name, fmt::join(known, ", ")));
  }
  if (!names.empty()) {
    std::erase_if(workloads, [&](const StrategyWorkload& workload) {
      return std::find(names.begin(), names.end(), workload.name) == names.end();
    });
  }
  return workloads;
}

Result<std::string> FindDefaultWorkloads() {
  if (auto path = FindBesideProgram("models/pocket-workloads.jsonl")) return *std::move(path);
  return NotFound(
      "no workloads: models/pocket-workloads.jsonl is not in the program's folder or above it; "
      "name a file with --workloads FILE");
}

}  // namespace aio
