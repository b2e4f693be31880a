#include "tokenizer/pretokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <string>
#include <utility>

#include "base/utf8.h"

namespace aio {
namespace {

// White_Space of Unicode. PCRE2's own \s also counts U+180E, which lost that property in
// Unicode 6.3; the engines that the vocabularies were trained with do not.
constexpr std::string_view kWhiteSpace =
    R"(\t-\r\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";

// `pattern` with \s and \S spelt out.
std::string SpellOutWhiteSpace(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      const char escaped = pattern[++i];
      if (escaped == 's' && in_class) {
        out += kWhiteSpace;
      } else if (escaped == 's' || escaped == 'S') {
        out.append(escaped == 's' ? "[" : "[^").append(kWhiteSpace).append("]");
      } else {
        out.append({c, escaped});
      }
      continue;
    }
    if (c == '[') in_class = true;
    if (c == ']') in_class = false;
    out += c;
  }
  return out;
}

struct CodeDeleter {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct MatchDataDeleter {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct MatchContextDeleter {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

struct Stage {
  std::unique_ptr<pcre2_code, CodeDeleter> code;
  bool jit = false;
};

Result<Stage> Compile(std::string_view pattern) {
  const std::string spelt_out = SpellOutWhiteSpace(pattern);
  int error = 0;
  PCRE2_SIZE error_offset = 0;
  Stage stage;
  stage.code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(spelt_out.data()), spelt_out.size(),
                                 PCRE2_UTF | PCRE2_UCP, &error, &error_offset, nullptr));
  if (stage.code == nullptr) {
    PCRE2_UCHAR text[256] = {};
    pcre2_get_error_message(error, text, sizeof(text));
    return InvalidArgument("pre-tokenizer pattern, offset " + std::to_string(error_offset) + ": " +
                           reinterpret_cast<const char*>(text));
  }
  // Without JIT (a hardened system may forbid it) the patterns still work, only slower.
  stage.jit = pcre2_jit_compile(stage.code.get(), PCRE2_JIT_COMPLETE) == 0;
  return stage;
}

// Limits on backtracking protect against hostile patterns; ours are fixed and linear.
std::unique_ptr<pcre2_match_context, MatchContextDeleter> UnlimitedContext() {
  std::unique_ptr<pcre2_match_context, MatchContextDeleter> context(
      pcre2_match_context_create(nullptr));
  AIO_CHECK(context != nullptr, "out of memory");
  pcre2_set_match_limit(context.get(), UINT32_MAX);
  pcre2_set_depth_limit(context.get(), UINT32_MAX);
  pcre2_set_heap_limit(context.get(), UINT32_MAX);
  return context;
}

// The words before any stage: runs of valid UTF-8, and single bytes that are not.
void SplitAtInvalidUtf8(std::string_view text, std::vector<size_t>& ends) {
  ends.clear();
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t invalid = FindInvalidUtf8(text.substr(begin));
    if (invalid == std::string_view::npos) {
      ends.push_back(text.size());
      return;
    }
    if (invalid > 0) ends.push_back(begin + invalid);
    const size_t length = DecodeUtf8(text.substr(begin + invalid)).length;
    for (size_t i = 1; i <= length; ++i) ends.push_back(begin + invalid + i);
    begin += invalid + length;
  }
}

bool IsInvalidByte(std::string_view word) {
  return word.size() == 1 && static_cast<unsigned char>(word[0]) >= 0x80;
}

// Runs one stage over words of valid UTF-8.
class StageRunner {
 public:
  explicit StageRunner(const pcre2_match_context* context)
      : context_(const_cast<pcre2_match_context*>(context)),
        match_data_(pcre2_match_data_create(1, nullptr)) {
    AIO_CHECK(match_data_ != nullptr, "out of memory");
  }

  // Appends the ends of the words that `stage` cuts `word` into; `base`: its offset.
  void Split(const Stage& stage, std::string_view word, size_t base, std::vector<size_t>& ends) {
    size_t done = 0;
    size_t from = 0;
    while (from < word.size() && Find(stage, word, from)) {
      const PCRE2_SIZE* match = pcre2_get_ovector_pointer(match_data_.get());
      if (match[1] == match[0]) {  // no pattern of ours matches nothing; but never loop
        from = match[1] + DecodeUtf8(word.substr(match[1])).length;
        continue;
      }
      if (match[0] > done) ends.push_back(base + match[0]);
      ends.push_back(base + match[1]);
      done = from = match[1];
    }
    if (done < word.size()) ends.push_back(base + word.size());
  }

 private:
  bool Find(const Stage& stage, std::string_view word, size_t from) {
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(word.data());
    if (stage.jit) {
      const int count = pcre2_jit_match(stage.code.get(), subject, word.size(), from,
                                        PCRE2_NO_UTF_CHECK, match_data_.get(), context_);
      if (count > 0) return true;
      if (count == PCRE2_ERROR_NOMATCH) return false;
      // The JIT's small stack was not enough: the interpreter takes its memory from the heap.
    }
    return pcre2_match(stage.code.get(), subject, word.size(), from,
                       PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, match_data_.get(), context_) > 0;
  }

  pcre2_match_context* context_;  // only read
  std::unique_ptr<pcre2_match_data, MatchDataDeleter> match_data_;
};

}  // namespace

struct Pretokenizer::Impl {
  std::vector<Stage> stages;
  std::unique_ptr<pcre2_match_context, MatchContextDeleter> context = UnlimitedContext();
};

Pretokenizer::Pretokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Pretokenizer::Pretokenizer(Pretokenizer&&) noexcept = default;
Pretokenizer& Pretokenizer::operator=(Pretokenizer&&) noexcept = default;
Pretokenizer::~Pretokenizer() = default;

Result<Pretokenizer> Pretokenizer::Create(std::span<const std::string_view> stages) {
  auto impl = std::make_unique<Impl>();
  for (const std::string_view pattern : stages) {
    AIO_ASSIGN_OR_RETURN(Stage stage, Compile(pattern));
    impl->stages.push_back(std::move(stage));
  }
  return Pretokenizer(std::move(impl));
}

void Pretokenizer::Split(std::string_view text, std::vector<size_t>& ends) const {
  SplitAtInvalidUtf8(text, ends);
  StageRunner runner(impl_->context.get());
  std::vector<size_t> next;
  for (const Stage& stage : impl_->stages) {
    next.clear();
    size_t begin = 0;
    for (const size_t end : ends) {
      const std::string_view word = text.substr(begin, end - begin);
      if (IsInvalidByte(word)) {
        next.push_back(end);
      } else {
        runner.Split(stage, word, begin, next);
      }
      begin = end;
    }
    ends.swap(next);
  }
}

}  // namespace aio
