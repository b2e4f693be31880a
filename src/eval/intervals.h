// Intervals for what was measured on a sample.
#ifndef AIO_EVAL_INTERVALS_H_
#define AIO_EVAL_INTERVALS_H_

#include <cstdint>
#include <functional>
#include <vector>

namespace aio {

struct Interval {
  double low = 0;
  double high = 0;
};

// Clopper and Pearson (1934): exact bounds for a binomial proportion, `successes` of `trials`
// having been seen. They hold at `confidence` whatever the proportion, also when none or all
// were successes, where resampling sees no spread at all. 0 <= successes <= trials;
// 0 < confidence < 1. No trials: [0, 1].
double ClopperPearsonUpper(int64_t successes, int64_t trials, double confidence);  // one-sided
Interval ClopperPearson(int64_t successes, int64_t trials, double confidence);     // two-sided

// The percentile bootstrap (Efron 1979): `statistic` of `resamples` samples of `size` indices
// drawn with replacement, by a generator seeded with `seed`. Two-sided.
Interval Bootstrap(int size, double confidence,
                   const std::function<double(const std::vector<int>& sample)>& statistic,
                   int resamples = 1000, uint64_t seed = 1);

}  // namespace aio

#endif  // AIO_EVAL_INTERVALS_H_
