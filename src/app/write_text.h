#ifndef AIO_APP_WRITE_TEXT_H_
#define AIO_APP_WRITE_TEXT_H_

#include <string>
#include <string_view>

#include "base/status.h"

namespace aio {

// The file is `text` when this returns ok; what it was is gone.
Status WriteText(const std::string& path, std::string_view text);

}  // namespace aio

#endif  // AIO_APP_WRITE_TEXT_H_
