// Which instruction set the kernels run with. Chosen once, at the first use of a kernel
// or explicitly before: the best this machine has, or the one AIO_TARGET names.
#ifndef AIO_KERNELS_TARGET_H_
#define AIO_KERNELS_TARGET_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aio {

// What was compiled in and this machine can run, best first; always ends with "scalar".
std::vector<std::string> AvailableTargets();

// The one in use: "avx512_vnni", "avx512", "avx2", "sse4", "neon" or "scalar". For logs and
// `inspect`.
std::string_view ActiveTarget();

// Forces one for the whole process. kInvalidArgument for a name that is unknown or not
// available here, with the list of those that are; the choice then stays as it was. Not
// while a kernel runs: results of one computation must come from one instruction set.
Status SelectTarget(std::string_view name);

// Applies AIO_TARGET if it is set and not empty. main() calls this to report a bad value;
// programs that do not call it (tests) still get AIO_TARGET at the first use of a kernel,
// a bad value ignored.
Status SelectTargetFromEnvironment();

namespace internal {
// Called by every kernel before it dispatches; cheap after the first time.
void EnsureTargetChosen();
// Whether the chosen target has AVX-512 VNNI, after that.
bool HasVnni();
}  // namespace internal

}  // namespace aio

#endif  // AIO_KERNELS_TARGET_H_
