#include "router/program_lines.h"

#include <algorithm>
#include <initializer_list>

namespace aio {
namespace {

bool StartsWithAny(std::string_view text, std::initializer_list<std::string_view> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](std::string_view beginning) { return text.starts_with(beginning); });
}

// Bytes of letters beyond ASCII count.
bool IsLetterByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (static_cast<unsigned char>(c) & 0x80U);
}
bool IsNameByte(char c) { return IsLetterByte(c) || (c >= '0' && c <= '9') || c == '_'; }

bool EndsASentence(std::string_view line) {
  return line.back() == '.' || line.back() == '?' || line.back() == '!';
}

bool BeginsStatement(std::string_view line) {
  if (EndsASentence(line)) return false;
  if (StartsWithAny(line, {"import ", "#include", "@", ">>>"})) return true;
  if (line.find_first_of("=(){}[];:<") == std::string_view::npos) {
    return StartsWithAny(line, {"return ", "from "}) && CountWords(line) <= 5;
  }
  if (StartsWithAny(line, {"def ",    "class ",  "from ",  "return ",   "assert ",  "print(",
                           "try:",    "except",  "using ", "int ",      "void ",    "bool ",
                           "char ",   "double ", "float ", "public ",   "private ", "static ",
                           "const ",  "let ",    "var ",   "function ", "fn ",      "func ",
                           "struct ", "package "})) {
    return true;
  }
  const bool opens_block = line.back() == ':' || line.back() == '{';
  return opens_block && StartsWithAny(line, {"if ", "elif ", "else", "for ", "while ", "with "});
}

// "total = 0", "self.items[k].append(x)".
bool IsAssignmentOrCall(std::string_view line) {
  size_t i = 0;
  while (i < line.size() &&
         (IsNameByte(line[i]) || line[i] == '.' || line[i] == '[' || line[i] == ']')) {
    ++i;
  }
  if (i == 0) return false;
  if (line.substr(i).starts_with('(')) return true;
  const std::string_view rest = Trim(line.substr(i));
  return rest.starts_with('=') ||
         (rest.size() > 1 && rest[1] == '=' && StartsWithAny(rest, {"+", "-", "*", "/"}));
}

bool HasFewLetters(std::string_view line) {
  const auto prose = std::count_if(line.begin(), line.end(), [](char c) {
    return IsLetterByte(c) || std::string_view(" .,?!'\"-").find(c) != std::string_view::npos;
  });
  return static_cast<double>(prose) < 0.6 * static_cast<double>(line.size());
}

}  // namespace

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

size_t CountWords(std::string_view text) {
  size_t words = 0;
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    while (end < text.size() && IsLetterByte(text[end])) ++end;
    const bool begins = i == 0 || text[i - 1] == ' ' || text[i - 1] == '\t';
    const bool ends = end == text.size() ||
                      std::string_view(" \t.,?!:;'").find(text[end]) != std::string_view::npos;
    words += end > i && begins && ends ? 1 : 0;
    i = std::max(end, i + 1);
  }
  return words;
}

bool IsProgramLine(std::string_view line) {
  constexpr size_t kWordsMax = 8;  // of a line that begins with no statement's word
  if (BeginsStatement(line)) return true;
  if (line.back() == '?' || CountWords(line) > kWordsMax) return false;
  return IsAssignmentOrCall(line) || line.back() == ';' || line.back() == '{' ||
         HasFewLetters(line);
}

std::optional<std::string_view> LineComment(std::string_view line) {
  if (line.starts_with('#') && !line.starts_with("#include")) {
    return Trim(line.substr(std::min(line.find_first_not_of('#'), line.size())));
  }
  if (line.starts_with("//") || line.starts_with("--")) {
    return Trim(line.substr(std::min(line.find_first_not_of("/-"), line.size())));
  }
  return std::nullopt;
}

}  // namespace aio
