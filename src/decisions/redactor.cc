#include "decisions/redactor.h"

#include <fmt/format.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>

namespace aio {
namespace {

// Of steps in one match: about a second's work at the worst, which no sane pattern comes near.
constexpr uint32_t kMatchLimit = 1'000'000;

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
using Code = std::unique_ptr<pcre2_code, FreeCode>;

struct FreeContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

struct FreeMatch {
  void operator()(pcre2_match_data* match) const { pcre2_match_data_free(match); }
};

PCRE2_SPTR Bytes(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

std::string ErrorText(int error) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(error, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

bool MatchesEmpty(const pcre2_code* code) {
  const std::unique_ptr<pcre2_match_data, FreeMatch> match(
      pcre2_match_data_create_from_pattern(code, nullptr));
  return pcre2_match(code, Bytes(""), 0, 0, 0, match.get(), nullptr) >= 0;
}

Result<Code> Compile(size_t number, const std::string& pattern) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  Code code(pcre2_compile(Bytes(pattern), pattern.size(),
                          PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C,
                          &error, &offset, nullptr));
  if (code == nullptr) {
    return InvalidArgument(
        fmt::format("pattern {}, '{}': {} at byte {}", number, pattern, ErrorText(error), offset));
  }
  if (MatchesEmpty(code.get())) {
    return InvalidArgument(fmt::format(
        "pattern {}, '{}': matches the empty text, hence everywhere; ask for something in it",
        number, pattern));
  }
  return code;
}

}  // namespace

struct Redactor::Patterns {
  std::vector<Code> codes;
  std::unique_ptr<pcre2_match_context, FreeContext> limits;

  // False if it gave up.
  bool Replace(const pcre2_code* code, std::string& text) const {
    // Every match is at least one byte.
    PCRE2_SIZE size = text.size() * kRedacted.size() + 1;
    std::string replaced(size, '\0');
    const int count = pcre2_substitute(code, Bytes(text), text.size(), 0, PCRE2_SUBSTITUTE_GLOBAL,
                                       nullptr, limits.get(), Bytes(kRedacted), kRedacted.size(),
                                       reinterpret_cast<PCRE2_UCHAR*>(replaced.data()), &size);
    if (count < 0) return false;
    if (count == 0) return true;
    replaced.resize(size);
    text = std::move(replaced);
    return true;
  }
};

Redactor::Redactor() : patterns_(std::make_shared<const Patterns>()) {}

Result<Redactor> Redactor::Create(const std::vector<std::string>& patterns) {
  auto compiled = std::make_shared<Patterns>();
  for (size_t i = 0; i < patterns.size(); ++i) {
    AIO_ASSIGN_OR_RETURN(Code code, Compile(i + 1, patterns[i]));
    compiled->codes.push_back(std::move(code));
  }
  compiled->limits.reset(pcre2_match_context_create(nullptr));
  pcre2_set_match_limit(compiled->limits.get(), kMatchLimit);
  Redactor redactor;
  redactor.patterns_ = std::move(compiled);
  return redactor;
}

std::string Redactor::Redact(std::string text) const {
  for (const Code& code : patterns_->codes) {
    if (!patterns_->Replace(code.get(), text)) return std::string(kRedacted);
  }
  return text;
}

}  // namespace aio
