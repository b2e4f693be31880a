// Seeded draws for generated suites of prompts: the same seed gives the same prompts with any
// standard library.
#ifndef AIO_EVAL_SUITE_DRAW_H_
#define AIO_EVAL_SUITE_DRAW_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"

namespace aio {

// Which of a suite's wordings are used. A defence is made and tuned while looking at one half and
// measured on the other, which it has never seen.
enum class Wordings { kAll, kTuning, kHeldOut };

class SuiteDraw {
 public:
  explicit SuiteDraw(uint64_t seed, Wordings wordings = Wordings::kAll)
      : random_(seed), wordings_(wordings) {}

  // 0 <= result < count. The bias of the remainder is far below what a suite could show.
  size_t Below(size_t count) {
    AIO_CHECK(count > 0);
    return static_cast<size_t>(random_() % count);
  }
  size_t Between(size_t least, size_t most) { return least + Below(most - least + 1); }
  bool Chance(int percent) { return Below(100) < static_cast<size_t>(percent); }

  // Any element; for what is no wording: names, numbers, base prompts.
  template <typename List>
  const auto& Any(const List& list) {
    return *std::next(std::begin(list), static_cast<ptrdiff_t>(Below(std::size(list))));
  }
  // Of the half that is in use: elements at even places are for tuning, at odd ones held out. At
  // least two elements.
  template <typename List>
  const auto& Pick(const List& list) {
    if (wordings_ == Wordings::kAll) return Any(list);
    const size_t odd = wordings_ == Wordings::kHeldOut ? 1 : 0;
    const size_t half = (std::size(list) + 1 - odd) / 2;
    return *std::next(std::begin(list), static_cast<ptrdiff_t>(2 * Below(half) + odd));
  }
  template <typename T>
  void Shuffle(std::vector<T>& list) {
    for (size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[Below(i)]);
  }

 private:
  std::mt19937_64 random_;  // its numbers are the standard's; those of distributions are not
  const Wordings wordings_;
};

}  // namespace aio

#endif  // AIO_EVAL_SUITE_DRAW_H_
