// A member of a JSON text as it is written, which a parsed tree does not keep.
#ifndef AIO_API_JSON_MEMBER_TEXT_H_
#define AIO_API_JSON_MEMBER_TEXT_H_

#include <string_view>
#include <vector>

namespace aio {

// The value at `path` of the object `json`, which ParseJsonObject() has accepted: names from the
// outside in. A view into `json`; empty when there is none. Of duplicate names the last counts.
std::string_view MemberText(std::string_view json, const std::vector<std::string_view>& path);

// The elements of an array, which is such a value.
std::vector<std::string_view> ElementTexts(std::string_view array);

}  // namespace aio

#endif  // AIO_API_JSON_MEMBER_TEXT_H_
