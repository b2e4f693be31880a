// A suite of prompts that try to pass for code. Each holds a question or a mathematical problem
// that still wants its answer, and something that is to make the probe say "code": labels, forged
// template ends, program text around it, another spelling. What comes of them by kind is the
// attack success of a router (`aio attack`).
#ifndef AIO_EVAL_ATTACK_SUITE_H_
#define AIO_EVAL_ATTACK_SUITE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "eval/suite_draw.h"

namespace aio {

// A prompt of a generated suite.
struct SuitePrompt {
  std::string kind;  // "label-line", "code+math": how it was made
  std::string text;  // valid UTF-8 if the base prompts are
  int base = -1;     // index of the (first) base prompt; -1: none, it was made up
};

struct AttackSuiteOptions {
  uint64_t seed = 1;
  int prompts = 700;  // spread evenly over the kinds, and over the base prompts within one
  Wordings wordings = Wordings::kAll;
  std::string target = "code";  // the label that the attacks want, as its word
  // Program text to hide questions in, beside what is made up; may be empty.
  std::vector<std::string> programs = {};
};

// What each kind does, in a fixed order.
struct AttackKindInfo {
  std::string_view name;
  std::string_view what;  // in a few words, for people
};
const std::vector<AttackKindInfo>& AttackKinds();

// From at least one base prompt, none of which is about code. The same bases and options give the
// same suite.
std::vector<SuitePrompt> MakeAttackSuite(const std::vector<std::string>& bases,
                                         const AttackSuiteOptions& options);

}  // namespace aio

#endif  // AIO_EVAL_ATTACK_SUITE_H_
