// Destroys on a thread of its own what its last user cannot wait for the end of.
#ifndef AIO_APP_RELEASE_THREAD_H_
#define AIO_APP_RELEASE_THREAD_H_

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "base/task_thread.h"

namespace aio {

// An engine's last user is often one of its own threads, which the engine's destructor waits for.
// Thread-safe.
class ReleaseThread {
 public:
  // Waits until nobody has anything any more that was shared.
  ~ReleaseThread() {
    std::unique_lock lock(mutex_);
    released_.wait(lock, [this] { return shared_ == 0; });
  }

  // `object`, destroyed by this thread when nobody has it any more; then `done` is called there.
  template <typename T>
  std::shared_ptr<T> Share(std::unique_ptr<T> object, std::function<void()> done) {
    {
      const std::lock_guard lock(mutex_);
      ++shared_;
    }
    return std::shared_ptr<T>(object.release(), [this, done = std::move(done)](T* last) {
      tasks_.Post([this, last, done] {
        delete last;
        done();
        const std::lock_guard lock(mutex_);
        --shared_;
        released_.notify_all();
      });
    });
  }

 private:
  std::mutex mutex_;
  std::condition_variable released_;
  int shared_ = 0;    // objects; guarded by mutex_
  TaskThread tasks_;  // last: it uses the others
};

}  // namespace aio

#endif  // AIO_APP_RELEASE_THREAD_H_
