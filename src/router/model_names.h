// What the `model` of a request may say, and what that means.
#ifndef AIO_ROUTER_MODEL_NAMES_H_
#define AIO_ROUTER_MODEL_NAMES_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aio {

struct NamedRoute {
  std::string role;                         // "small", "large"; empty: the policy decides
  std::optional<double> entropy_threshold;  // from a name like "auto-0.45"; nats
};

// Immutable.
class ModelNames {
 public:
  // Fails if a name is empty, given twice, or stands for two things (a large model called
  // "small"). `num_labels` >= 2 bounds thresholds in names: entropy is at most its logarithm.
  static Result<ModelNames> Create(std::vector<std::string> virtual_names, std::string small_model,
                                   std::string large_model, size_t num_labels);

  // kNotFound "model_not_found" lists the names there are; kInvalidArgument if a threshold
  // after a virtual name is not a plain decimal number in [0, ln(labels)]. Both have the
  // param "model".
  Result<NamedRoute> Resolve(std::string_view name) const;

  const std::vector<std::string>& virtual_names() const { return virtual_names_; }

 private:
  Result<double> ParseThreshold(std::string_view name, std::string_view digits) const;
  std::string List() const;  // "auto, aio/auto, small, ..."

  std::vector<std::string> virtual_names_;
  std::string small_model_;
  std::string large_model_;
  double threshold_max_ = 0;
};

}  // namespace aio

#endif  // AIO_ROUTER_MODEL_NAMES_H_
