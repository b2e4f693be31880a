#include <algorithm>

#include "paper/report.h"

namespace aio {

namespace {

// Of UTF-8 text, in code points: bytes that continue one are not counted.
size_t Width(const std::string& text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) >> 6) != 2; }));
}

const std::string& Cell(const std::vector<std::string>& row, size_t column) {
  static const std::string empty;
  return column < row.size() ? row[column] : empty;
}

std::vector<size_t> Widths(const ReportTable& table) {
  std::vector<size_t> widths(table.header.size());
  for (size_t i = 0; i < widths.size(); ++i) {
    widths[i] = Width(table.header[i]);
    for (const auto& row : table.rows) widths[i] = std::max(widths[i], Width(Cell(row, i)));
  }
  return widths;
}

std::string Line(const ReportTable& table, const std::vector<std::string>& row,
                 const std::vector<size_t>& widths) {
  std::string line;
  for (size_t i = 0; i < widths.size(); ++i) {
    const std::string& cell = Cell(row, i);
    const std::string padding(widths[i] - Width(cell), ' ');
    if (i > 0) line += "  ";
    line += i < table.left_columns ? cell + padding : padding + cell;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string TableText(const ReportTable& table) {
  const std::vector<size_t> widths = Widths(table);
  std::string text = Line(table, table.header, widths);
  for (const auto& row : table.rows) text += Line(table, row, widths);
  return text;
}

std::string Wrap(const std::string& paragraph, size_t width) {
  std::string text;
  size_t column = 0;
  for (size_t at = 0; at < paragraph.size();) {
    const size_t end = std::min(paragraph.find(' ', at), paragraph.size());
    const std::string word = paragraph.substr(at, end - at);
    at = end + 1;
    if (column > 0 && column + 1 + Width(word) > width) {
      text += "\n";
      column = 0;
    }
    if (column > 0) text += " ";
    column += Width(word) + (column > 0 ? 1 : 0);
    text += word;
  }
  return text + "\n";
}

// What Markdown would read as a column's end or as emphasis.
std::string Escaped(const std::string& text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    if (c == '|' || c == '*' || c == '_' || c == '<') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string MarkdownLine(const std::vector<std::string>& row, size_t columns) {
  std::string line = "|";
  for (size_t i = 0; i < columns; ++i) line += " " + Escaped(Cell(row, i)) + " |";
  return line + "\n";
}

std::string TableMarkdown(const ReportTable& table) {
  const size_t columns = table.header.size();
  std::string text = MarkdownLine(table.header, columns) + "|";
  for (size_t i = 0; i < columns; ++i) text += i < table.left_columns ? " --- |" : " ---: |";
  text += "\n";
  for (const auto& row : table.rows) text += MarkdownLine(row, columns);
  return text;
}

}  // namespace

std::string ReportText(const Report& report, size_t width) {
  std::string text;
  for (const ReportSection& section : report) {
    if (!text.empty()) text += "\n";
    text += section.title + "\n" + std::string(Width(section.title), '-') + "\n";
    for (size_t i = 0; i < section.blocks.size(); ++i) {
      if (i > 0) text += "\n";
      const auto* paragraph = std::get_if<std::string>(&section.blocks[i]);
      text += paragraph != nullptr ? Wrap(*paragraph, width)
                                   : TableText(std::get<ReportTable>(section.blocks[i]));
    }
  }
  return text;
}

std::string ReportMarkdown(const Report& report) {
  constexpr size_t kWidth = 100;
  std::string text;
  for (const ReportSection& section : report) {
    if (!text.empty()) text += "\n";
    text += "## " + section.title + "\n";
    for (const auto& block : section.blocks) {
      const auto* paragraph = std::get_if<std::string>(&block);
      text += "\n" + (paragraph != nullptr ? Wrap(Escaped(*paragraph), kWidth)
                                           : TableMarkdown(std::get<ReportTable>(block)));
    }
  }
  return text;
}

}  // namespace aio
