// From candidates to a policy: the Pareto front, and the fastest that keeps within a loss.
#ifndef AIO_EVAL_CHOOSE_POLICY_H_
#define AIO_EVAL_CHOOSE_POLICY_H_

#include <vector>

#include "eval/calibration.h"

namespace aio {

struct PolicyChoiceInput {
  StudyArms arms;
  // With calibrated probabilities ...
  std::vector<StudyQuery> fit;
  std::vector<StudyQuery> tune;
  std::vector<StudyQuery> held_out;
  // ... and as the probe gives them, for the paper's policy.
  std::vector<StudyQuery> fit_uncalibrated;
  std::vector<StudyQuery> tune_uncalibrated;
  std::vector<StudyQuery> held_out_uncalibrated;
};

// Candidates are tried in the order of their loss on the tune split, the most careful first, each
// against "its loss is above loss_max" on the held-out split, until one fails (fixed-sequence
// testing): that the chosen one keeps within loss_max then holds with the confidence of a single
// test, however many were tried.
RoutingReport ChoosePolicy(PolicyChoiceInput input, const CalibrationOptions& options);

}  // namespace aio

#endif  // AIO_EVAL_CHOOSE_POLICY_H_
