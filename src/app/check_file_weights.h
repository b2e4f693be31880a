// The check of every weight of a model file, as commands run it.
#ifndef AIO_APP_CHECK_FILE_WEIGHTS_H_
#define AIO_APP_CHECK_FILE_WEIGHTS_H_

#include "base/status.h"
#include "formats/gguf.h"

namespace aio {

// CheckWeights() (model/check_weights.h) with a progress bar. `threads` <= 0: as many as there
// are cores.
Status CheckFileWeights(const GgufFile& file, int threads);

}  // namespace aio

#endif  // AIO_APP_CHECK_FILE_WEIGHTS_H_
