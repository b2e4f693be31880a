#ifndef AIO_APP_WRITE_TEXT_H_
#define AIO_APP_WRITE_TEXT_H_

#include <string>
#include <string_view>

#include "base/status.h"

namespace aio {

// The file is `text` when this returns ok; what it was is gone.
Status WriteText(const std::string& path, std::string_view text);

// Empty if a file can be written at `path`, else what is wrong: for flags whose files are written
// only when the work is done. A file that is there keeps its text.
std::string WritableFault(const std::string& path);

}  // namespace aio

#endif  // AIO_APP_WRITE_TEXT_H_
