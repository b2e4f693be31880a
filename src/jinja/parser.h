// Reads a template. Internal to jinja/.
#ifndef AIO_JINJA_PARSER_H_
#define AIO_JINJA_PARSER_H_

#include <string_view>

#include "base/status.h"
#include "jinja/syntax_tree.h"

namespace aio {

// kInvalidArgument for what is no template, kUnimplemented for what Jinja has and this has not;
// both name the line.
Result<JinjaBlock> ParseJinja(std::string_view source);

}  // namespace aio

#endif  // AIO_JINJA_PARSER_H_
