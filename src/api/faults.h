// The ways a request can be wrong, worded once: every fault names the field as OpenAI does
// ("messages[1].content") and says what to change.
#ifndef AIO_API_FAULTS_H_
#define AIO_API_FAULTS_H_

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/status.h"

namespace aio {

// `expected` with its article: "a string or an array of content parts".
Status WrongType(const std::string& path, std::string_view expected, const nlohmann::json& got);
Status MissingField(const std::string& path, std::string_view expected);
// `problem` goes on from "Invalid value for 'path': ".
Status BadValue(const std::string& path, std::string_view problem);
// `mend` is a whole sentence: "Leave it out."
Status Unsupported(const std::string& path, std::string_view mend);
Status UnknownField(const std::string& path, std::string_view known);

}  // namespace aio

#endif  // AIO_API_FAULTS_H_
