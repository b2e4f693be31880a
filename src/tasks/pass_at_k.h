#ifndef AIO_TASKS_PASS_AT_K_H_
#define AIO_TASKS_PASS_AT_K_H_

namespace aio {

// The unbiased estimate of the probability that at least one of k samples is right, `right` of
// `samples` being so: 1 - C(n - c, k) / C(n, k) (Chen et al. 2021, "Evaluating Large Language
// Models Trained on Code"). 1 <= k <= samples, 0 <= right <= samples.
double PassAtK(int samples, int right, int k);

}  // namespace aio

#endif  // AIO_TASKS_PASS_AT_K_H_
