#include "eval/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aio {

namespace {

class CsvReader {
 public:
  CsvReader(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  Result<std::vector<CsvRow>> Read() {
    std::vector<CsvRow> rows;
    while (position_ < text_.size()) {
      CsvRow row{.line = line_, .fields = {}};
      AIO_RETURN_IF_ERROR(ReadRow(row));
      const bool blank = row.fields.size() == 1 && row.fields.front().empty();
      if (!blank) rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  bool AtLineEnd() const {
    const std::string_view rest = text_.substr(position_);
    return rest.empty() || rest.front() == '\n' || rest.substr(0, 2) == "\r\n";
  }

  void SkipLineEnd() {
    if (position_ < text_.size() && text_[position_] == '\r') ++position_;
    if (position_ < text_.size() && text_[position_] == '\n') ++position_;
    ++line_;
  }

  Status ReadRow(CsvRow& row) {
    for (;;) {
      std::string field;
      AIO_RETURN_IF_ERROR(ReadField(field));
      row.fields.push_back(std::move(field));
      if (AtLineEnd()) break;
      ++position_;  // the comma
    }
    SkipLineEnd();
    return Status::Ok();
  }

  // Stops at a comma or the end of a line.
  Status ReadField(std::string& field) {
    if (position_ < text_.size() && text_[position_] == '"') return ReadQuoted(field);
    while (!AtLineEnd() && text_[position_] != ',') field += text_[position_++];
    return Status::Ok();
  }

  Status ReadQuoted(std::string& field) {
    const int begin = line_;
    for (++position_; position_ < text_.size(); ++position_) {
      const char c = text_[position_];
      if (c == '\n') ++line_;
      if (c != '"') {
        field += c;
        continue;
      }
      const bool doubled = position_ + 1 < text_.size() && text_[position_ + 1] == '"';
      ++position_;
      if (doubled) {
        field += '"';
        continue;
      }
      if (AtLineEnd() || text_[position_] == ',') return Status::Ok();
      return InvalidArgument(
          fmt::format("{}: line {}: text after a closing quote; double quotes within a quoted "
                      "field",
                      source_, line_));
    }
    return InvalidArgument(
        fmt::format("{}: line {}: a quoted field that begins here does not end", source_, begin));
  }

  std::string_view text_;
  const std::string& source_;
  size_t position_ = 0;
  int line_ = 1;
};

}  // namespace

Result<std::vector<CsvRow>> ParseCsv(std::string_view text, const std::string& source) {
  return CsvReader(text, source).Read();
}

Result<std::vector<size_t>> FindColumns(const CsvRow& header,
                                        std::span<const std::string_view> names,
                                        const std::string& source) {
  std::vector<size_t> columns;
  columns.reserve(names.size());
  for (const std::string_view name : names) {
    const auto it = std::find(header.fields.begin(), header.fields.end(), name);
    if (it == header.fields.end()) {
      return InvalidArgument(
          fmt::format("{}: line {}: the header has no column '{}'", source, header.line, name));
    }
    columns.push_back(static_cast<size_t>(it - header.fields.begin()));
  }
  return columns;
}

Status CheckColumns(const CsvRow& row, size_t wanted, const std::string& source) {
  if (row.fields.size() >= wanted) return Status::Ok();
  return InvalidArgument(fmt::format("{}: line {}: {} columns, at least {} are needed", source,
                                     row.line, row.fields.size(), wanted));
}

}  // namespace aio
