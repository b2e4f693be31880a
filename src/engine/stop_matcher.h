// Ends an answer before the first stop string, wherever token borders fall.
//
// "First" is the match that ends earliest, and of several that end at the same byte the
// longest, so that the outcome does not depend on how the text was cut into pieces. Text
// that may be the beginning of a stop string is withheld until that is decided; never
// more than the longest suffix that is a proper prefix of a stop string.
#ifndef AIO_ENGINE_STOP_MATCHER_H_
#define AIO_ENGINE_STOP_MATCHER_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace aio {

// One per answer. Not thread-safe.
class StopMatcher {
 public:
  // `stops` are not empty; valid UTF-8, so that a cut never splits a character.
  explicit StopMatcher(const std::vector<std::string>& stops);

  // Appends to `shown` what became safe to show with `text`. After a match: nothing.
  void Push(std::string_view text, std::string& shown);
  // The answer ends here: what was withheld cannot become a match any more.
  void Flush(std::string& shown);

  bool matched() const { return !match_.empty(); }
  // The stop string that matched; empty: none yet.
  const std::string& match() const { return match_; }

 private:
  // A Knuth-Morris-Pratt automaton: `length` bytes of the stop string are a suffix of the
  // text so far.
  struct Pattern {
    std::string stop;
    std::vector<size_t> fallback;  // [stop.size()]: longest proper border of each prefix
    size_t length = 0;

    void Advance(char byte);
  };

  std::vector<Pattern> patterns_;
  std::string withheld_;
  std::string match_;
};

}  // namespace aio

#endif  // AIO_ENGINE_STOP_MATCHER_H_
