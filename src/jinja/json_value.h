// JSON to values and back, as Python's json module has it.
#ifndef AIO_JINJA_JSON_VALUE_H_
#define AIO_JINJA_JSON_VALUE_H_

#include <string>
#include <string_view>

#include "base/status.h"
#include "jinja/marked_text.h"
#include "jinja/value.h"

namespace aio {

// All texts in it are data; members keep their order, and of equal names the last counts. Whole
// numbers beyond 64 bits become floats. kInvalidArgument for what is no JSON or deeper than 64.
Result<JinjaValue> ParseJsonValue(std::string_view json);

struct JsonStyle {
  int indent = -1;  // spaces a level; < 0: one line
  std::string item_separator = ", ";
  std::string key_separator = ": ";
  bool ensure_ascii = false;
  bool sort_keys = false;
};

// json.dumps(value); what is none of a text's own characters is data. With an indent, Python takes
// "," for the item separator: that is the caller's to say. kInvalidArgument for what JSON cannot
// hold: undefined values and objects.
Result<MarkedText> WriteJsonValue(const JinjaValue& value, const JsonStyle& style = {});

}  // namespace aio

#endif  // AIO_JINJA_JSON_VALUE_H_
