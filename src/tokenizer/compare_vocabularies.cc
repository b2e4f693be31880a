#include "tokenizer/compare_vocabularies.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "formats/quote.h"
#include "tokenizer/token_kind.h"

namespace aio {
namespace {

std::string_view KindName(TokenKind kind) {
  switch (kind) {
    case TokenKind::kUndefined:
    case TokenKind::kNormal:
      return "normal";
    case TokenKind::kUnknown:
      return "unknown";
    case TokenKind::kControl:
      return "control";
    case TokenKind::kUserDefined:
      return "user-defined";
    case TokenKind::kUnused:
      return "unused";
    case TokenKind::kByte:
      return "byte";
  }
  return "unknown";
}

bool IsUnused(const Tokenizer& tokenizer, int32_t id) {
  return id >= tokenizer.vocabulary_size() || tokenizer.Kind(id) == TokenKind::kUnused;
}

bool SameToken(const Tokenizer& first, const Tokenizer& second, int32_t id) {
  const bool unused = IsUnused(first, id);
  if (unused != IsUnused(second, id)) return false;
  return unused || (KindName(first.Kind(id)) == KindName(second.Kind(id)) &&
                    first.TokenPiece(id) == second.TokenPiece(id) &&
                    first.TokenBytes(id) == second.TokenBytes(id));
}

std::string Describe(const Tokenizer& tokenizer, int32_t id) {
  if (id >= tokenizer.vocabulary_size()) {
    return fmt::format("missing ({} tokens)", tokenizer.vocabulary_size());
  }
  return fmt::format("{} ({})", QuoteForMessage(tokenizer.TokenPiece(id)),
                     KindName(tokenizer.Kind(id)));
}

std::string DescribeSpecial(const Tokenizer& tokenizer, std::optional<int32_t> id) {
  if (!id) return "none";
  return fmt::format("{} {}", *id, QuoteForMessage(tokenizer.TokenPiece(*id)));
}

// "; the end of sequence differs too: 2 "</s>" and 5 "<eos>""; empty if they are the same.
std::string SpecialDifferences(const Tokenizer& first, const Tokenizer& second) {
  std::string text;
  const auto compare = [&](std::string_view what, std::optional<int32_t> a,
                           std::optional<int32_t> b) {
    const std::string shown = DescribeSpecial(first, a);
    const std::string other = DescribeSpecial(second, b);
    if (shown == other) return;
    text += fmt::format("; the {} of sequence differs too: {} and {}", what, shown, other);
  };
  compare("beginning", first.bos(), second.bos());
  compare("end", first.eos(), second.eos());
  return text;
}

}  // namespace

Status CompareVocabularies(const Tokenizer& first, const Tokenizer& second) {
  const int size = std::max(first.vocabulary_size(), second.vocabulary_size());
  for (int32_t id = 0; id < size; ++id) {
    if (SameToken(first, second, id)) continue;
    return InvalidArgument(fmt::format("token {} is {} in the first and {} in the second{}", id,
                                       Describe(first, id), Describe(second, id),
                                       SpecialDifferences(first, second)));
  }
  return Status::Ok();
}

}  // namespace aio
