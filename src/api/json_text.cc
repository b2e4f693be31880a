#include "api/json_text.h"

#include <nlohmann/json.hpp>

namespace aio {

std::string ToText(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace aio
