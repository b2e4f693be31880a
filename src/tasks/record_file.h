// The records of a run, and of earlier ones that it goes on from.
#ifndef AIO_TASKS_RECORD_FILE_H_
#define AIO_TASKS_RECORD_FILE_H_

#include <map>
#include <string>
#include <string_view>

#include "base/status.h"
#include "tasks/run_record.h"

namespace aio {

// JSON lines, one a record, written as they come: what stood in the file when a run was killed is
// found again by its key. Lines that cannot be read, as one torn in the middle, are counted and
// left alone. Not thread-safe.
class RecordFile {
 public:
  // In memory only.
  RecordFile() = default;
  // A file that is not there is made. kInvalidArgument if it cannot be written,
  // or holds something else.
  static Result<RecordFile> Open(const std::string& path);
  // Of the rows of `text`, without a file.
  static RecordFile Parse(std::string_view text);

  // Null: not there. Stays where it is until the file is destroyed.
  const RunRecord* Find(const std::string& key) const;
  // On the disk when this returns, as far as the system says; a record is kept in memory whatever
  // happens to the file.
  Status Add(const RunRecord& record);

  size_t size() const { return records_.size(); }
  int unreadable_lines() const { return unreadable_lines_; }

 private:
  std::string path_;
  std::map<std::string, RunRecord, std::less<>> records_;  // by key; of equal keys the last
  int unreadable_lines_ = 0;
  bool ends_in_mid_line_ = false;
};

}  // namespace aio

#endif  // AIO_TASKS_RECORD_FILE_H_
