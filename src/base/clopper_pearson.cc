#include "base/clopper_pearson.h"

#include <boost/math/special_functions/beta.hpp>

#include "base/check.h"

namespace aio {

double ClopperPearsonUpper(int64_t successes, int64_t trials, double confidence) {
  AIO_CHECK(successes >= 0 && successes <= trials && confidence > 0 && confidence < 1);
  if (successes == trials) return 1;
  return boost::math::ibeta_inv(static_cast<double>(successes + 1),
                                static_cast<double>(trials - successes), confidence);
}

Interval ClopperPearson(int64_t successes, int64_t trials, double confidence) {
  const double one_sided = (1 + confidence) / 2;
  return {1 - ClopperPearsonUpper(trials - successes, trials, one_sided),
          ClopperPearsonUpper(successes, trials, one_sided)};
}

}  // namespace aio
