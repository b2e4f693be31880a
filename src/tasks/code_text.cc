#include "tasks/code_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

namespace aio {

namespace {

using Lines = std::vector<std::string_view>;  // each with its line end

bool IsWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

Lines SplitLines(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const size_t length = end == std::string_view::npos ? text.size() : end + 1;
    lines.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return lines;
}

bool IsBlank(std::string_view line) {
  return line.find_first_not_of(" \t\r\n\f") == std::string_view::npos;
}

bool IsIndented(std::string_view line) { return line.front() == ' ' || line.front() == '\t'; }

std::string_view SkipSpaces(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text;
}

// "f" of "def f(x):"; empty if the line begins no function at the left margin.
std::string_view FunctionOn(std::string_view line) {
  if (line.starts_with("async ")) line = SkipSpaces(line.substr(6));
  if (!line.starts_with("def ")) return {};
  line = SkipSpaces(line.substr(4));
  size_t end = 0;
  while (end < line.size() && IsWordByte(line[end])) ++end;
  return SkipSpaces(line.substr(end)).starts_with('(') ? line.substr(0, end) : std::string_view();
}

// An empty name stands for any.
bool Defines(std::string_view line, std::string_view name) {
  const std::string_view function = FunctionOn(line);
  return !function.empty() && (name.empty() || function == name);
}

bool BeginsCode(std::string_view line) {
  for (const std::string_view word : {"import ", "from ", "class ", "@"}) {
    if (line.starts_with(word)) return true;
  }
  return !FunctionOn(line).empty();
}

bool IsAssignment(std::string_view line) {
  size_t end = 0;
  while (end < line.size() && IsWordByte(line[end])) ++end;
  if (end == 0) return false;
  const std::string_view rest = SkipSpaces(line.substr(end));
  return (rest.starts_with('=') && !rest.starts_with("==")) || rest.starts_with(": ");
}

// A line at the left margin that may stand after a function in a program.
bool ContinuesCode(std::string_view line) {
  return BeginsCode(line) || line.find_first_of("#)]}") == 0 || line.starts_with("\"\"\"") ||
         line.starts_with("'''") || IsAssignment(line);
}

std::string Join(const Lines& lines, size_t begin, size_t end) {
  std::string text;
  for (size_t i = begin; i < end; ++i) text += lines[i];
  return text;
}

bool IsFence(std::string_view line) { return SkipSpaces(line).starts_with("```"); }

std::vector<std::string> FencedBlocks(const Lines& lines) {
  std::vector<std::string> blocks;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (!IsFence(lines[i])) continue;
    const size_t begin = ++i;
    while (i < lines.size() && !IsFence(lines[i])) ++i;
    blocks.push_back(Join(lines, begin, i));
  }
  return blocks;
}

std::string_view BetweenMarks(std::string_view text) {
  constexpr std::string_view kBegin = "[BEGIN]";
  if (const size_t begin = text.find(kBegin); begin != std::string_view::npos) {
    text.remove_prefix(begin + kBegin.size());
    text.remove_prefix(std::min(text.find_first_not_of("\r\n"), text.size()));
  }
  return text.substr(0, text.find("[DONE]"));
}

// The lines from the first code on, to where prose begins after the function on line `defined`.
std::string WithoutProse(const Lines& lines, size_t defined) {
  size_t begin = 0;
  while (!BeginsCode(lines[begin])) ++begin;
  size_t end = defined + 1;
  while (end < lines.size() &&
         (IsBlank(lines[end]) || IsIndented(lines[end]) || ContinuesCode(lines[end]))) {
    ++end;
  }
  return Join(lines, begin, end);
}

// The rest of a function.
std::string BodyOf(const Lines& lines) {
  size_t first = 0;
  while (first < lines.size() && IsBlank(lines[first])) ++first;
  if (first == lines.size()) return "";
  const auto at_margin = [](std::string_view line) { return !IsBlank(line) && !IsIndented(line); };
  size_t end = first + 1;
  while (end < lines.size() && !at_margin(lines[end])) ++end;
  // All of it at the margin: a body that lost its indentation.
  const bool dedented = at_margin(lines[first]) && end == first + 1;
  return Join(lines, first, dedented ? lines.size() : end);
}

std::string_view::size_type LineDefining(const Lines& lines, std::string_view name) {
  for (size_t i = 0; i < lines.size(); ++i) {
    if (Defines(lines[i], name)) return i;
  }
  return std::string_view::npos;
}

// Under the function of the stub: a first line at the margin alone has lost its own indentation;
// if others are there too, all have.
std::string Indented(std::string_view body) {
  constexpr std::string_view kIndent = "    ";
  const Lines lines = SplitLines(body);
  const auto at_margin = [](std::string_view line) { return !IsBlank(line) && !IsIndented(line); };
  const auto first = std::find_if(lines.begin(), lines.end(),
                                  [](std::string_view line) { return !IsBlank(line); });
  if (first == lines.end() || !at_margin(*first)) return std::string(body);
  const bool all = std::any_of(first + 1, lines.end(), at_margin);
  std::string indented;
  for (auto line = lines.begin(); line != lines.end(); ++line) {
    if (!IsBlank(*line) && (all || line == first)) indented += kIndent;
    indented += *line;
  }
  return indented;
}

std::string EndLine(std::string_view text) {
  std::string line(text);
  if (!line.empty() && line.back() != '\n') line += '\n';
  return line;
}

}  // namespace

bool IsIdentifier(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), IsWordByte) &&
         !(name.front() >= '0' && name.front() <= '9');
}

bool DefinesFunction(std::string_view code, std::string_view name) {
  return LineDefining(SplitLines(code), name) != std::string_view::npos;
}

std::string StubIn(std::string_view prompt, std::string_view entry_point) {
  const Lines lines = SplitLines(prompt);
  for (std::string& block : FencedBlocks(lines)) {
    if (DefinesFunction(block, entry_point)) return std::move(block);
  }
  const size_t defined = LineDefining(lines, entry_point);
  if (defined == std::string_view::npos) return "";
  return WithoutProse(lines, defined);
}

std::string ExtractCode(std::string_view answer, std::string_view entry_point) {
  const std::vector<std::string> blocks = FencedBlocks(SplitLines(answer));
  for (const std::string& block : blocks) {
    if (DefinesFunction(block, entry_point)) return block;
  }
  if (!blocks.empty()) return blocks.front();
  const Lines lines = SplitLines(BetweenMarks(answer));
  const size_t defined = LineDefining(lines, entry_point);
  return defined == std::string_view::npos ? BodyOf(lines) : WithoutProse(lines, defined);
}

std::string JoinStub(const CodeTests& tests, std::string_view code) {
  if (tests.stub.empty()) return std::string(code);
  if (!DefinesFunction(code, tests.entry_point)) return EndLine(tests.stub) + Indented(code);
  const Lines lines = SplitLines(tests.stub);
  size_t defined = LineDefining(lines, tests.entry_point);
  if (defined == std::string_view::npos) defined = lines.size();
  while (defined > 0 && lines[defined - 1].starts_with('@')) --defined;  // its decorators
  return EndLine(Join(lines, 0, defined)) + std::string(code);
}

std::string TestProgram(const CodeTests& tests, std::string_view code, std::string_view mark) {
  std::string program = EndLine(JoinStub(tests, code));
  program += "\n" + EndLine(tests.setup) + EndLine(tests.test);
  if (!tests.entry_point.empty()) program += fmt::format("\ncheck({})\n", tests.entry_point);
  program += fmt::format("\nprint(\"\\n{}\", flush=True)\n", mark);
  return program;
}

}  // namespace aio
