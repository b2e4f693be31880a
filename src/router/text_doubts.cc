#include "router/text_doubts.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/utf8.h"

namespace aio {
namespace {

bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsLetter(char c) { return IsUpper(c) || IsLower(c); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// --- encoded text ------------------------------------------------------------------------

// Counts over one run of characters that base64 is written in.
struct EncodedRun {
  int length = 0, upper = 0, lower = 0, digits = 0, hex = 0;

  void Add(char c) {
    ++length;
    upper += IsUpper(c) ? 1 : 0;
    lower += IsLower(c) ? 1 : 0;
    digits += IsDigit(c) ? 1 : 0;
    hex += IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') ? 1 : 0;
  }
  // Names are long too, but have no digits in the middle of both cases.
  bool LooksEncoded() const {
    constexpr int kBase64Min = 40, kHexMin = 48;
    const int least = length / 20 + 1;
    if (length >= kBase64Min && upper > least && lower > least && digits >= least) return true;
    return length >= kHexMin && hex == length && digits > least && digits < length - least;
  }
};

bool HasEncodedRun(std::string_view text) {
  EncodedRun run;
  for (const char c : text) {
    if (IsLetter(c) || IsDigit(c) || c == '+' || c == '/' || c == '-' || c == '_') {
      run.Add(c);
      continue;
    }
    if (run.LooksEncoded()) return true;
    run = {};
  }
  return run.LooksEncoded();
}

// --- scripts and invisible characters ------------------------------------------------------

enum class Script : uint8_t { kNone, kLatin, kGreek, kCyrillic, kWide, kOther };

Script ScriptOf(char32_t c) {
  if (c < 0x80) return IsLetter(static_cast<char>(c)) ? Script::kLatin : Script::kNone;
  if (c >= 0xC0 && c <= 0x24F) return Script::kLatin;
  if (c >= 0x370 && c <= 0x3FF) return Script::kGreek;
  if (c >= 0x400 && c <= 0x52F) return Script::kCyrillic;
  if (c >= 0xFF21 && c <= 0xFF5A) return Script::kWide;
  if (c >= 0x1D400 && c <= 0x1D7FF) return Script::kWide;  // mathematical alphabets
  return c >= 0x530 && c <= 0x1FFF ? Script::kOther : Script::kNone;
}

bool IsInvisible(char32_t c) {
  return c == 0xAD || (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x2064) || c == 0xFEFF || (c >= 0xE0000 && c <= 0xE007F);
}

// Counts over the characters of a text.
struct Characters {
  int mixed_words = 0;
  int invisible = 0;
};

Characters CountCharacters(std::string_view text) {
  Characters counts;
  constexpr int kLettersMin = 3;  // a Greek letter before x is a name of physics
  Script word = Script::kNone;
  bool mixed = false;
  bool counted = false;
  int letters = 0;
  while (!text.empty()) {
    const Utf8Step step = DecodeUtf8(text);
    text.remove_prefix(step.length);
    counts.invisible += IsInvisible(step.code_point) ? 1 : 0;
    const Script script = ScriptOf(step.code_point);
    if (script == Script::kNone) {
      word = Script::kNone;
      mixed = counted = false;
      letters = 0;
      continue;
    }
    if (word == Script::kNone) word = script;
    mixed = mixed || script != word;
    ++letters;
    if (mixed && letters >= kLettersMin && !counted) {
      counted = true;
      ++counts.mixed_words;
    }
  }
  return counts;
}

// --- letters set apart ---------------------------------------------------------------------

// "W h i c h": letters with one and the same sign between any two.
bool HasLettersSetApart(std::string_view text) {
  constexpr int kLettersMin = 12;
  int letters = 0;
  char between = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!IsLetter(text[i])) continue;
    const char sign = i > 0 ? text[i - 1] : 0;
    const bool alone = i + 1 >= text.size() || !(IsLetter(text[i + 1]) || IsDigit(text[i + 1]));
    const bool follows = i >= 2 && IsLetter(text[i - 2]) && !IsLetter(sign) && !IsDigit(sign);
    if (!alone) {
      letters = 0;
    } else if (letters > 0 && follows && (letters == 1 || sign == between)) {
      between = sign;
      if (++letters == kLettersMin) return true;
    } else {
      letters = 1;
    }
  }
  return false;
}

// --- repetition ----------------------------------------------------------------------------

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    while (end < text.size() && IsLetter(text[end])) ++end;
    if (end > i) words.push_back(text.substr(i, end - i));
    i = std::max(end, i + 1);
  }
  return words;
}

// The most rounds of so many words, one of three letters at least among them, in a row.
size_t MostRounds(const std::vector<std::string_view>& words, size_t period) {
  size_t most = 0, run = 0, last_long = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i].size() >= 3) last_long = i + 1;
    const bool again = i >= period && words[i] == words[i - period];
    run = again ? run + 1 : 0;
    if (last_long + period > i + 1) most = std::max(most, run / period + 1);
  }
  return most;
}

bool HasRepeatedWords(std::string_view text) {
  // Examples in program text repeat a name or two with every line, and lists hold equal values.
  constexpr std::array<size_t, 3> kRoundsMin = {8, 12, 12};  // [words of a round - 1]
  const std::vector<std::string_view> words = Words(text);
  for (size_t period = 1; period <= kRoundsMin.size(); ++period) {
    if (MostRounds(words, period) >= kRoundsMin[period - 1]) return true;
  }
  return false;
}

bool HasRepeatedPattern(std::string_view text) {
  constexpr size_t kPeriodMax = 8, kBytesMin = 90;
  for (size_t period = 1; period <= kPeriodMax; ++period) {
    size_t run = 0;
    for (size_t i = period; i < text.size(); ++i) {
      run = text[i] == text[i - period] ? run + 1 : 0;
      if (run + period >= kBytesMin) return true;
    }
  }
  return false;
}

// --- special tokens ------------------------------------------------------------------------

// "|im_end|", "s", "/s", "start_of_turn", ...: between angle brackets.
bool IsTokenName(std::string_view name) {
  constexpr std::array<std::string_view, 12> kNames = {
      "s",           "/s",  "bos", "eos", "pad", "unk", "mask", "start_of_turn",
      "end_of_turn", "sep", "cls", "eot"};
  if (name.size() > 2 && name.front() == '|' && name.back() == '|') return true;
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

bool HasSpecialTokens(std::string_view text) {
  constexpr size_t kNameBytesMax = 40;
  for (const std::string_view token : {"[INST]", "[/INST]", "<<SYS>>", "[SYS]", "[/SYS]"}) {
    if (text.find(token) != std::string_view::npos) return true;
  }
  for (size_t i = text.find('<'); i != std::string_view::npos; i = text.find('<', i + 1)) {
    const std::string_view rest = text.substr(i + 1, kNameBytesMax);
    const size_t end = rest.find('>');
    if (end != std::string_view::npos && IsTokenName(rest.substr(0, end))) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> TextDoubts(std::string_view text) {
  constexpr int kMixedWordsMax = 1, kInvisibleMax = 2;
  const Characters characters = CountCharacters(text);
  std::vector<std::string> doubts;
  if (HasEncodedRun(text)) doubts.emplace_back("encoded text");
  if (characters.mixed_words > kMixedWordsMax) doubts.emplace_back("mixed scripts");
  if (characters.invisible > kInvisibleMax) doubts.emplace_back("invisible characters");
  if (HasLettersSetApart(text)) doubts.emplace_back("letters set apart");
  if (HasRepeatedWords(text)) doubts.emplace_back("a repeated word");
  if (HasRepeatedPattern(text)) doubts.emplace_back("a repeated pattern");
  if (HasSpecialTokens(text)) doubts.emplace_back("special tokens");
  return doubts;
}

}  // namespace aio
