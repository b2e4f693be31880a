#include "router/signals.h"

#include <algorithm>

namespace aio {

bool RoleSignals::HasWeights(std::string_view weights) const {
  return weights.empty() || std::find(variants.begin(), variants.end(), weights) != variants.end();
}

}  // namespace aio
