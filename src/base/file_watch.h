// Notices that files have changed, by looking.
#ifndef AIO_BASE_FILE_WATCH_H_
#define AIO_BASE_FILE_WATCH_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace aio {

// Follows symbolic links, so that a link put elsewhere is a change too. Not thread-safe.
class FileWatch {
 public:
  explicit FileWatch(std::vector<std::string> paths);

  // Looks. True once after a change, when the files are as they were at the last look: whoever
  // writes them is done.
  bool Poll();
  // Whether they are other than at the last look.
  bool Differ() const { return Look() != last_; }

 private:
  struct Stamp {
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t bytes = -1;  // -1: there is no such file
    int64_t modified_ns = 0;

    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  std::vector<Stamp> Look() const;

  std::vector<std::string> paths_;
  std::vector<Stamp> last_;
  bool changing_ = false;
};

}  // namespace aio

#endif  // AIO_BASE_FILE_WATCH_H_
