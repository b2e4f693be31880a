// Writes a model as GGUF with its matrices in another encoding, a few MB at a time: a model
// far larger than memory is converted as well.
#ifndef AIO_CONVERT_QUANTIZE_H_
#define AIO_CONVERT_QUANTIZE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "convert/model_source.h"
#include "kernels/matrix.h"

namespace aio {

struct QuantizeOptions {
  WeightType type = WeightType::kQ8_0;
  int num_threads = 1;
  // Bytes read so far and in all; may be null.
  std::function<void(int64_t done, int64_t total)> progress;
  // Asked now and then; may be null. True ends the work with kCancelled.
  std::function<bool()> cancelled;
};

struct QuantizeSummary {
  struct Group {
    int64_t tensors = 0;
    int64_t bytes = 0;
  };
  std::map<std::string, Group> by_type;  // "Q4_K", "F32", ...
  // A matrix that could not have the type it was meant to have.
  struct Fallback {
    std::string name;
    uint64_t columns = 0;
    WeightType wanted{};
    WeightType written{};
  };
  std::vector<Fallback> fallbacks;
  int64_t parameters = 0;
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
};

// Matrices become `options.type`; norms, biases and other vectors F32. Types below six bits
// leave the output matrix (the embedding table where that is the output too) in Q6_K, to
// which answers are most sensitive: the mixture that users know as Q4_K_M has it so. Where rows
// are not whole blocks of a type, Q8_0 takes its place, and F16 where they are not whole
// blocks of that either.
//
// The same bytes whatever the number of threads. Atomic: on any failure `path` is as it was.
// Errors name the tensor and the row: kInvalidArgument for weights that are not finite or too
// large for the type, for matrices that are quantised already, unless they are of the type
// that is asked for, when they are copied, and for a `path` that is one of the files read;
// kResourceExhausted when the disk is or would be full.
Result<QuantizeSummary> Quantize(ModelSource source, const std::string& path,
                                 const QuantizeOptions& options);

}  // namespace aio

#endif  // AIO_CONVERT_QUANTIZE_H_
