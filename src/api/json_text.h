// JSON that is written, with its members in the order they were set.
#ifndef AIO_API_JSON_TEXT_H_
#define AIO_API_JSON_TEXT_H_

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace aio {

using OrderedJson = nlohmann::ordered_json;

// Ill-formed UTF-8 becomes U+FFFD, numbers JSON has no word for become null. One line, or lines
// indented by `indent` spaces a level.
std::string ToText(const OrderedJson& json, int indent = -1);

// The double that JSON writes as it would the float: 0.7, not 0.699999988079071.
double AsWritten(float value);

}  // namespace aio

#endif  // AIO_API_JSON_TEXT_H_
