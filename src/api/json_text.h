// JSON that is written, with its members in the order they were set. Internal to api/.
#ifndef AIO_API_JSON_TEXT_H_
#define AIO_API_JSON_TEXT_H_

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace aio {

using OrderedJson = nlohmann::ordered_json;

// Compact; ill-formed UTF-8 becomes U+FFFD, numbers JSON has no word for become null.
std::string ToText(const OrderedJson& json);

}  // namespace aio

#endif  // AIO_API_JSON_TEXT_H_
