#ifndef AIO_EVAL_DATA_FILE_H_
#define AIO_EVAL_DATA_FILE_H_

#include <string>

#include "base/status.h"

namespace aio {

// A file of a data set, whole; one whose name ends in ".gz" is uncompressed. kNotFound if it
// cannot be opened; kInvalidArgument if it is no regular file, broken, or holds over 1 GiB.
Result<std::string> ReadDataFile(const std::string& path);

}  // namespace aio

#endif  // AIO_EVAL_DATA_FILE_H_
