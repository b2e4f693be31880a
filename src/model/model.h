// A loaded model: configuration and weights, const after Load().
#ifndef AIO_MODEL_MODEL_H_
#define AIO_MODEL_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/page_memory.h"
#include "base/status.h"
#include "model/config.h"
#include "model/load_weights.h"
#include "model/weights.h"

namespace aio {

class GgufFile;

// What can be said of a model before its weights are read.
struct ModelSummary {
  ModelConfig config;
  int64_t parameters = 0;
  int64_t weight_bytes = 0;     // resident
  int64_t bytes_per_token = 0;  // read by one decode step, without the KV cache
  bool tied = false;            // the output is the embedding table
};
// Every tensor's presence, type and shape is checked against the configuration.
Result<ModelSummary> Summarize(const GgufFile& file);

// Immutable after Load(); thread-safe. Keeps the file mapped.
class Model {
 public:
  // Summarize()'s checks, then the weights. kResourceExhausted when memory does not suffice.
  static Result<std::shared_ptr<const Model>> Load(std::shared_ptr<const GgufFile> file,
                                                   const LoadOptions& options = {});

  const ModelSummary& summary() const { return summary_; }
  const ModelConfig& config() const { return summary_.config; }
  const Weights& weights() const { return weights_; }
  const GgufFile& file() const { return *file_; }
  // GgufFingerprint() of the file.
  const std::string& fingerprint() const { return fingerprint_; }
  // The matrices as they lie in memory, one after the other.
  std::span<const std::byte> packed_weights() const { return {packed_.data(), packed_.bytes()}; }

 private:
  Model() = default;
  std::shared_ptr<const GgufFile> file_;
  std::string fingerprint_;
  ModelSummary summary_;
  Weights weights_;
  PageMemory packed_;
};

}  // namespace aio

#endif  // AIO_MODEL_MODEL_H_
