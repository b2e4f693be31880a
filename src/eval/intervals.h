// Intervals for any figure of a sample; those for a proportion are in base/clopper_pearson.h.
#ifndef AIO_EVAL_INTERVALS_H_
#define AIO_EVAL_INTERVALS_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "base/clopper_pearson.h"

namespace aio {

// The percentile bootstrap (Efron 1979): `statistic` of `resamples` samples of `size` indices
// drawn with replacement, by a generator seeded with `seed`. Two-sided.
Interval Bootstrap(int size, double confidence,
                   const std::function<double(const std::vector<int>& sample)>& statistic,
                   int resamples = 1000, uint64_t seed = 1);

}  // namespace aio

#endif  // AIO_EVAL_INTERVALS_H_
