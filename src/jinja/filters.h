// Jinja's filters and tests, by name. Internal to jinja/.
#ifndef AIO_JINJA_FILTERS_H_
#define AIO_JINJA_FILTERS_H_

#include <string_view>

#include "jinja/run.h"

namespace aio {

// Null: there is none here.
const JinjaFunction* FindJinjaFilter(std::string_view name);
const JinjaFunction* FindJinjaTest(std::string_view name);

}  // namespace aio

#endif  // AIO_JINJA_FILTERS_H_
