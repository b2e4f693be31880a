#include "router/prompt_parts.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "router/program_lines.h"

namespace aio {
namespace {

// Shorter parts say too little to be judged by.
constexpr size_t kProseBytesMin = 24;
constexpr size_t kParagraphBytesMin = 40;
constexpr size_t kCommentsBytesMin = 40;
constexpr size_t kQuestionBytesMin = 12;

constexpr std::string_view kQuotes[] = {"\"\"\"", "'''"};

void AppendLine(std::string_view line, std::string& text) {
  if (!text.empty()) text += '\n';
  text += line;
}

size_t Occurrences(std::string_view text, std::string_view what) {
  size_t count = 0;
  for (size_t i = text.find(what); i != std::string_view::npos; i = text.find(what, i + 3)) ++count;
  return count;
}

// Tells prose from program text, line by line.
class Reader {
 public:
  void Read(std::string_view line) {
    const std::string_view text = Trim(line);
    const bool indented = !line.empty() && (line.front() == '\t' || line.starts_with("  "));
    if (InString(text, indented) || InComment(text)) return;
    if (text.empty() || text.starts_with("```") || text.starts_with("~~~")) {
      EndParagraph();
      blank_ = true;
      program_ = program_ && text.empty();
      return;
    }
    blank_ = false;
    if (BeginsComment(text) || BeginsString(text, indented)) return;
    // What is indented below program text belongs to it, unless it is a sentence.
    constexpr size_t kSentenceWordsMin = 6;
    const bool body = program_ && indented && CountWords(text) < kSentenceWordsMin;
    if (body || IsProgramLine(text)) {
      EndParagraph();
      program_ = true;
    } else {
      AddProse(text);
      program_ = program_ && indented;
    }
  }

  void End() { EndParagraph(); }

  const std::vector<std::string>& paragraphs() const { return paragraphs_; }
  const std::string& comments() const { return comments_; }

 private:
  // A docstring is program text up to its end, but for lines that have left its indentation.
  bool InString(std::string_view text, bool indented) {
    if (quotes_.empty()) return false;
    if (text.find(quotes_) != std::string_view::npos) {
      quotes_ = {};
    } else if (blank_ && !indented && !text.empty() && !IsProgramLine(text)) {
      AddProse(text);
      return true;
    }
    EndParagraph();
    blank_ = text.empty();
    program_ = true;
    return true;
  }

  bool InComment(std::string_view text) {
    if (!in_comment_) return false;
    AddComment(text);
    return true;
  }

  bool BeginsComment(std::string_view text) {
    if (const std::optional<std::string_view> comment = LineComment(text)) {
      EndParagraph();
      AppendLine(*comment, comments_);
      program_ = true;
      return true;
    }
    if (!text.starts_with("/*")) return false;
    EndParagraph();
    AddComment(text.substr(2));
    return true;
  }

  // A line inside of /* */, or its beginning.
  void AddComment(std::string_view text) {
    const size_t end = text.find("*/");
    in_comment_ = end == std::string_view::npos;
    text = Trim(text.substr(0, end));
    while (text.starts_with('*')) text = Trim(text.substr(1));
    AppendLine(text, comments_);
  }

  bool BeginsString(std::string_view text, bool indented) {
    for (const std::string_view quotes : kQuotes) {
      const size_t at = text.find(quotes);
      if (at == std::string_view::npos) continue;
      if (indented && program_) {
        EndParagraph();
        if (Occurrences(text, quotes) == 1) quotes_ = quotes;
        return true;
      }
      // Text that merely stands in quotes.
      const std::string_view first = Trim(text.substr(at + quotes.size()));
      const std::string_view inside = Trim(first.substr(0, first.find(quotes)));
      if (!inside.empty() && !IsProgramLine(inside)) AddProse(inside);
      program_ = false;
      return true;
    }
    return false;
  }

  void AddProse(std::string_view text) { AppendLine(text, paragraph_); }

  void EndParagraph() {
    if (!paragraph_.empty()) paragraphs_.push_back(std::exchange(paragraph_, {}));
  }

  std::vector<std::string> paragraphs_;
  std::string paragraph_;  // not ended yet
  std::string comments_;
  std::string_view quotes_;  // of the docstring that is open; empty: none
  bool in_comment_ = false;
  bool program_ = false;  // the last line was program text
  bool blank_ = false;    // the last line was empty
};

// "7 * 8", "15 % of 80", "(3 + 4".
bool HasSum(std::string_view sentence) {
  constexpr std::string_view kSigns = "+-*/%^x";
  for (size_t i = 1; i + 1 < sentence.size(); ++i) {
    if (kSigns.find(sentence[i]) == std::string_view::npos) continue;
    const std::string_view before = Trim(sentence.substr(0, i));
    std::string_view after = Trim(sentence.substr(i + 1));
    if (after.starts_with("of ")) after.remove_prefix(3);
    if (after.starts_with('(')) after.remove_prefix(1);
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    if (before.empty() || after.empty() || !digit(after.front())) continue;
    if (digit(before.back()) || before.back() == ')') return true;
  }
  return false;
}

// Where the sentence at the start of `line` ends.
size_t SentenceEnd(std::string_view line) {
  for (size_t i = 0; i + 2 < line.size(); ++i) {
    const bool mark = line[i] == '.' || line[i] == '?' || line[i] == '!';
    if (mark && line[i + 1] == ' ' && (line[i + 2] < 'a' || line[i + 2] > 'z')) return i + 1;
  }
  return line.size();
}

// Those that are shorter than the prose they stand in.
void AddQuestions(const std::string& prose, std::vector<PromptPart>& parts) {
  std::string_view rest = prose;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    while (!line.empty()) {
      const size_t end = SentenceEnd(line);
      const std::string_view sentence = Trim(line.substr(0, end));
      line.remove_prefix(end);
      if (sentence.size() < kQuestionBytesMin || sentence.size() == prose.size()) continue;
      if (sentence.back() != '?' && !HasSum(sentence)) continue;
      parts.push_back({"question", std::string(sentence)});
    }
  }
}

}  // namespace

std::vector<PromptPart> PromptParts(std::string_view text) {
  const std::string_view whole = Trim(text);
  Reader reader;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    reader.Read(line);
  }
  reader.End();

  std::string prose;
  for (const std::string& paragraph : reader.paragraphs()) {
    if (!prose.empty()) prose += "\n\n";
    prose += paragraph;
  }
  std::vector<PromptPart> parts;
  if (prose.size() >= kProseBytesMin && prose != whole) parts.push_back({"prose", prose});
  for (const std::string& paragraph : reader.paragraphs()) {
    if (paragraph.size() < kParagraphBytesMin || reader.paragraphs().size() == 1) continue;
    parts.push_back({"paragraph", paragraph});
  }
  AddQuestions(prose, parts);
  AddQuestions(reader.comments(), parts);
  if (reader.comments().size() >= kCommentsBytesMin) {
    parts.push_back({"comments", reader.comments()});
  }
  return parts;
}

}  // namespace aio
