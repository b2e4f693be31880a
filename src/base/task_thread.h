// Runs tasks one after another on a thread of its own.
#ifndef AIO_BASE_TASK_THREAD_H_
#define AIO_BASE_TASK_THREAD_H_

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace aio {

// Thread-safe.
class TaskThread {
 public:
  TaskThread();
  // Waits for the tasks that were posted; none may be posted by others meanwhile.
  ~TaskThread();

  void Post(std::function<void()> task);

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;  // guarded by mutex_, as the next
  bool ends_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace aio

#endif  // AIO_BASE_TASK_THREAD_H_
