// MMLU (Hendrycks et al. 2021), C-Eval (Huang et al. 2023) and GPQA (Rein et al. 2023).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/sha256.h"
#include "base/utf8.h"
#include "eval/csv.h"
#include "tasks/parse_items.h"

namespace aio {

namespace {

// Of question, A, B, C, D.
TaskItem ItemOf(const CsvRow& row, const std::vector<size_t>& columns, const std::string& subject) {
  TaskItem item;
  item.line = row.line;
  item.subject = subject;
  item.id = fmt::format("{}/{}", subject, row.line);
  item.question = ReplaceInvalidUtf8(row.fields[columns[0]]);
  item.choices.reserve(columns.size() - 1);
  for (size_t i = 1; i < columns.size(); ++i) {
    item.choices.push_back(ReplaceInvalidUtf8(row.fields[columns[i]]));
  }
  return item;
}

// GPQA's fields end in line ends, which would show where one of them was typed.
void Trim(std::string& text) {
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  text.erase(0, std::min(text.find_first_not_of(" \t\r\n"), text.size()));
}

Status SetLetter(const CsvRow& row, size_t column, const std::string& source, TaskItem& item) {
  const std::string& letter = row.fields[column];
  const bool known = letter.size() == 1 && letter[0] >= 'A' &&
                     letter[0] < 'A' + static_cast<int>(item.choices.size());
  if (!known) {
    return InvalidArgument(
        fmt::format("{}: line {}: the answer (column {}) is '{}'; it must be A, B, C or D", source,
                    row.line, column + 1, ReplaceInvalidUtf8(letter).substr(0, 40)));
  }
  item.solution = letter;
  item.answers = {letter};
  return Status::Ok();
}

// The file's rows and where the named columns stand in them; the header's row is left out.
struct NamedRows {
  std::vector<CsvRow> rows;
  std::vector<size_t> columns;
};

Result<NamedRows> ReadWithHeader(std::string_view text, const std::string& source,
                                 std::span<const std::string_view> names) {
  NamedRows read;
  AIO_ASSIGN_OR_RETURN(read.rows, ParseCsv(text, source));
  if (read.rows.empty()) return InvalidArgument(source + ": is empty; a header was expected");
  AIO_ASSIGN_OR_RETURN(read.columns, FindColumns(read.rows.front(), names, source));
  read.rows.erase(read.rows.begin());
  const size_t wanted = *std::max_element(read.columns.begin(), read.columns.end()) + 1;
  for (const CsvRow& row : read.rows) AIO_RETURN_IF_ERROR(CheckColumns(row, wanted, source));
  return read;
}

}  // namespace

Result<TaskItems> ParseMmluItems(std::string_view text, const std::string& source,
                                 const std::string& subject) {
  AIO_ASSIGN_OR_RETURN(const std::vector<CsvRow> rows, ParseCsv(text, source));
  TaskItems items;
  items.reserve(rows.size());
  for (const CsvRow& row : rows) {
    AIO_RETURN_IF_ERROR(CheckColumns(row, 6, source));
    items.push_back(ItemOf(row, {0, 1, 2, 3, 4}, subject));
    AIO_RETURN_IF_ERROR(SetLetter(row, 5, source, items.back()));
  }
  return items;
}

Result<TaskItems> ParseCevalItems(std::string_view text, const std::string& source,
                                  const std::string& subject) {
  constexpr std::array<std::string_view, 6> kNames = {"question", "A", "B", "C", "D", "answer"};
  AIO_ASSIGN_OR_RETURN(NamedRows read, ReadWithHeader(text, source, kNames));
  const size_t answer = read.columns.back();
  read.columns.pop_back();
  TaskItems items;
  items.reserve(read.rows.size());
  for (const CsvRow& row : read.rows) {
    items.push_back(ItemOf(row, read.columns, subject));
    AIO_RETURN_IF_ERROR(SetLetter(row, answer, source, items.back()));
  }
  return items;
}

Result<TaskItems> ParseGpqaItems(std::string_view text, const std::string& source, uint64_t seed) {
  constexpr std::array<std::string_view, 5> kNames = {"Question", "Correct Answer",
                                                      "Incorrect Answer 1", "Incorrect Answer 2",
                                                      "Incorrect Answer 3"};
  AIO_ASSIGN_OR_RETURN(const NamedRows read, ReadWithHeader(text, source, kNames));
  TaskItems items;
  items.reserve(read.rows.size());
  for (const CsvRow& row : read.rows) {
    TaskItem item = ItemOf(row, read.columns, "gpqa");
    Trim(item.question);
    for (std::string& choice : item.choices) Trim(choice);
    const std::string right = item.choices.front();
    if (std::count(item.choices.begin(), item.choices.end(), right) > 1) {
      return InvalidArgument(
          fmt::format("{}: line {}: field 'Correct Answer' stands among the incorrect ones too",
                      source, row.line));
    }
    std::vector<std::pair<uint64_t, std::string>> order;
    order.reserve(item.choices.size());
    for (const std::string& choice : item.choices) {
      order.emplace_back(Sha256Uint64(fmt::format("{}\n{}\n{}", seed, item.question, choice)),
                         choice);
    }
    std::sort(order.begin(), order.end());
    for (size_t i = 0; i < order.size(); ++i) {
      item.choices[i] = order[i].second;
      if (order[i].second == right) item.solution = ChoiceLetter(i);
    }
    item.answers = {item.solution};
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace aio
