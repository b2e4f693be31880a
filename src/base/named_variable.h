// Secrets that a setting names by the environment variable that holds them.
#ifndef AIO_BASE_NAMED_VARIABLE_H_
#define AIO_BASE_NAMED_VARIABLE_H_

#include <string>

#include "base/status.h"

namespace aio {

// What the environment variable `name` holds, not empty. What can be no variable's name may be the
// secret itself, written in the wrong place: the message does not repeat it.
Result<std::string> ReadNamedVariable(const std::string& name);

}  // namespace aio

#endif  // AIO_BASE_NAMED_VARIABLE_H_
