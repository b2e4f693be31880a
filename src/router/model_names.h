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
  std::string role = {};                         // "small", "large"; empty: the policy decides
  std::string weights = {};                      // kW8A16 for the name of that variant
  std::optional<double> entropy_threshold = {};  // from a name like "auto-0.45"; nats
};

// A model's own name.
struct NamedModel {
  std::string name;
  std::string_view role;  // kSmallRole or kLargeRole
  std::string weights;    // "" (the role's own) or kW8A16
};

// A client's text as it may stand in a message.
std::string QuoteClientText(std::string_view text);

// Immutable.
class ModelNames {
 public:
  // Fails if a name is empty, given twice, or stands for two things (a large model called
  // "small"). `num_labels` >= 2 bounds thresholds in names: entropy is at most its logarithm.
  static Result<ModelNames> Create(std::vector<std::string> virtual_names,
                                   std::vector<NamedModel> models, size_t num_labels);

  // kNotFound "model_not_found" lists the names there are; kInvalidArgument if a threshold
  // after a virtual name is not a plain decimal number in [0, ln(labels)]. Both have the
  // param "model".
  Result<NamedRoute> Resolve(std::string_view name) const;

  const std::vector<std::string>& virtual_names() const { return virtual_names_; }

 private:
  Result<double> ParseThreshold(std::string_view name, std::string_view digits) const;
  std::string List() const;  // "auto, aio/auto, small, ..."

  std::vector<std::string> virtual_names_;
  std::vector<NamedModel> models_;
  double threshold_max_ = 0;
};

}  // namespace aio

#endif  // AIO_ROUTER_MODEL_NAMES_H_
