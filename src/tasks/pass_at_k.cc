#include "tasks/pass_at_k.h"

#include "base/check.h"

namespace aio {

double PassAtK(int samples, int right, int k) {
  AIO_CHECK(k >= 1 && k <= samples && right >= 0 && right <= samples);
  if (samples - right < k) return 1;
  double all_wrong = 1;  // the quotient as a product: no binomial overflows
  for (int i = samples - right + 1; i <= samples; ++i) {
    all_wrong *= 1 - static_cast<double>(k) / i;
  }
  return 1 - all_wrong;
}

}  // namespace aio
