// Prompts with two intents in one: "write this function, and then solve that problem". A model
// that is good at one of them only is the wrong one, so these belong to the large model.
#ifndef AIO_EVAL_MULTI_INTENT_SUITE_H_
#define AIO_EVAL_MULTI_INTENT_SUITE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "eval/attack_suite.h"
#include "eval/suite_draw.h"

namespace aio {

struct MultiIntentOptions {
  uint64_t seed = 1;
  int prompts = 300;  // spread evenly over the pairs of labels and their orders
  Wordings wordings = Wordings::kAll;
};

// Of each ordered pair of the labels "code", "math" and "qa" that has "code" in it, and of math
// with qa; kinds are called "code+math". A third of the prompts, and all of a label without base
// prompts, are made up (made_prompts.h).
//   bases   by label; other labels are not used
std::vector<SuitePrompt> MakeMultiIntentSuite(
    const std::map<std::string, std::vector<std::string>>& bases,
    const MultiIntentOptions& options);

}  // namespace aio

#endif  // AIO_EVAL_MULTI_INTENT_SUITE_H_
