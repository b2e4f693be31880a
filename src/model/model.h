// A loaded model: configuration and weights, const after Load().
#ifndef AIO_MODEL_MODEL_H_
#define AIO_MODEL_MODEL_H_

#include <cstdint>
#include <memory>

#include "base/status.h"
#include "model/config.h"
#include "model/weights.h"

namespace aio {

class GgufFile;

// Immutable after Load(); thread-safe. Keeps the file mapped.
class Model {
 public:
  // Every tensor's presence, type and shape is checked against the configuration.
  static Result<std::shared_ptr<const Model>> Load(std::shared_ptr<const GgufFile> file);

  const ModelConfig& config() const { return config_; }
  const Weights& weights() const { return weights_; }
  const GgufFile& file() const { return *file_; }
  int64_t weight_bytes() const { return weight_bytes_; }        // resident
  int64_t bytes_per_token() const { return bytes_per_token_; }  // read by one decode step
  int64_t parameters() const { return parameters_; }

 private:
  Model() = default;
  std::shared_ptr<const GgufFile> file_;
  ModelConfig config_;
  Weights weights_;
  int64_t weight_bytes_ = 0;
  int64_t bytes_per_token_ = 0;
  int64_t parameters_ = 0;
};

}  // namespace aio

#endif  // AIO_MODEL_MODEL_H_
