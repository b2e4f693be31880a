// Prompts made from a seed, for suites that need no data: requests for short programs, questions
// about the invented world that the bundled models know, sums and stories; and program text.
#ifndef AIO_EVAL_MADE_PROMPTS_H_
#define AIO_EVAL_MADE_PROMPTS_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "eval/suite_draw.h"

namespace aio {

// `pattern` with each {x} replaced by its value; other braces stay.
struct Replacement {
  std::string_view mark;  // "{x}"
  std::string value;
};
std::string FillIn(std::string_view pattern, const std::vector<Replacement>& values);

std::string MadeCodePrompt(SuiteDraw& draw);
std::string MadeQuestion(SuiteDraw& draw);
std::string MadeMathPrompt(SuiteDraw& draw);

// Functions one after another, at least `bytes` long and at most one function longer.
std::string MadeProgram(SuiteDraw& draw, size_t bytes);

}  // namespace aio

#endif  // AIO_EVAL_MADE_PROMPTS_H_
