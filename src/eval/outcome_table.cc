#include "eval/outcome_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "eval/csv.h"

namespace aio {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::string_view kPrompt = "prompt";

struct OutcomeRow {
  std::string where;  // "file: line 17"
  OutcomeQuery query;
};

struct OutcomeRows {
  OutcomeColumns columns;  // as they were found
  std::vector<OutcomeRow> rows;
};

std::optional<double> ParseOutcome(std::string_view text) {
  if (text == "True" || text == "true") return 1;
  if (text == "False" || text == "false") return 0;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!(value >= 0 && value <= 1)) return std::nullopt;
  return value;
}

Status NoOutcome(const std::string& where, std::string_view column, std::string_view text) {
  return InvalidArgument(
      fmt::format("{}: {}: '{}' is no outcome; give true, false or a number from "
                  "0 to 1",
                  where, column, text.substr(0, 40)));
}

// --- CSV -------------------------------------------------------------------------------

Result<size_t> FindColumn(const CsvRow& header, std::string_view name, const std::string& source) {
  const auto found = std::find(header.fields.begin(), header.fields.end(), name);
  if (found != header.fields.end()) return static_cast<size_t>(found - header.fields.begin());
  return InvalidArgument(fmt::format("{}: line {}: no column '{}'; there are {}", source,
                                     header.line, name, fmt::join(header.fields, ", ")));
}

Result<OutcomeColumns> NameColumns(const CsvRow& header, OutcomeColumns columns,
                                   const std::string& source) {
  for (std::string* name : {&columns.small, &columns.large}) {
    if (!name->empty()) continue;
    const auto other =
        std::find_if(header.fields.begin(), header.fields.end(), [&](const std::string& field) {
          return field != kPrompt && field != columns.small && field != columns.large;
        });
    if (other == header.fields.end()) {
      return InvalidArgument(
          fmt::format("{}: line {}: has no columns for a small and a large "
                      "model beside 'prompt'",
                      source, header.line));
    }
    *name = *other;
  }
  return columns;
}

Result<OutcomeRows> ParseCsvOutcomes(std::string_view text, const std::string& source,
                                     const OutcomeColumns& wanted) {
  AIO_ASSIGN_OR_RETURN(const std::vector<CsvRow> csv, ParseCsv(text, source));
  if (csv.empty()) return InvalidArgument(fmt::format("{}: is empty", source));
  OutcomeRows out;
  AIO_ASSIGN_OR_RETURN(out.columns, NameColumns(csv.front(), wanted, source));
  AIO_ASSIGN_OR_RETURN(const size_t prompt, FindColumn(csv.front(), kPrompt, source));
  AIO_ASSIGN_OR_RETURN(const size_t small, FindColumn(csv.front(), out.columns.small, source));
  AIO_ASSIGN_OR_RETURN(const size_t large, FindColumn(csv.front(), out.columns.large, source));
  for (size_t i = 1; i < csv.size(); ++i) {
    const std::vector<std::string>& fields = csv[i].fields;
    OutcomeRow row;
    row.where = fmt::format("{}: line {}", source, csv[i].line);
    if (fields.size() != csv.front().fields.size()) {
      return InvalidArgument(fmt::format("{}: has {} fields, the header {}", row.where,
                                         fields.size(), csv.front().fields.size()));
    }
    const auto first = ParseOutcome(fields[small]), second = ParseOutcome(fields[large]);
    if (!first) return NoOutcome(row.where, out.columns.small, fields[small]);
    if (!second) return NoOutcome(row.where, out.columns.large, fields[large]);
    row.query = {.prompt = fields[prompt], .small = *first, .large = *second};
    out.rows.push_back(std::move(row));
  }
  return out;
}

// --- JSON lines ------------------------------------------------------------------------

Result<double> ReadOutcome(const Json& object, const std::string& name, const std::string& where) {
  const auto found = object.find(name);
  if (found == object.end()) {
    return InvalidArgument(fmt::format("{}: no member '{}'", where, name));
  }
  std::optional<double> outcome;
  if (found->is_boolean()) outcome = found->get<bool>() ? 1 : 0;
  if (found->is_number()) outcome = found->get<double>();
  if (outcome && *outcome >= 0 && *outcome <= 1) return *outcome;
  return NoOutcome(where, name, found->dump(-1, ' ', false, Json::error_handler_t::replace));
}

Result<OutcomeRows> ParseJsonOutcomes(std::string_view text, const std::string& source,
                                      const OutcomeColumns& wanted) {
  OutcomeRows out;
  out.columns = {.small = wanted.small.empty() ? "small" : wanted.small,
                 .large = wanted.large.empty() ? "large" : wanted.large};
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    OutcomeRow row;
    row.where = fmt::format("{}: line {}", source, number);
    const Json object = Json::parse(line, /*callback=*/nullptr, /*allow_exceptions=*/false);
    if (!object.is_object()) return InvalidArgument(row.where + ": not a JSON object");
    const auto prompt = object.find(kPrompt);
    if (prompt == object.end() || !prompt->is_string()) {
      return InvalidArgument(row.where + ": member 'prompt' must be a string");
    }
    row.query.prompt = prompt->get<std::string>();
    AIO_ASSIGN_OR_RETURN(row.query.small, ReadOutcome(object, out.columns.small, row.where));
    AIO_ASSIGN_OR_RETURN(row.query.large, ReadOutcome(object, out.columns.large, row.where));
    out.rows.push_back(std::move(row));
  }
  return out;
}

// --- files -----------------------------------------------------------------------------

Result<OutcomeRows> ParseRows(std::string_view text, const std::string& source,
                              const OutcomeColumns& columns) {
  return source.ends_with(".csv") ? ParseCsvOutcomes(text, source, columns)
                                  : ParseJsonOutcomes(text, source, columns);
}

Result<std::string> ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  // What reading throws, as for a directory, becomes a flag here; so does an empty file.
  if (!in || !(text << in.rdbuf())) {
    return NotFound(path + ": is not there, is empty, or cannot be read");
  }
  return std::move(text).str();
}

Result<std::vector<std::string>> FilesAt(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return std::vector<std::string>{path};
  std::vector<std::string> files;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string extension = entry->path().extension().string();
    if (extension == ".csv" || extension == ".jsonl") files.push_back(entry->path().string());
  }
  if (files.empty()) {
    return NotFound(fmt::format("{}: holds no .csv or .jsonl file", path));
  }
  std::sort(files.begin(), files.end());
  return files;
}

void Skip(const OutcomeRow& row, std::string_view why, OutcomeTable& table) {
  constexpr size_t kShownMax = 20;
  if (table.skipped.size() < kShownMax)
    table.skipped.push_back(fmt::format("{}: {}", row.where, why));
}

// Keeps the first of equal rows, and none of those that contradict each other.
OutcomeTable ToTable(OutcomeRows rows) {
  OutcomeTable table;
  table.small = rows.columns.small;
  table.large = rows.columns.large;
  table.rows = static_cast<int64_t>(rows.rows.size());
  struct Seen {
    size_t first;
    bool contradicted = false;
  };
  std::unordered_map<std::string_view, Seen> seen;
  for (size_t i = 0; i < rows.rows.size(); ++i) {
    const auto [found, is_new] = seen.emplace(rows.rows[i].query.prompt, Seen{.first = i});
    if (is_new) continue;
    const OutcomeQuery& first = rows.rows[found->second.first].query;
    const OutcomeQuery& again = rows.rows[i].query;
    if (first.small != again.small || first.large != again.large) found->second.contradicted = true;
  }
  for (size_t i = 0; i < rows.rows.size(); ++i) {
    const OutcomeRow& row = rows.rows[i];
    const Seen& of = seen.at(row.query.prompt);
    if (of.contradicted) {
      ++table.contradictions;
      Skip(row, fmt::format("contradicts {}", rows.rows[of.first].where), table);
    } else if (of.first != i) {
      ++table.duplicates;
      Skip(row, fmt::format("repeats {}", rows.rows[of.first].where), table);
    } else {
      table.queries.push_back(row.query);
    }
  }
  return table;
}

}  // namespace

Result<OutcomeTable> ParseOutcomeTable(std::string_view text, const std::string& source,
                                       const OutcomeColumns& columns) {
  AIO_ASSIGN_OR_RETURN(OutcomeRows rows, ParseRows(text, source, columns));
  OutcomeTable table = ToTable(std::move(rows));
  if (table.queries.empty()) return InvalidArgument(source + ": holds no query to be used");
  return table;
}

Result<OutcomeTable> ReadOutcomeTable(const std::string& path, const OutcomeColumns& columns) {
  AIO_ASSIGN_OR_RETURN(const std::vector<std::string> files, FilesAt(path));
  OutcomeRows all;
  for (const std::string& file : files) {
    AIO_ASSIGN_OR_RETURN(const std::string text, ReadFile(file));
    AIO_ASSIGN_OR_RETURN(OutcomeRows rows, ParseRows(text, file, columns));
    const bool first = all.columns.small.empty();
    if (!first &&
        (rows.columns.small != all.columns.small || rows.columns.large != all.columns.large)) {
      return InvalidArgument(fmt::format(
          "{}: is of {} and {}, the files before of {} and {}; name the columns to be read", file,
          rows.columns.small, rows.columns.large, all.columns.small, all.columns.large));
    }
    all.columns = rows.columns;
    for (OutcomeRow& row : rows.rows) all.rows.push_back(std::move(row));
  }
  OutcomeTable table = ToTable(std::move(all));
  if (table.queries.empty()) return InvalidArgument(path + ": holds no query to be used");
  return table;
}

}  // namespace aio
