// Grading of what `aio bench mixed` was answered, by the graders of `aio eval`.
#ifndef AIO_APP_GRADE_ANSWERS_H_
#define AIO_APP_GRADE_ANSWERS_H_

#include <vector>

#include "app/bench_mixed.h"
#include "base/status.h"
#include "sandbox/protection.h"
#include "traffic/workload_items.h"

namespace aio {

// For items whose lines say what a right answer is (tasks/load_task.h); others it cannot judge.
// Where an item is judged by running the answer, a sandbox is made first, which may fail:
// `may_lack` as in SandboxOptions.
Result<GradeAnswer> MakeGradeAnswer(const std::vector<WorkloadItem>& items,
                                    const std::vector<Protection>& may_lack);

}  // namespace aio

#endif  // AIO_APP_GRADE_ANSWERS_H_
