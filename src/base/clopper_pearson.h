// Exact intervals for a proportion.
#ifndef AIO_BASE_CLOPPER_PEARSON_H_
#define AIO_BASE_CLOPPER_PEARSON_H_

#include <cstdint>

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

}  // namespace aio

#endif  // AIO_BASE_CLOPPER_PEARSON_H_
