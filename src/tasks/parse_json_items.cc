// HumanEval (Chen et al. 2021), MBPP (Austin et al. 2021) and GSM8K (Cobbe et al. 2021).
#include <fmt/format.h>

#include "tasks/json_rows.h"
#include "tasks/numbers.h"
#include "tasks/parse_items.h"

namespace aio {

namespace {

Result<TaskItem> HumanEvalItem(const JsonRow& row) {
  TaskItem item;
  item.line = row.line();
  AIO_ASSIGN_OR_RETURN(item.id, row.Text("task_id"));
  AIO_ASSIGN_OR_RETURN(item.question, row.Text("prompt"));
  AIO_ASSIGN_OR_RETURN(item.solution, row.Text("canonical_solution"));
  AIO_ASSIGN_OR_RETURN(item.code.entry_point, row.Text("entry_point"));
  AIO_ASSIGN_OR_RETURN(item.code.test, row.Text("test"));
  item.code.stub = item.question;
  return item;
}

Result<TaskItem> MbppItem(const JsonRow& row) {
  TaskItem item;
  item.line = row.line();
  AIO_ASSIGN_OR_RETURN(const int64_t id, row.Integer("task_id"));
  item.id = fmt::format("mbpp/{}", id);
  AIO_ASSIGN_OR_RETURN(item.question, row.Text("text"));
  AIO_ASSIGN_OR_RETURN(item.solution, row.Text("code"));
  AIO_ASSIGN_OR_RETURN(item.code.setup, row.OptionalText("test_setup_code"));
  AIO_ASSIGN_OR_RETURN(item.shown, row.Texts("test_list", 1));
  for (const std::string& test : item.shown) item.code.test += test + "\n";
  return item;
}

Result<TaskItem> Gsm8kItem(const JsonRow& row) {
  TaskItem item;
  item.line = row.line();
  item.id = fmt::format("gsm8k/{}", row.line());
  AIO_ASSIGN_OR_RETURN(item.question, row.Text("question"));
  AIO_ASSIGN_OR_RETURN(item.solution, row.Text("answer"));
  const size_t mark = item.solution.rfind("####");
  const std::optional<std::string> number =
      mark == std::string::npos ? std::nullopt : LastNumber(item.solution.substr(mark));
  if (!number) return row.Fault("answer", "a text that ends in '#### ' and a number");
  item.answers = {*number};
  return item;
}

template <typename ToItem>
Result<TaskItems> ParseRows(std::string_view text, const std::string& source,
                            const ToItem& to_item) {
  AIO_ASSIGN_OR_RETURN(const std::vector<JsonRow> rows, ParseJsonRows(text, source));
  TaskItems items;
  items.reserve(rows.size());
  for (const JsonRow& row : rows) {
    AIO_ASSIGN_OR_RETURN(TaskItem item, to_item(row));
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace

Result<TaskItems> ParseHumanEvalItems(std::string_view text, const std::string& source) {
  return ParseRows(text, source, HumanEvalItem);
}

Result<TaskItems> ParseMbppItems(std::string_view text, const std::string& source, int first,
                                 int last) {
  AIO_ASSIGN_OR_RETURN(const std::vector<JsonRow> rows, ParseJsonRows(text, source));
  TaskItems items;
  for (const JsonRow& row : rows) {
    AIO_ASSIGN_OR_RETURN(const int64_t id, row.Integer("task_id"));
    if (id < first || id > last) continue;
    AIO_ASSIGN_OR_RETURN(TaskItem item, MbppItem(row));
    items.push_back(std::move(item));
  }
  return items;
}

Result<TaskItems> ParseGsm8kItems(std::string_view text, const std::string& source) {
  return ParseRows(text, source, Gsm8kItem);
}

}  // namespace aio
