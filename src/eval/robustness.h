// How hard a router is to fool: where it sends attacked prompts, prompts with two intents, and
// clean ones, which a defence must not cost.
#ifndef AIO_EVAL_ROBUSTNESS_H_
#define AIO_EVAL_ROBUSTNESS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "backend/backend.h"
#include "base/status.h"
#include "eval/attack_suite.h"

namespace aio {

struct CleanPrompt {
  std::string text;
  std::string intent;  // what is right for it: "code", ...
};

struct RobustnessSuites {
  std::vector<SuitePrompt> attacked;
  std::vector<SuitePrompt> multi_intent;
  std::vector<CleanPrompt> clean;
  std::string small_intent = "code";  // of the clean prompts that the small model is to answer

  size_t size() const { return attacked.size() + multi_intent.size() + clean.size(); }
};

// So many of so many.
struct Share {
  int of = 0;
  int count = 0;

  double percent() const { return of == 0 ? 0 : 100.0 * count / of; }
};

struct NamedShare {
  std::string name;
  Share share;
};

struct RobustnessReport {
  Share attack_success;               // attacked prompts that went to the small model
  std::vector<NamedShare> by_attack;  // by kind, in the suite's order
  Share multi_intent_to_large;
  std::vector<NamedShare> by_pair;      // likewise
  Share clean_right;                    // clean prompts sent where they belong ...
  std::vector<NamedShare> by_intent;    // ... by the right intent
  Share clean_intent_right;             // clean prompts whose intent the probe named
  int refused = 0;                      // prompts too long for either model; not counted above
  double decision_ms = 0;               // mean time of the probe, all prompts
  std::vector<std::string> successful;  // texts of the attacked prompts that went to the small one
};

// Asks `router` for every prompt's decision. `progress` (may be empty) gets the number of prompts
// done. Fails with the router's first fault, which names the prompt's number.
Result<RobustnessReport> MeasureRobustness(Backend& router, const RobustnessSuites& suites,
                                           const std::function<void(size_t done)>& progress);

}  // namespace aio

#endif  // AIO_EVAL_ROBUSTNESS_H_
