#include "tasks/arm_table_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "eval/arm_table.h"

namespace aio {

namespace {

using Figures = std::map<std::string, std::vector<double>>;  // by task or label

std::string Quoted(const std::string& name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

// `{ "humaneval" = 67.68, "code" = 67.68 }`
std::string InlineTable(const Figures& figures) {
  std::string text;
  for (const auto& [name, values] : figures) {
    double sum = 0;
    for (const double value : values) sum += value;
    text += fmt::format("{}{} = {:.6g}", text.empty() ? "" : ", ", Quoted(name),
                        sum / static_cast<double>(values.size()));
  }
  return fmt::format("{{ {} }}", text);
}

struct ArmFigures {
  Figures accuracy;
  Figures accuracy_long;
  Figures speed;
  double bytes = 0;
  double tokens = 0;
};

using ArmTasks = std::map<std::string, ArmTask>;

bool IsLong(const EvalFigure& figure, const ArmTasks& tasks) {
  const auto task = tasks.find(figure.task);
  return figure.context > 0 || (task != tasks.end() && task->second.context > 0);
}

// "pocket-qa@3200" is "pocket-qa" in long prompts.
std::string NameAlone(const std::string& task, const ArmTasks& tasks) {
  const auto it = tasks.find(task);
  if (it == tasks.end() || it->second.context == 0) return task;
  return task.substr(0, task.rfind('@'));
}

ArmFigures Collect(const std::vector<EvalFigure>& figures, const std::string& configuration,
                   const ArmTasks& tasks) {
  ArmFigures arm;
  for (const EvalFigure& figure : figures) {
    if (figure.configuration != configuration) continue;
    const auto task = tasks.find(figure.task);
    const std::string name = NameAlone(figure.task, tasks);
    const auto add = [&](Figures& to, double value) {
      to[name].push_back(value);
      if (task != tasks.end() && task->second.intent != name) {
        to[task->second.intent].push_back(value);
      }
    };
    const bool is_long = IsLong(figure, tasks);
    add(is_long ? arm.accuracy_long : arm.accuracy, 100 * figure.accuracy);
    if (is_long) continue;
    if (figure.tokens_per_second > 0) add(arm.speed, figure.tokens_per_second);
    arm.bytes += figure.bytes_per_token * static_cast<double>(figure.completion_tokens);
    arm.tokens += static_cast<double>(figure.completion_tokens);
  }
  return arm;
}

// Lengths matter by their ratios: halfway between what was measured alone and what was not.
std::optional<int> LongTokens(const std::vector<EvalFigure>& figures, const ArmTasks& tasks) {
  double alone = 1;
  double in_context = 0;
  for (const EvalFigure& figure : figures) {
    if (figure.prompt_tokens <= 0) continue;  // nothing was answered
    if (!IsLong(figure, tasks)) {
      alone = std::max(alone, figure.prompt_tokens);
    } else if (in_context == 0 || figure.prompt_tokens < in_context) {
      in_context = figure.prompt_tokens;
    }
  }
  if (in_context <= 0) return std::nullopt;
  return std::max(1, static_cast<int>(std::sqrt(alone * in_context)));
}

std::string ArmText(const FixedArm& name, const ArmFigures& arm) {
  std::string text = "\n[[arm]]\n";
  text += fmt::format("role = \"{}\"\nstrategy = \"{}\"\n", name.role, name.strategy_name);
  if (!name.weights.empty()) text += fmt::format("weights = \"{}\"\n", name.weights);
  text += fmt::format("accuracy = {}\n", InlineTable(arm.accuracy));
  if (!arm.accuracy_long.empty()) {
    text += fmt::format("accuracy_long = {}\n", InlineTable(arm.accuracy_long));
  }
  text += fmt::format("tokens_per_second_by = {}\n", InlineTable(arm.speed));
  if (arm.bytes > 0) text += fmt::format("bytes_per_token = {:.6g}\n", arm.bytes / arm.tokens);
  return text;
}

}  // namespace

Result<std::string> ArmTableText(const std::vector<EvalFigure>& figures,
                                 const std::vector<EvalConfiguration>& configurations,
                                 const std::map<std::string, ArmTask>& tasks,
                                 const std::string& comment) {
  std::string text;
  for (std::string_view rest = comment; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    text += fmt::format("# {}\n", rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  text += "version = 1\n";
  if (const auto tokens = LongTokens(figures, tasks)) {
    text += fmt::format("long_tokens = {}\n", *tokens);
  }
  for (const EvalConfiguration& configuration : configurations) {
    if (!configuration.arm) continue;
    const ArmFigures arm = Collect(figures, configuration.name, tasks);
    if (arm.accuracy.empty() || arm.speed.empty()) {
      return InvalidArgument(fmt::format(
          "the arm table: '{}' has no figure of items alone; add --context 0", configuration.name));
    }
    text += ArmText(*configuration.arm, arm);
  }
  // What was written must be read again; it also says if a role is missing.
  const Result<ArmTable> table = ParseArmTable(text, "the arm table");
  if (!table.ok()) return table.status();
  return text;
}

}  // namespace aio
