#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "base/sha256.h"
#include "eval/data_file.h"
#include "tasks/code_text.h"
#include "tasks/json_rows.h"
#include "tasks/load_task.h"
#include "tasks/numbers.h"

namespace aio {

namespace {

Result<AnswerKind> KindOf(const JsonRow& row) {
  if (row.Has("test")) return AnswerKind::kCode;
  if (row.Has("answers")) return AnswerKind::kText;
  if (row.Has("choices")) return AnswerKind::kChoice;
  if (row.Has("answer")) return AnswerKind::kNumber;
  return row.Fault("test", "there, or 'answer', 'answers' or 'choices': what is a right answer?");
}

Status ReadCode(const JsonRow& row, TaskItem& item) {
  AIO_ASSIGN_OR_RETURN(item.code.entry_point, row.Text("entry_point"));
  AIO_ASSIGN_OR_RETURN(item.code.test, row.Text("test"));
  AIO_ASSIGN_OR_RETURN(item.code.setup, row.OptionalText("setup"));
  AIO_ASSIGN_OR_RETURN(item.solution, row.OptionalText("solution"));
  if (!IsIdentifier(item.code.entry_point)) {
    return row.Fault("entry_point", "the name of a Python function");
  }
  AIO_ASSIGN_OR_RETURN(item.code.stub, row.OptionalText("stub"));
  if (item.code.stub.empty()) item.code.stub = StubIn(item.question, item.code.entry_point);
  return Status::Ok();
}

Status ReadNumber(const JsonRow& row, TaskItem& item) {
  AIO_ASSIGN_OR_RETURN(item.solution, row.Text("answer"));
  const std::optional<std::string> number = LastNumber(item.solution);
  if (!number) return row.Fault("answer", "a text with a number, such as \"42\"");
  item.answers = {*number};
  return Status::Ok();
}

Status ReadChoice(const JsonRow& row, TaskItem& item) {
  AIO_ASSIGN_OR_RETURN(item.choices, row.Texts("choices", 2));
  if (item.choices.size() > kChoicesMax) return row.Fault("choices", "at most 26 texts");
  AIO_ASSIGN_OR_RETURN(item.solution, row.Text("answer"));
  for (size_t i = 0; i < item.choices.size(); ++i) {
    if (ChoiceLetter(i) == item.solution) item.answers = {item.solution};
  }
  if (item.answers.empty()) return row.Fault("answer", "the letter of a choice");
  return Status::Ok();
}

Status ReadTexts(const JsonRow& row, TaskItem& item) {
  AIO_ASSIGN_OR_RETURN(item.answers, row.Texts("answers", 1));
  AIO_ASSIGN_OR_RETURN(item.exact, row.OptionalBool("exact", false));
  item.solution = item.answers.front();
  for (const std::string& answer : item.answers) {
    if (answer.find_first_not_of(" \t\r\n") == std::string::npos) {
      return row.Fault("answers", "texts that are not blank");
    }
  }
  return Status::Ok();
}

Result<TaskItem> ReadItem(const JsonRow& row, AnswerKind kind) {
  TaskItem item;
  item.line = row.line();
  AIO_ASSIGN_OR_RETURN(item.id, row.Text("id"));
  AIO_ASSIGN_OR_RETURN(item.question, row.Text("prompt"));
  Status status;
  switch (kind) {
    case AnswerKind::kCode:
      status = ReadCode(row, item);
      break;
    case AnswerKind::kNumber:
      status = ReadNumber(row, item);
      break;
    case AnswerKind::kChoice:
      status = ReadChoice(row, item);
      break;
    case AnswerKind::kText:
      status = ReadTexts(row, item);
      break;
  }
  if (!status.ok()) return status;
  return item;
}

std::string_view IntentOf(AnswerKind kind) {
  if (kind == AnswerKind::kCode) return "code";
  return kind == AnswerKind::kNumber ? "math" : "qa";
}

// Tokens of the prompt that an item stands in already; 0: it is alone.
Result<int> ContextOf(const JsonRow& row) {
  if (!row.Has("context")) return 0;
  AIO_ASSIGN_OR_RETURN(const int64_t context, row.Integer("context"));
  if (context < 0 || context > std::numeric_limits<int>::max()) {
    return row.Fault("context", "a number of tokens, or 0 for an item alone");
  }
  return static_cast<int>(context);
}

// Tasks as their rows come.
class SuiteReader {
 public:
  Status Add(const JsonRow& row) {
    AIO_ASSIGN_OR_RETURN(std::string name, row.Text("task"));
    AIO_ASSIGN_OR_RETURN(const int context, ContextOf(row));
    if (context > 0) name += fmt::format("@{}", context);  // a task of its own
    AIO_ASSIGN_OR_RETURN(const AnswerKind kind, KindOf(row));
    AIO_ASSIGN_OR_RETURN(std::string intent, row.OptionalText("intent"));
    if (intent.empty()) intent = IntentOf(kind);
    Task& task = TaskNamed(name, kind, intent);
    task.context = context;
    if (task.kind != kind || task.intent != intent) {
      return row.Fault("task", fmt::format("of one kind and intent; '{}' began as {}, {}", name,
                                           AnswerKindName(task.kind), task.intent));
    }
    AIO_ASSIGN_OR_RETURN(TaskItem item, ReadItem(row, kind));
    if (!ids_.emplace(name, item.id).second) {
      return row.Fault("id", fmt::format("another than '{}', which is taken", item.id));
    }
    task.items.push_back(std::move(item));
    return Status::Ok();
  }

  std::vector<Task> Take() { return std::move(tasks_); }

 private:
  Task& TaskNamed(const std::string& name, AnswerKind kind, const std::string& intent) {
    const auto it = std::find_if(tasks_.begin(), tasks_.end(),
                                 [&](const Task& task) { return task.name == name; });
    if (it != tasks_.end()) return *it;
    Task& task = tasks_.emplace_back();
    task.name = name;
    task.kind = kind;
    task.intent = intent;
    return task;
  }

  std::vector<Task> tasks_;
  std::set<std::pair<std::string, std::string>> ids_;
};

}  // namespace

Result<std::vector<Task>> ParseSuite(std::string_view text, const std::string& source) {
  AIO_ASSIGN_OR_RETURN(const std::vector<JsonRow> rows, ParseJsonRows(text, source));
  if (rows.empty()) return InvalidArgument(source + ": holds no item");
  SuiteReader reader;
  for (const JsonRow& row : rows) AIO_RETURN_IF_ERROR(reader.Add(row));
  return reader.Take();
}

Result<std::vector<Task>> LoadSuite(const std::string& path) {
  AIO_ASSIGN_OR_RETURN(const std::string text, ReadDataFile(path));
  AIO_ASSIGN_OR_RETURN(std::vector<Task> tasks, ParseSuite(text, path));
  for (Task& task : tasks) {
    task.paths = {path};
    task.sha256 = Sha256Hex(text);
  }
  return tasks;
}

}  // namespace aio
