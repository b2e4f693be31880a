// What the records of a run add up to: accuracy and speed by task and configuration.
#ifndef AIO_TASKS_EVAL_FIGURES_H_
#define AIO_TASKS_EVAL_FIGURES_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "eval/intervals.h"
#include "tasks/run_record.h"

namespace aio {

struct EvalFigure {
  std::string task;
  int context = 0;  // tokens of a long variant; 0: items alone
  std::string configuration;

  int64_t items = 0;    // prompts: of a long variant, one a depth
  int64_t answers = 0;  // samples included
  int64_t right = 0;
  int64_t refused = 0;  // prompts that the model could not take: wrong
  int64_t cut_off = 0;  // answers that reached max_tokens
  double accuracy = 0;  // 0..1: pass@1
  // Of the accuracy, at 95 %: Clopper-Pearson with one answer to a prompt, else the bootstrap over
  // prompts.
  Interval interval;
  std::vector<std::pair<int, double>> pass_at;  // k and the mean of PassAtK(), k > 1

  int64_t completion_tokens = 0;
  double total_seconds = 0;               // of all answers, one after the other
  double tokens_per_second = 0;           // tokens over seconds: what a user waits for
  double mean_tokens_per_second = 0;      // the mean of the answers' own (the paper's)
  double decoding_tokens_per_second = 0;  // after each answer's first token
  double ttft_ms = 0;                     // mean
  double prompt_tokens = 0;               // mean
  double bytes_per_token = 0;             // read for each token of an answer; 0: unknown
  double on_small = 0;                    // share of answers by the small model
  double acceptance = 0;                  // of guesses that were checked; 0: none were
};

// In the order in which task, context and configuration first come. `ks` above 1 that there are
// samples for are in pass_at.
std::vector<EvalFigure> SummariseRecords(const std::vector<RunRecord>& records,
                                         const std::vector<int>& ks);

}  // namespace aio

#endif  // AIO_TASKS_EVAL_FIGURES_H_
