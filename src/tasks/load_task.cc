#include "tasks/load_task.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <utility>

#include "base/sha256.h"
#include "eval/data_file.h"
#include "eval/data_sets.h"
#include "tasks/parse_items.h"

namespace aio {

namespace {

// What reads one file's text.
using Parse = std::function<Result<TaskItems>(std::string_view text, const std::string& path)>;

struct KnownTask {
  std::string_view name;
  PromptKind prompts;
  AnswerKind kind;
  std::string_view items;     // the data set (eval/data_sets.h) they are read from
  std::string_view examples;  // likewise; empty: none
};

constexpr KnownTask kKnownTasks[] = {
    {"humaneval", PromptKind::kHumanEval, AnswerKind::kCode, "humaneval", ""},
    {"mbpp", PromptKind::kMbpp, AnswerKind::kCode, "mbpp-test", "mbpp-test"},
    {"gsm8k", PromptKind::kGsm8k, AnswerKind::kNumber, "gsm8k-test", "gsm8k-train"},
    {"mmlu", PromptKind::kMmlu, AnswerKind::kChoice, "mmlu-test", "mmlu-dev"},
    {"ceval", PromptKind::kCeval, AnswerKind::kChoice, "ceval-val", "ceval-dev"},
    {"gpqa", PromptKind::kGpqa, AnswerKind::kChoice, "gpqa", ""},
};

// "anatomy" of ".../anatomy_test.csv".
std::string SubjectOf(const std::string& path) {
  std::string stem = std::filesystem::path(path).stem().string();
  for (const std::string_view side : {"_test", "_dev", "_val"}) {
    if (stem.ends_with(side)) return stem.substr(0, stem.size() - side.size());
  }
  return stem;
}

Parse ParserOf(PromptKind kind, bool examples, uint64_t seed) {
  switch (kind) {
    case PromptKind::kHumanEval:
      return ParseHumanEvalItems;
    case PromptKind::kMbpp:  // Austin et al. 2021: 11-510 test, 2-4 in prompts
      return [examples](std::string_view text, const std::string& path) {
        return ParseMbppItems(text, path, examples ? 2 : 11, examples ? 4 : 510);
      };
    case PromptKind::kGsm8k:
      return ParseGsm8kItems;
    case PromptKind::kMmlu:
      return [](std::string_view text, const std::string& path) {
        return ParseMmluItems(text, path, SubjectOf(path));
      };
    case PromptKind::kCeval:
      return [](std::string_view text, const std::string& path) {
        return ParseCevalItems(text, path, SubjectOf(path));
      };
    case PromptKind::kGpqa:
      return [seed](std::string_view text, const std::string& path) {
        return ParseGpqaItems(text, path, seed);
      };
    case PromptKind::kSuite:
      break;
  }
  AIO_CHECK(false, "a suite is no known data set");
}

// GPQA comes as subsets of one another (extended, main, diamond); one of them is the task.
std::vector<std::string> FilesToRead(PromptKind kind, std::vector<std::string> paths) {
  if (kind != PromptKind::kGpqa || paths.size() == 1) return paths;
  for (const std::string_view name : {"gpqa_main", "gpqa_diamond"}) {
    for (const std::string& path : paths) {
      if (std::filesystem::path(path).stem() == name) return {path};
    }
  }
  return {paths.front()};
}

Result<TaskItems> ReadItems(const KnownTask& known, bool examples, const std::string& root,
                            uint64_t seed, Task& task, std::vector<std::string>& hashes) {
  const std::string_view name = examples ? known.examples : known.items;
  if (name.empty()) return TaskItems{};
  const DataSetKind* set = FindDataSet(name);
  AIO_CHECK(set != nullptr);
  AIO_ASSIGN_OR_RETURN(std::vector<std::string> paths, FindDataFiles(*set, root));
  TaskItems items;
  const Parse parse = ParserOf(known.prompts, examples, seed);
  for (const std::string& path : FilesToRead(known.prompts, std::move(paths))) {
    AIO_ASSIGN_OR_RETURN(const std::string text, ReadDataFile(path));
    AIO_ASSIGN_OR_RETURN(TaskItems read, parse(text, path));
    hashes.push_back(Sha256Hex(text));
    task.paths.push_back(path);
    std::move(read.begin(), read.end(), std::back_inserter(items));
  }
  return items;
}

}  // namespace

const std::vector<std::string>& KnownTasks() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> known;
    known.reserve(std::size(kKnownTasks));
    for (const KnownTask& task : kKnownTasks) known.emplace_back(task.name);
    return known;
  }();
  return names;
}

Result<Task> LoadTask(std::string_view name, const std::string& root, uint64_t seed) {
  const auto* const known =
      std::find_if(std::begin(kKnownTasks), std::end(kKnownTasks),
                   [&](const KnownTask& candidate) { return candidate.name == name; });
  if (known == std::end(kKnownTasks)) {
    return InvalidArgument(
        fmt::format("no task '{}'; there are {}", name, fmt::join(KnownTasks(), ", ")));
  }
  Task task;
  task.name = known->name;
  task.kind = known->kind;
  task.prompts = known->prompts;
  task.intent = FindDataSet(known->items)->intent;
  std::vector<std::string> hashes;
  AIO_ASSIGN_OR_RETURN(task.items, ReadItems(*known, /*examples=*/false, root, seed, task, hashes));
  if (task.items.empty()) return InvalidArgument(task.paths.front() + ": holds no item");
  Result<TaskItems> examples = ReadItems(*known, /*examples=*/true, root, seed, task, hashes);
  // Only few-shot prompts need them, and say so.
  if (!examples.ok() && examples.status().code() != StatusCode::kNotFound) {
    return examples.status();
  }
  if (examples.ok()) task.examples = *std::move(examples);
  task.sha256 = Sha256Hex(fmt::format("{}", fmt::join(hashes, "\n")));
  return task;
}

}  // namespace aio
