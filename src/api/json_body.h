// From the bytes of a request body to a JSON object, trusting nothing.
#ifndef AIO_API_JSON_BODY_H_
#define AIO_API_JSON_BODY_H_

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "base/status.h"

namespace aio {

// Deeper nesting than any request needs; bounds recursion in whoever walks the value.
inline constexpr int kJsonDepthMax = 64;

// Refuses, naming the byte: ill-formed UTF-8, lone surrogates, nesting beyond kJsonDepthMax,
// anything after the value; and without one: numbers no double can hold, a value that is no
// object. Of duplicate keys the last wins.
Status ParseJsonObject(std::string_view body, nlohmann::json& object);

}  // namespace aio

#endif  // AIO_API_JSON_BODY_H_
