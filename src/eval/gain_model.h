// A small model of what the large model adds to a query, fitted to outcomes: to see what routing by
// text alone is worth before a policy is made of it.
#ifndef AIO_EVAL_GAIN_MODEL_H_
#define AIO_EVAL_GAIN_MODEL_H_

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "eval/outcome_table.h"

namespace aio {

// A text as a sparse vector of length 1: the words and pairs of neighbouring words in it, by their
// hashes (Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning"). Sorted by
// index; every machine gives the same.
inline constexpr uint32_t kTextFeatures = 1 << 14;
using TextVector = std::vector<std::pair<uint32_t, float>>;
TextVector ToTextVector(std::string_view text);

// Linear. Immutable.
class GainModel {
 public:
  // Ridge regression of outcome large - outcome small on the text's vector: minimises the mean
  // squared error plus `l2` times the squared weights, by conjugate gradients. `queries` not empty;
  // l2 > 0. The same input gives the same model.
  static GainModel Fit(std::span<const OutcomeQuery> queries, double l2);

  // How much better the large model's outcome is expected to be: about -1..1.
  double Predict(std::string_view prompt) const;

 private:
  std::vector<float> weights_;  // [kTextFeatures]
  double mean_ = 0;             // of the gain
};

// Fits with each of a few l2 to three quarters of the queries and takes the one whose order is best
// on the last quarter (by area under the quality-cost curve); then fits to all.
GainModel FitGainModel(std::span<const OutcomeQuery> queries);

// The half that is fitted to, and the half that is measured on: by a hash of the prompt.
struct OutcomeHalves {
  std::vector<OutcomeQuery> fit;
  std::vector<OutcomeQuery> test;
};
OutcomeHalves SplitOutcomes(const std::vector<OutcomeQuery>& queries);

}  // namespace aio

#endif  // AIO_EVAL_GAIN_MODEL_H_
