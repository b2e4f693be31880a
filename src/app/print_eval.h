// What `aio eval` shows of its figures.
#ifndef AIO_APP_PRINT_EVAL_H_
#define AIO_APP_PRINT_EVAL_H_

#include <string>

#include "app/eval_run.h"

namespace aio {

// "mmlu", "mmlu at 32768 tokens".
std::string EvalTaskTitle(const EvalFigure& figure);

// A table for each task, a row for each configuration.
std::string EvalTables(const EvalReport& report);

// All of the report, and what it was asked with, as JSON.
std::string EvalJson(const EvalSettings& settings, const EvalReport& report);

}  // namespace aio

#endif  // AIO_APP_PRINT_EVAL_H_
