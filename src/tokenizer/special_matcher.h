// Finds special pieces in text.
#ifndef AIO_TOKENIZER_SPECIAL_MATCHER_H_
#define AIO_TOKENIZER_SPECIAL_MATCHER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace aio {

// Immutable, thread-safe. The pieces must outlive it.
class SpecialMatcher {
 public:
  struct Piece {
    std::string_view text;  // not empty
    int32_t id;
  };
  struct Match {
    size_t begin;
    size_t length;
    int32_t id;
  };

  SpecialMatcher() : SpecialMatcher(std::vector<Piece>()) {}
  explicit SpecialMatcher(std::vector<Piece> pieces);

  bool empty() const { return pieces_.empty(); }
  // The first position at or after `from` where a piece begins, and the longest there.
  std::optional<Match> FindNext(std::string_view text, size_t from) const;

 private:
  std::optional<Match> LongestAt(std::string_view text, size_t begin) const;

  std::vector<Piece> pieces_;               // sorted by text
  std::array<uint32_t, 257> first_byte_{};  // pieces that begin with byte b: [b], [b + 1]
};

}  // namespace aio

#endif  // AIO_TOKENIZER_SPECIAL_MATCHER_H_
