// A model file's sizes, for simulations of it.
#ifndef AIO_APP_FILE_SHAPE_H_
#define AIO_APP_FILE_SHAPE_H_

#include <string>

#include "base/status.h"
#include "model/model.h"
#include "model/synthesize.h"
#include "sim/weight_kinds.h"

namespace aio {

struct FileShape {
  ModelShape shape;
  SimWeights weights = SimWeights::kF16;
};

// kInvalidArgument if the weights are of none of the kinds that are simulated.
Result<FileShape> ShapeOf(const ModelSummary& summary);
// Of a GGUF file, whose weights are not read.
Result<FileShape> ReadFileShape(const std::string& path);

}  // namespace aio

#endif  // AIO_APP_FILE_SHAPE_H_
