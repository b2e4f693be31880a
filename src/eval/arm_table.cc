#include "eval/arm_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/sha256.h"
#include "base/toml_table.h"
#include "eval/data_file.h"
#include "router/routing_policy.h"

namespace aio {

namespace {

using Json = nlohmann::json;

constexpr double kSpeedMax = 1e9;
constexpr double kBytesMax = 1e15;
constexpr size_t kArmsMax = 64;
constexpr std::string_view kPaperTable = "table3_accuracy_pct_and_tps";

// --- TOML ------------------------------------------------------------------------------

FiguresByTask ReadFigures(TomlTable& arm, const char* key, double max) {
  FiguresByTask figures;
  for (auto& [name, figure] :
       arm.NamedNumbers(key, 0, max).value_or(std::vector<std::pair<std::string, double>>{})) {
    figures.emplace(std::move(name), figure);
  }
  return figures;
}

Arm ReadArm(TomlTable& table) {
  Arm arm;
  table.Require("role");
  arm.role = table.String("role").value_or("");
  if (arm.role != kSmallRole && arm.role != kLargeRole) {
    table.Fail("role", fmt::format("no role '{}'; there are 'small' and 'large'", arm.role));
  }
  table.Require("strategy");
  arm.strategy_name = table.String("strategy").value_or("plain");
  if (const std::optional<Strategy> strategy = StrategyFromName(arm.strategy_name)) {
    arm.strategy = *strategy;
  } else {
    table.Fail("strategy",
               fmt::format("no strategy '{}'; there are {}", arm.strategy_name, StrategyNames()));
  }
  arm.weights = table.String("weights").value_or("");
  if (!arm.weights.empty() && arm.weights != kW8A16) {
    table.Fail("weights", fmt::format("no weights '{}'; there is '{}', and without the key the "
                                      "role's own",
                                      arm.weights, kW8A16));
  }
  table.Require("accuracy");
  arm.accuracy = ReadFigures(table, "accuracy", 100);
  arm.accuracy_long = ReadFigures(table, "accuracy_long", 100);
  arm.tokens_per_second = ReadFigures(table, "tokens_per_second_by", kSpeedMax);
  if (const auto speed = table.Number("tokens_per_second", 0, kSpeedMax)) {
    arm.tokens_per_second.emplace("", *speed);
  }
  arm.bytes_per_token = table.Number("bytes_per_token", 0, kBytesMax);
  return arm;
}

Result<ArmTable> ParseToml(std::string_view text, const std::string& source) {
  AIO_ASSIGN_OR_RETURN(TomlTable root, TomlTable::Parse(text, source));
  ArmTable table;
  root.Require("version");
  root.Int("version", 1, 1);
  table.long_tokens = root.Int("long_tokens", 1, 1 << 30).value_or(table.long_tokens);
  for (TomlTable& arm : root.Tables("arm")) table.arms.push_back(ReadArm(arm));
  AIO_RETURN_IF_ERROR(root.Finish());
  return table;
}

// --- JSON ------------------------------------------------------------------------------

bool IsFigure(const Json& value, double max) {
  if (!value.is_number()) return false;
  const auto number = value.get<double>();
  return std::isfinite(number) && number >= 0 && number <= max;
}

Status ReadFigures(const Json& arm, const char* key, FiguresByTask& figures) {
  const auto it = arm.find(key);
  if (it == arm.end()) return Status::Ok();
  if (!it->is_object()) return InvalidArgument(fmt::format("'{}' must be an object", key));
  for (const auto& [name, value] : it->items()) {
    if (!IsFigure(value, kSpeedMax)) {
      return InvalidArgument(fmt::format("'{}': '{}' must be a number from 0", key, name));
    }
    figures[name] = value.get<double>();
  }
  return Status::Ok();
}

Result<std::string> OptionalText(const Json& arm, const char* key, const char* fallback) {
  const auto it = arm.find(key);
  if (it == arm.end()) return std::string(fallback);
  if (!it->is_string()) return InvalidArgument(fmt::format("'{}' must be a string", key));
  return it->get<std::string>();
}

Result<Arm> ReadArm(const Json& object) {
  if (!object.is_object()) return InvalidArgument("must be an object");
  Arm arm;
  AIO_ASSIGN_OR_RETURN(arm.role, OptionalText(object, "role", ""));
  AIO_ASSIGN_OR_RETURN(arm.strategy_name, OptionalText(object, "strategy", "plain"));
  AIO_ASSIGN_OR_RETURN(arm.weights, OptionalText(object, "weights", ""));
  if (arm.role != kSmallRole && arm.role != kLargeRole) {
    return InvalidArgument(fmt::format("no role '{}'; there are 'small' and 'large'", arm.role));
  }
  const std::optional<Strategy> strategy = StrategyFromName(arm.strategy_name);
  if (!strategy) {
    return InvalidArgument(
        fmt::format("no strategy '{}'; there are {}", arm.strategy_name, StrategyNames()));
  }
  arm.strategy = *strategy;
  if (!arm.weights.empty() && arm.weights != kW8A16) {
    return InvalidArgument(fmt::format("no weights '{}'; there is '{}'", arm.weights, kW8A16));
  }
  AIO_RETURN_IF_ERROR(ReadFigures(object, "accuracy", arm.accuracy));
  AIO_RETURN_IF_ERROR(ReadFigures(object, "accuracy_long", arm.accuracy_long));
  AIO_RETURN_IF_ERROR(ReadFigures(object, "tokens_per_second_by", arm.tokens_per_second));
  if (object.contains("tokens_per_second")) {
    if (!IsFigure(object["tokens_per_second"], kSpeedMax)) {
      return InvalidArgument("'tokens_per_second' must be a number from 0");
    }
    arm.tokens_per_second[""] = object["tokens_per_second"].get<double>();
  }
  if (object.contains("bytes_per_token")) {
    if (!IsFigure(object["bytes_per_token"], kBytesMax)) {
      return InvalidArgument("'bytes_per_token' must be a number from 0");
    }
    arm.bytes_per_token = object["bytes_per_token"].get<double>();
  }
  return arm;
}

Status ReadRow(const Json& columns, const Json& row, Arm& arm) {
  for (const auto& [key, figures] :
       {std::pair{"acc", &arm.accuracy}, std::pair{"tps", &arm.tokens_per_second}}) {
    const auto it = row.find(key);
    if (it == row.end() || !it->is_array() || it->size() != columns.size()) {
      return InvalidArgument(
          fmt::format("'{}' must be an array of {} numbers, one a column", key, columns.size()));
    }
    for (size_t i = 0; i < columns.size(); ++i) {
      if (!columns[i].is_string() || !IsFigure((*it)[i], kSpeedMax)) {
        return InvalidArgument(fmt::format("'{}': element {} will not do", key, i));
      }
      (*figures)[columns[i].get<std::string>()] = (*it)[i].get<double>();
    }
  }
  return Status::Ok();
}

// Code at 32K tokens, which the paper's table 1 has for HumanEval; absent: not said.
void ReadLongContext(const Json& root, const char* model, Arm& arm) {
  const auto table = root.find("table1_humaneval_accuracy_by_context");
  if (table == root.end() || !table->is_object() || !table->contains(model)) return;
  const Json& row = (*table)[model];
  if (!row.is_object() || !row.contains("32K") || !IsFigure(row["32K"], 100)) return;
  arm.accuracy_long["humaneval"] = row["32K"].get<double>();
}

Result<ArmTable> ParsePaperTable(const Json& root) {
  struct PaperRow {
    const char* key;
    const char* model;
    std::string_view role;
    const char* strategy;
    std::string_view weights;
  };
  constexpr std::array<PaperRow, 6> kRows = {{
      {"1b_baseline", "1B", kSmallRole, "plain", ""},
      {"1b_pld", "1B", kSmallRole, "prompt_lookup_paper", ""},
      {"1b_quant", "1B", kSmallRole, "plain", kW8A16},
      {"7b_baseline", "7B", kLargeRole, "plain", ""},
      {"7b_pld", "7B", kLargeRole, "prompt_lookup_paper", ""},
      {"7b_quant", "7B", kLargeRole, "plain", kW8A16},
  }};
  const Json& object = root[std::string(kPaperTable)];
  if (!object.is_object() || !object.contains("columns") || !object["columns"].is_array()) {
    return InvalidArgument(fmt::format("'{}' must be an object with 'columns'", kPaperTable));
  }
  ArmTable table;
  for (const PaperRow& row : kRows) {
    if (!object.contains(row.key)) continue;
    Arm arm;
    arm.role = row.role;
    arm.strategy_name = row.strategy;
    arm.strategy = StrategyFromName(row.strategy).value_or(Strategy{});
    arm.weights = row.weights;
    if (const Status status = ReadRow(object["columns"], object[row.key], arm); !status.ok()) {
      return Status(status).WithContext(fmt::format("{}.{}", kPaperTable, row.key));
    }
    ReadLongContext(root, row.model, arm);
    table.arms.push_back(std::move(arm));
  }
  return table;
}

Result<ArmTable> ParseJson(std::string_view text) {
  const Json root = Json::parse(text, /*callback=*/nullptr, /*allow_exceptions=*/false);
  if (!root.is_object()) return InvalidArgument("not a JSON object");
  if (root.contains(kPaperTable)) return ParsePaperTable(root);
  if (!root.contains("arms") || !root["arms"].is_array()) {
    return InvalidArgument(
        fmt::format("must have an array 'arms', or be a paper's tables with '{}'", kPaperTable));
  }
  ArmTable table;
  if (const auto it = root.find("long_tokens"); it != root.end()) {
    if (!it->is_number_integer() || *it < 1 || *it > 1 << 30) {
      return InvalidArgument("'long_tokens' must be a number of tokens from 1");
    }
    table.long_tokens = it->get<int>();
  }
  for (const Json& object : root["arms"]) {
    Result<Arm> arm = ReadArm(object);
    if (!arm.ok()) return arm.status().WithContext(fmt::format("arm {}", table.arms.size() + 1));
    table.arms.push_back(*std::move(arm));
  }
  return table;
}

// --- both ------------------------------------------------------------------------------

Status CheckArm(const Arm& arm) {
  if (arm.accuracy.empty()) return InvalidArgument("gives no accuracy");
  if (arm.role == kSmallRole && arm.strategy.kind == StrategyKind::kDraftModel) {
    return InvalidArgument("the small model is the one that drafts; remove the arm");
  }
  for (const FiguresByTask* figures : {&arm.accuracy, &arm.accuracy_long}) {
    for (const auto& [name, percent] : *figures) {
      if (percent > 100) return InvalidArgument(fmt::format("accuracy '{}' is over 100 %", name));
    }
  }
  if (arm.tokens_per_second.empty()) {
    return InvalidArgument("gives no tokens_per_second (one number) or tokens_per_second_by");
  }
  for (const auto& [name, speed] : arm.tokens_per_second) {
    if (!(speed > 0)) return InvalidArgument("its tokens per second must be above 0");
  }
  return Status::Ok();
}

Status CheckTable(const ArmTable& table) {
  if (table.arms.size() > kArmsMax) {
    return InvalidArgument(
        fmt::format("{} arms, at most {} are read", table.arms.size(), kArmsMax));
  }
  for (size_t i = 0; i < table.arms.size(); ++i) {
    const std::string name = table.arms[i].Name();
    if (Status status = CheckArm(table.arms[i]); !status.ok()) {
      return std::move(status).WithContext(fmt::format("arm '{}'", name));
    }
    for (size_t j = 0; j < i; ++j) {
      if (table.arms[j].Name() == name) {
        return InvalidArgument(fmt::format("arm '{}' is there twice", name));
      }
    }
  }
  for (const std::string_view role : {kSmallRole, kLargeRole}) {
    const bool has = std::any_of(table.arms.begin(), table.arms.end(),
                                 [&](const Arm& arm) { return arm.role == role; });
    if (!has) return InvalidArgument(fmt::format("has no arm with role '{}'; add one", role));
  }
  return Status::Ok();
}

}  // namespace

std::string Arm::Name() const {
  return fmt::format("{} {}{}", role, strategy_name, weights.empty() ? "" : " on " + weights);
}

Result<ArmTable> ReadArmTable(const std::string& path) {
  AIO_ASSIGN_OR_RETURN(const std::string text, ReadDataFile(path));
  return ParseArmTable(text, path);
}

Result<ArmTable> ParseArmTable(std::string_view text, const std::string& source) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  const bool json = begin != std::string_view::npos && text[begin] == '{';
  Result<ArmTable> table = json ? ParseJson(text) : ParseToml(text, source);
  if (!table.ok()) return json ? table.status().WithContext(source) : table.status();
  if (Status status = CheckTable(*table); !status.ok()) {
    return std::move(status).WithContext(source);
  }
  table->source = source;
  table->sha256 = Sha256Hex(text);
  return table;
}

void MakeStrategiesExact(ArmTable& table) {
  for (Arm& arm : table.arms) {
    const auto plain = std::find_if(table.arms.begin(), table.arms.end(), [&](const Arm& other) {
      return other.role == arm.role && other.weights == arm.weights &&
             other.strategy.kind == StrategyKind::kPlain;
    });
    if (plain == table.arms.end()) continue;
    arm.accuracy = plain->accuracy;
    arm.accuracy_long = plain->accuracy_long;
  }
}

std::optional<double> FigureFor(const FiguresByTask& figures, std::string_view task,
                                std::string_view label,
                                const std::vector<std::string>& label_tasks) {
  for (const std::string_view name : {task, label}) {
    if (name.empty()) continue;
    if (const auto it = figures.find(name); it != figures.end()) return it->second;
  }
  double sum = 0;
  int count = 0;
  for (const std::string& other : label_tasks) {
    if (const auto it = figures.find(other); it != figures.end()) {
      sum += it->second;
      ++count;
    }
  }
  if (count > 0) return sum / count;
  if (const auto it = figures.find(""); it != figures.end()) return it->second;
  return std::nullopt;
}

}  // namespace aio
