#include "api/json_text.h"

#include <nlohmann/json.hpp>

namespace aio {

std::string ToText(const OrderedJson& json, int indent) {
  return json.dump(indent, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace aio
