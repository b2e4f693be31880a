// The program src/sandbox/init/, which the library carries in itself, so that it works wherever
// its user is installed.
#ifndef AIO_SANDBOX_EMBEDDED_INIT_H_
#define AIO_SANDBOX_EMBEDDED_INIT_H_

#include <string_view>

namespace aio {

std::string_view EmbeddedInit();  // an executable file

}  // namespace aio

#endif  // AIO_SANDBOX_EMBEDDED_INIT_H_
