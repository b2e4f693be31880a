// Records of load as a file of JSON lines, written as they come.
#ifndef AIO_APP_RECORD_LINES_H_
#define AIO_APP_RECORD_LINES_H_

#include <fstream>
#include <memory>
#include <string>

#include "base/status.h"
#include "traffic/load_json.h"
#include "traffic/load_record.h"

namespace aio {

class RecordLines {
 public:
  // Makes the file anew; kInvalidArgument if it cannot.
  static Result<std::unique_ptr<RecordLines>> Create(const std::string& path);

  void Add(const LoadRecord& record, const RecordTags& tags);
  // kInternal if not all could be written.
  Status Finish();

 private:
  explicit RecordLines(const std::string& path);

  const std::string path_;
  std::ofstream out_;
};

}  // namespace aio

#endif  // AIO_APP_RECORD_LINES_H_
