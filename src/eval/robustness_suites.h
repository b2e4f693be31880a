// The suites of a robustness measurement, made from labelled prompts.
#ifndef AIO_EVAL_ROBUSTNESS_SUITES_H_
#define AIO_EVAL_ROBUSTNESS_SUITES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "eval/labelled_queries.h"
#include "eval/robustness.h"
#include "eval/suite_draw.h"

namespace aio {

struct RobustnessSuiteOptions {
  uint64_t seed = 1;
  int bases = 200;                 // prompts that are attacked, as many of each intent as there are
  int attacked = 700;              // prompts made from them
  int multi_intent = 300;          // prompts with two intents
  int clean = 100;                 // prompts of each intent as they are
  Wordings half = Wordings::kAll;  // of the wordings, and of the prompts, by a hash of their text
  std::string target = "code";     // the intent that the small model answers
};

// From the last message of each of `queries`; those without an intent are not used. Prompts of
// `target` are program text to hide questions in; the others are attacked. kInvalidArgument if
// there are none of either.
Result<RobustnessSuites> MakeRobustnessSuites(const std::vector<LabelledQuery>& queries,
                                              const RobustnessSuiteOptions& options);

// Prompts of the closed world that the bundled models know, so many of each of code, qa and math.
std::vector<LabelledQuery> MadeQueries(int each, SuiteDraw draw);

}  // namespace aio

#endif  // AIO_EVAL_ROBUSTNESS_SUITES_H_
