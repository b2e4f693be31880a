// A fixed set of workers that run one parallel loop at a time; made for the step of a
// model, whose many short loops follow each other within microseconds.
#ifndef AIO_BASE_THREAD_POOL_H_
#define AIO_BASE_THREAD_POOL_H_

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace aio {

// ParallelFor is called from one thread at a time (the engine's); calls do not nest.
class ThreadPool {
 public:
  // `num_threads` >= 1 counts the calling thread, so 1 starts no worker. Throws
  // std::system_error when the machine does not give that many. With `pin` each thread
  // keeps to one of the cores that the process may use; the caller from its first loop on.
  explicit ThreadPool(int num_threads, bool pin = false);
  ~ThreadPool() { Stop(); }
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int num_threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls body(task, thread) once for each task in [0, num_tasks) and returns when all
  // are done; `thread` in [0, num_threads) names the per-thread scratch space to use. Each
  // thread begins with a run of neighbouring tasks of its own, so that tasks in the order of
  // memory stream it, and then helps the others: a body's result must not depend on which
  // thread runs it. Does not allocate.
  template <typename Body>
  void ParallelFor(size_t num_tasks, const Body& body) {
    ParallelForRuns(num_tasks, [&](size_t begin, size_t end, int thread) {
      for (size_t task = begin; task < end; ++task) body(task, thread);
    });
  }

  // The same with body(begin, end, thread) for runs [begin, end) of tasks: long ones at first,
  // for whose sake a stream need not be broken off, shorter ones towards the end, so that the
  // threads end together.
  template <typename Body>
  void ParallelForRuns(size_t num_tasks, const Body& body) {
    Run(
        num_tasks,
        [](const void* context, size_t begin, size_t end, int thread) {
          (*static_cast<const Body*>(context))(begin, end, thread);
        },
        &body);
  }

 private:
  using Function = void (*)(const void* context, size_t begin, size_t end, int thread);

  void Stop();
  void Pin(int thread) const;
  void Run(size_t num_tasks, Function function, const void* context);
  void DrainTasks(int thread);
  void WorkerLoop(int thread);

  // The loop being run; written by the caller before `generation_` is bumped, read by
  // the workers after they saw it.
  Function function_ = nullptr;
  const void* context_ = nullptr;
  // A thread's own tasks that nobody has begun: [next, end). On a cache line of its own.
  struct alignas(64) Share {
    std::atomic<size_t> next{0};
    size_t end = 0;
  };
  const std::unique_ptr<Share[]> shares_;  // [num_threads]
  std::atomic<int> active_workers_{0};
  std::atomic<uint64_t> generation_{0};
  std::atomic<bool> stop_{false};

  std::vector<int> cores_;  // to pin to; empty: do not
  bool caller_is_pinned_ = false;

  std::mutex mutex_;  // only for sleeping: guards nothing but the wait on wake_
  std::condition_variable wake_;
  std::vector<std::thread> workers_;
};

}  // namespace aio

#endif  // AIO_BASE_THREAD_POOL_H_
