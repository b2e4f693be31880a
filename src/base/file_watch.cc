#include "base/file_watch.h"

#include <sys/stat.h>

namespace aio {

FileWatch::FileWatch(std::vector<std::string> paths) : paths_(std::move(paths)), last_(Look()) {}

std::vector<FileWatch::Stamp> FileWatch::Look() const {
  constexpr int64_t kNsPerSecond = 1'000'000'000;
  std::vector<Stamp> stamps(paths_.size());
  for (size_t i = 0; i < paths_.size(); ++i) {
    struct stat info {};
    if (::stat(paths_[i].c_str(), &info) != 0) continue;
    stamps[i] = {.device = info.st_dev,
                 .inode = info.st_ino,
                 .bytes = info.st_size,
                 .modified_ns = info.st_mtim.tv_sec * kNsPerSecond + info.st_mtim.tv_nsec};
  }
  return stamps;
}

bool FileWatch::Poll() {
  std::vector<Stamp> now = Look();
  if (now != last_) {
    last_ = std::move(now);
    changing_ = true;
    return false;
  }
  return std::exchange(changing_, false);
}

}  // namespace aio
