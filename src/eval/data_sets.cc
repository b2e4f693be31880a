#include "eval/data_sets.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "base/sha256.h"
#include "base/utf8.h"
#include "eval/csv.h"
#include "eval/data_file.h"

namespace aio {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Queries = std::vector<LabelledQuery>;

// How the files of a kind are found and read.
struct DataSetFiles {
  std::string_view kind;
  std::string_view folder;
  std::vector<std::string_view> names;  // the first that is there; empty: all *.csv
  Result<Queries> (*parse)(std::string_view text, const std::string& source);
};

// --- JSON lines ------------------------------------------------------------------------

// The rows of JSON lines that `to_prompt` gives a prompt for; a row it gives "" for is left out.
template <typename ToPrompt>
Result<Queries> ParseJsonLines(std::string_view text, const std::string& source,
                               const ToPrompt& to_prompt) {
  Queries queries;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const Json row = Json::parse(line, /*callback=*/nullptr, /*allow_exceptions=*/false);
    Result<std::string> prompt = to_prompt(row);
    if (!prompt.ok()) {
      return prompt.status().WithContext(fmt::format("{}: line {}", source, number));
    }
    if (prompt->empty()) continue;
    LabelledQuery query;
    query.line = number;
    query.messages.push_back({"user", *std::move(prompt)});
    queries.push_back(std::move(query));
  }
  return queries;
}

Result<std::string> TextOf(const Json& row, const char* key) {
  if (!row.is_object()) return InvalidArgument("not a JSON object");
  const auto it = row.find(key);
  if (it == row.end() || !it->is_string() || it->get_ref<const std::string&>().empty()) {
    return InvalidArgument(fmt::format("field '{}' must be a string that is not empty", key));
  }
  return it->get<std::string>();
}

Result<Queries> ParseHumanEval(std::string_view text, const std::string& source) {
  return ParseJsonLines(text, source, [](const Json& row) { return TextOf(row, "prompt"); });
}

Result<Queries> ParseGsm8k(std::string_view text, const std::string& source) {
  return ParseJsonLines(text, source, [](const Json& row) { return TextOf(row, "question"); });
}

// The task ids of MBPP's own split (Austin et al. 2021): 11-510 test, 601-974 train.
Result<Queries> ParseMbpp(std::string_view text, const std::string& source, int first, int last) {
  return ParseJsonLines(text, source, [&](const Json& row) -> Result<std::string> {
    AIO_ASSIGN_OR_RETURN(std::string prompt, TextOf(row, "text"));
    const auto id = row.find("task_id");
    if (id == row.end() || !id->is_number_integer()) {
      return InvalidArgument("field 'task_id' must be an integer");
    }
    const auto number = id->get<int64_t>();
    return number < first || number > last ? std::string() : prompt;
  });
}

Result<Queries> ParseMbppTrain(std::string_view text, const std::string& source) {
  return ParseMbpp(text, source, 601, 974);
}

Result<Queries> ParseMbppTest(std::string_view text, const std::string& source) {
  return ParseMbpp(text, source, 11, 510);
}

// --- CSV -------------------------------------------------------------------------------

// A question as it is usually put: the four choices on lines of their own.
std::string WithChoices(const std::string& question, const std::array<std::string, 4>& choices) {
  return fmt::format("{}\nA. {}\nB. {}\nC. {}\nD. {}", question, choices[0], choices[1], choices[2],
                     choices[3]);
}

LabelledQuery ChoiceQuery(const CsvRow& row, const std::vector<size_t>& columns,
                          bool sort_choices) {
  std::array<std::string, 4> choices;
  for (size_t i = 0; i < choices.size(); ++i) choices[i] = row.fields[columns[i + 1]];
  if (sort_choices) std::sort(choices.begin(), choices.end());
  LabelledQuery query;
  query.line = row.line;
  query.messages.push_back(
      {"user", ReplaceInvalidUtf8(WithChoices(row.fields[columns[0]], choices))});
  return query;
}

// Columns by position, with no header: question, A, B, C, D, answer.
Result<Queries> ParseMmlu(std::string_view text, const std::string& source) {
  AIO_ASSIGN_OR_RETURN(const std::vector<CsvRow> rows, ParseCsv(text, source));
  Queries queries;
  for (const CsvRow& row : rows) {
    AIO_RETURN_IF_ERROR(CheckColumns(row, 6, source));
    queries.push_back(ChoiceQuery(row, {0, 1, 2, 3, 4}, /*sort_choices=*/false));
  }
  return queries;
}

// Columns by the names in the header; an array of their positions.
Result<Queries> ParseWithHeader(std::string_view text, const std::string& source,
                                const std::array<std::string_view, 5>& names, bool sort_choices) {
  AIO_ASSIGN_OR_RETURN(const std::vector<CsvRow> rows, ParseCsv(text, source));
  if (rows.empty()) return InvalidArgument(source + ": is empty; a header was expected");
  AIO_ASSIGN_OR_RETURN(const std::vector<size_t> columns, FindColumns(rows.front(), names, source));
  const size_t wanted = *std::max_element(columns.begin(), columns.end()) + 1;
  Queries queries;
  for (size_t i = 1; i < rows.size(); ++i) {
    AIO_RETURN_IF_ERROR(CheckColumns(rows[i], wanted, source));
    queries.push_back(ChoiceQuery(rows[i], columns, sort_choices));
  }
  return queries;
}

Result<Queries> ParseCeval(std::string_view text, const std::string& source) {
  return ParseWithHeader(text, source, {"question", "A", "B", "C", "D"}, /*sort_choices=*/false);
}

// GPQA lists the right answer first; sorted choices do not give it away.
Result<Queries> ParseGpqa(std::string_view text, const std::string& source) {
  return ParseWithHeader(text, source,
                         {"Question", "Correct Answer", "Incorrect Answer 1", "Incorrect Answer 2",
                          "Incorrect Answer 3"},
                         /*sort_choices=*/true);
}

// --- files -----------------------------------------------------------------------------

const std::vector<DataSetFiles>& KnownFiles() {
  static const std::vector<DataSetFiles> files = {
      {"humaneval", "humaneval", {"HumanEval.jsonl.gz", "HumanEval.jsonl"}, ParseHumanEval},
      {"mbpp-train", "mbpp", {"mbpp.jsonl"}, ParseMbppTrain},
      {"mbpp-test", "mbpp", {"mbpp.jsonl"}, ParseMbppTest},
      {"gsm8k-train", "gsm8k", {"train.jsonl"}, ParseGsm8k},
      {"gsm8k-test", "gsm8k", {"test.jsonl"}, ParseGsm8k},
      {"mmlu-dev", "mmlu/dev", {}, ParseMmlu},
      {"mmlu-test", "mmlu/test", {}, ParseMmlu},
      {"ceval-dev", "ceval/dev", {}, ParseCeval},
      {"ceval-val", "ceval/val", {}, ParseCeval},
      {"gpqa", "gpqa", {}, ParseGpqa},
  };
  return files;
}

const DataSetFiles& FilesOf(std::string_view kind) {
  const auto it = std::find_if(KnownFiles().begin(), KnownFiles().end(),
                               [&](const DataSetFiles& files) { return files.kind == kind; });
  AIO_CHECK(it != KnownFiles().end());
  return *it;
}

std::vector<std::string> PathsOf(const DataSetFiles& files, const std::string& root) {
  const fs::path folder = fs::path(root) / files.folder;
  std::vector<std::string> paths;
  std::error_code error;
  paths.reserve(files.names.size());
  for (const std::string_view name : files.names) {
    const fs::path path = folder / name;
    if (fs::is_regular_file(path, error)) return {path.string()};
  }
  if (!files.names.empty()) return paths;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".csv") paths.push_back(it->path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string HashOfFiles(const std::vector<std::string>& hashes) {
  return hashes.size() == 1 ? hashes.front()
                            : Sha256Hex(fmt::format("{}", fmt::join(hashes, "\n")));
}

}  // namespace

std::string_view DataSideName(DataSide side) {
  switch (side) {
    case DataSide::kNone:
      return "own";
    case DataSide::kTrain:
      return "train";
    case DataSide::kTest:
      return "test";
  }
  return "";
}

const std::vector<DataSetKind>& KnownDataSets() {
  static const std::vector<DataSetKind> kinds = {
      {"mbpp-train", "mbpp", "code", DataSide::kTrain},
      {"gsm8k-train", "gsm8k", "math", DataSide::kTrain},
      {"mmlu-dev", "mmlu", "qa", DataSide::kTrain},
      {"ceval-dev", "ceval", "qa", DataSide::kTrain},
      {"humaneval", "humaneval", "code", DataSide::kTest},
      {"mbpp-test", "mbpp", "code", DataSide::kTest},
      {"gsm8k-test", "gsm8k", "math", DataSide::kTest},
      {"mmlu-test", "mmlu", "qa", DataSide::kTest},
      {"ceval-val", "ceval", "qa", DataSide::kTest},
      {"gpqa", "gpqa", "qa", DataSide::kTest},
  };
  return kinds;
}

const DataSetKind* FindDataSet(std::string_view name) {
  for (const DataSetKind& kind : KnownDataSets()) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

std::vector<std::string> DataSetsBelow(const std::string& root) {
  std::vector<std::string> names;
  for (const DataSetKind& kind : KnownDataSets()) {
    if (!PathsOf(FilesOf(kind.name), root).empty()) names.emplace_back(kind.name);
  }
  return names;
}

Result<std::vector<LabelledQuery>> ParseDataFile(const DataSetKind& kind, std::string_view text,
                                                 const std::string& source) {
  return FilesOf(kind.name).parse(text, source);
}

Result<std::vector<std::string>> FindDataFiles(const DataSetKind& kind, const std::string& root) {
  const DataSetFiles& files = FilesOf(kind.name);
  std::vector<std::string> paths = PathsOf(files, root);
  if (!paths.empty()) return paths;
  const std::string wanted = files.names.empty() ? "*.csv" : std::string(files.names.front());
  return NotFound(fmt::format("{}: no {}/{} in it, which {} is read from", root, files.folder,
                              wanted, kind.name));
}

Result<DataSet> ReadDataSet(const DataSetKind& kind, const std::string& root) {
  const DataSetFiles& files = FilesOf(kind.name);
  DataSet set;
  set.name = kind.name;
  set.task = kind.task;
  set.side = kind.side;
  AIO_ASSIGN_OR_RETURN(set.paths, FindDataFiles(kind, root));
  std::vector<std::string> hashes;
  for (size_t i = 0; i < set.paths.size(); ++i) {
    AIO_ASSIGN_OR_RETURN(const std::string text, ReadDataFile(set.paths[i]));
    hashes.push_back(Sha256Hex(text));
    AIO_ASSIGN_OR_RETURN(Queries queries, files.parse(text, set.paths[i]));
    for (LabelledQuery& query : queries) {
      query.intent = kind.intent;
      query.file = static_cast<int>(i);
      set.queries.push_back(std::move(query));
    }
  }
  set.sha256 = HashOfFiles(hashes);
  if (set.queries.empty()) return InvalidArgument(set.paths.front() + ": holds no query");
  return set;
}

Result<DataSet> ReadQueryFile(const std::string& path) {
  AIO_ASSIGN_OR_RETURN(const std::string text, ReadDataFile(path));
  DataSet set;
  set.name = fs::path(path).filename().string();
  set.paths = {path};
  set.sha256 = Sha256Hex(text);
  AIO_ASSIGN_OR_RETURN(set.queries, ParseReadableQueries(text, path, set.unreadable));
  return set;
}

}  // namespace aio
