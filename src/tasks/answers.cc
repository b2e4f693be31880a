#include "tasks/answers.h"

#include <array>

namespace aio {

namespace {

bool IsAlnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool IsBeyondAscii(char c) { return static_cast<unsigned char>(c) >= 0x80; }

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The letter of a choice at `i`, by its index, if it is no part of a word.
std::optional<size_t> LetterAt(std::string_view text, size_t i, size_t choices) {
  if (i >= text.size() || text[i] < 'A') return std::nullopt;
  const auto index = static_cast<size_t>(text[i] - 'A');
  const bool begins = i == 0 || (!IsAlnum(text[i - 1]) && text[i - 1] != '\'');
  const bool ends = i + 1 == text.size() || (!IsAlnum(text[i + 1]) && text[i + 1] != '\'');
  return index < choices && begins && ends ? std::optional(index) : std::nullopt;
}

size_t Skip(std::string_view text, size_t from, std::string_view what) {
  return std::min(text.find_first_not_of(what, from), text.size());
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = Lower(c);
  return lower;
}

std::optional<size_t> AfterAnswerIs(std::string_view text, size_t choices) {
  constexpr std::array<std::string_view, 6> kMarks = {"answer is", "answer:", "answer：",
                                                      "答案是",    "答案为",  "答案："};
  const std::string lower = LowerCase(text);
  std::optional<size_t> chosen;
  size_t last = 0;
  for (const std::string_view mark : kMarks) {
    for (size_t at = lower.find(mark); at != std::string::npos; at = lower.find(mark, at + 1)) {
      const size_t letter = Skip(text, at + mark.size(), " \t\n:*(\"'[");
      const auto index = LetterAt(text, letter, choices);
      if (index && at >= last) {
        chosen = index;
        last = at;
      }
    }
  }
  return chosen;
}

std::optional<size_t> AtTheBeginning(std::string_view text, size_t choices) {
  const size_t at = Skip(text, 0, " \t\r\n*([\"'");
  const auto index = LetterAt(text, at, choices);
  if (!index) return std::nullopt;
  const size_t next = Skip(text, at + 1, " *");
  const bool ends = next == text.size() || text.find_first_of(".):,]\r\n\"'", next) == next ||
                    IsBeyondAscii(text[next]);
  return ends ? index : std::nullopt;
}

std::optional<size_t> InBrackets(std::string_view text, size_t choices) {
  std::optional<size_t> chosen;
  for (size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i - 1] != '(' || text[i + 1] != ')') continue;
    if (const auto index = LetterAt(text, i, choices)) chosen = index;
  }
  return chosen;
}

std::optional<size_t> Alone(std::string_view text, size_t choices) {
  std::optional<size_t> chosen;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == 'A' || text[i] == 'I') continue;
    if (const auto index = LetterAt(text, i, choices)) chosen = index;
  }
  return chosen;
}

std::optional<size_t> ByText(std::string_view text, const std::vector<std::string>& choices) {
  std::optional<size_t> chosen;
  for (size_t i = 0; i < choices.size(); ++i) {
    if (!HoldsText(text, choices[i])) continue;
    if (chosen) return std::nullopt;
    chosen = i;
  }
  return chosen;
}

bool IsArticle(std::string_view word) { return word == "a" || word == "an" || word == "the"; }

}  // namespace

std::optional<size_t> ChosenLetter(std::string_view text, const std::vector<std::string>& choices) {
  for (const auto find : {AfterAnswerIs, AtTheBeginning, InBrackets, Alone}) {
    if (const auto index = find(text, choices.size())) return index;
  }
  return ByText(text, choices);
}

std::string NormaliseText(std::string_view text) {
  std::string normal;
  for (size_t i = 0; i < text.size();) {
    if (!IsAlnum(text[i]) && !IsBeyondAscii(text[i])) {
      ++i;
      continue;
    }
    std::string word;
    for (; i < text.size() && (IsAlnum(text[i]) || IsBeyondAscii(text[i])); ++i) {
      word += Lower(text[i]);
    }
    if (IsArticle(word)) continue;
    if (!normal.empty()) normal += ' ';
    normal += word;
  }
  return normal;
}

bool IsText(std::string_view text, std::string_view wanted) {
  const std::string normal = NormaliseText(wanted);
  return !normal.empty() && NormaliseText(text) == normal;
}

bool HoldsText(std::string_view text, std::string_view wanted) {
  const std::string normal = NormaliseText(wanted);
  if (normal.empty()) return false;
  const std::string all = NormaliseText(text);
  const auto edge = [](char inside, char outside) {
    return outside == ' ' || IsBeyondAscii(inside) || IsBeyondAscii(outside);
  };
  for (size_t at = all.find(normal); at != std::string::npos; at = all.find(normal, at + 1)) {
    const size_t end = at + normal.size();
    const bool begins = at == 0 || edge(normal.front(), all[at - 1]);
    const bool ends = end == all.size() || edge(normal.back(), all[end]);
    if (begins && ends) return true;
  }
  return false;
}

}  // namespace aio
