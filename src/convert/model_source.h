// A model that is to be written as GGUF, wherever its weights lie.
#ifndef AIO_CONVERT_MODEL_SOURCE_H_
#define AIO_CONVERT_MODEL_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "formats/gguf_writer.h"
#include "kernels/matrix.h"

namespace aio {

struct SourceTensor {
  std::string name;            // in GGUF
  std::string stored_name;     // where it comes from, for messages
  std::vector<uint64_t> dims;  // GGUF order: dims[0] is contiguous ("columns")
  WeightType type = WeightType::kF32;
  std::span<const std::byte> data;  // at any address
  // Of so many heads, each with its rows as two halves (i, i + size/2), the rows are to be
  // written as pairs (2i, 2i + 1): how GGUF wants llama's Q and K. 0: rows stay as they are.
  int heads_to_interleave = 0;
  // Says that `part` of the data is not needed soon. Null where that would not help.
  std::function<void(std::span<const std::byte> part)> release;
};

struct ModelSource {
  std::string path;
  std::unique_ptr<GgufWriter> header;               // all metadata but for the file's type
  std::vector<SourceTensor> tensors;                // in the order in which they are to be written
  std::vector<std::string> files;                   // those read
  uint64_t bytes = 0;                               // of them
  std::vector<std::string> notes;                   // what was left out or guessed, for people
  std::vector<std::shared_ptr<const void>> owners;  // keep `data` where it is
};

// Only models that this program runs: errors name the file and the key or tensor.
Result<ModelSource> OpenGgufSource(const std::string& path);

}  // namespace aio

#endif  // AIO_CONVERT_MODEL_SOURCE_H_
