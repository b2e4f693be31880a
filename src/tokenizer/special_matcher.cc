#include "tokenizer/special_matcher.h"

#include <algorithm>
#include <utility>

namespace aio {

SpecialMatcher::SpecialMatcher(std::vector<Piece> pieces) : pieces_(std::move(pieces)) {
  std::sort(pieces_.begin(), pieces_.end(),
            [](const Piece& a, const Piece& b) { return a.text < b.text; });
  for (const Piece& piece : pieces_) ++first_byte_[static_cast<uint8_t>(piece.text[0]) + 1];
  for (size_t b = 1; b < first_byte_.size(); ++b) first_byte_[b] += first_byte_[b - 1];
}

std::optional<SpecialMatcher::Match> SpecialMatcher::FindNext(std::string_view text,
                                                              size_t from) const {
  if (pieces_.empty()) return std::nullopt;
  for (size_t i = from; i < text.size(); ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if (first_byte_[byte] == first_byte_[byte + 1]) continue;
    if (const std::optional<Match> match = LongestAt(text, i)) return match;
  }
  return std::nullopt;
}

// Narrows the sorted pieces byte by byte; a piece that ends here comes first among those
// that share its text as a prefix.
std::optional<SpecialMatcher::Match> SpecialMatcher::LongestAt(std::string_view text,
                                                               size_t begin) const {
  std::optional<Match> longest;
  const auto byte = static_cast<uint8_t>(text[begin]);
  auto low = pieces_.begin() + first_byte_[byte];
  auto high = pieces_.begin() + first_byte_[byte + 1];
  for (size_t depth = 1; low != high; ++depth) {
    if (low->text.size() == depth) {
      longest = {begin, depth, low->id};
      if (++low == high) break;
    }
    if (begin + depth >= text.size()) break;
    const auto next = static_cast<uint8_t>(text[begin + depth]);
    const auto at = [depth](const Piece& piece) { return static_cast<uint8_t>(piece.text[depth]); };
    low = std::partition_point(low, high, [&](const Piece& piece) { return at(piece) < next; });
    high = std::partition_point(low, high, [&](const Piece& piece) { return at(piece) <= next; });
  }
  return longest;
}

}  // namespace aio
