// The filters that take lists. Internal to jinja/.
#ifndef AIO_JINJA_LIST_FILTERS_H_
#define AIO_JINJA_LIST_FILTERS_H_

#include <string_view>

#include "jinja/run.h"

namespace aio {

// Null: there is none.
const JinjaFunction* FindJinjaListFilter(std::string_view name);

}  // namespace aio

#endif  // AIO_JINJA_LIST_FILTERS_H_
