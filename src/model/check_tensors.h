// What a file's list of tensors says about whether its model can be run at all.
#ifndef AIO_MODEL_CHECK_TENSORS_H_
#define AIO_MODEL_CHECK_TENSORS_H_

#include "base/status.h"
#include "formats/gguf.h"
#include "model/config.h"

namespace aio {

// kUnimplemented with the names of the tensors that the architecture's graph has no place
// for (ignored, they would make the model answer other than its authors meant: a bias, an
// expert, a norm more), or of those whose type cannot be run, with their types.
Status CheckTensors(const GgufFile& file, const ModelConfig& config);

}  // namespace aio

#endif  // AIO_MODEL_CHECK_TENSORS_H_
