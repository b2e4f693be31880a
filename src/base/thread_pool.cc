#include "base/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>

#include "base/check.h"

namespace aio {

namespace {

// About 20 us of polling: longer than the gap between two loops of one step, shorter
// than anybody would notice as wasted when the engine goes idle.
constexpr int kSpinRounds = 2000;

inline void CpuRelax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Those that the process may use; none when the system does not say.
std::vector<int> UsableCoreNumbers() {
  std::vector<int> cores;
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  }
  return cores;
}

}  // namespace

ThreadPool::ThreadPool(int num_threads, bool pin)
    : shares_(new Share[std::max(num_threads, 1)]),
      cores_(pin ? UsableCoreNumbers() : std::vector<int>()) {
  AIO_CHECK(num_threads >= 1);
  workers_.reserve(num_threads - 1);
  try {
    for (int thread = 1; thread < num_threads; ++thread) {
      workers_.emplace_back([this, thread] { WorkerLoop(thread); });
    }
  } catch (...) {
    Stop();  // those that did start
    throw;
  }
}

void ThreadPool::Stop() {
  {
    std::lock_guard lock(mutex_);
    stop_.store(true, std::memory_order_release);
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

// Where the system refuses, the thread stays free: that is no fault.
void ThreadPool::Pin(int thread) const {
  if (cores_.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cores_[static_cast<size_t>(thread) % cores_.size()], &set);
  pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

void ThreadPool::Run(size_t num_tasks, Function function, const void* context) {
  if (!caller_is_pinned_) {
    Pin(0);
    caller_is_pinned_ = true;
  }
  if (workers_.empty() || num_tasks <= 1) {
    if (num_tasks > 0) function(context, 0, num_tasks, 0);
    return;
  }
  function_ = function;
  context_ = context;
  const size_t threads = workers_.size() + 1;
  for (size_t i = 0; i < threads; ++i) {
    shares_[i].next.store(num_tasks * i / threads, std::memory_order_relaxed);
    shares_[i].end = num_tasks * (i + 1) / threads;
  }
  active_workers_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
  {
    // The lock makes "a worker checked the generation, then slept" impossible to miss.
    std::lock_guard lock(mutex_);
    generation_.fetch_add(1, std::memory_order_release);
  }
  wake_.notify_all();
  DrainTasks(/*thread=*/0);
  // Every worker must have left the loop before its description may change.
  for (int round = 0; active_workers_.load(std::memory_order_acquire) != 0; ++round) {
    if (round < kSpinRounds) {
      CpuRelax();
    } else {
      std::this_thread::yield();
    }
  }
}

void ThreadPool::DrainTasks(int thread) {
  // A quarter of what is left at a time: few runs, and the last of them short.
  constexpr size_t kParts = 4;
  const size_t threads = workers_.size() + 1;
  for (size_t i = 0; i < threads; ++i) {
    Share& share = shares_[(static_cast<size_t>(thread) + i) % threads];
    size_t begin = share.next.load(std::memory_order_relaxed);
    while (begin < share.end) {
      const size_t end = begin + std::max<size_t>(1, (share.end - begin) / kParts);
      if (!share.next.compare_exchange_weak(begin, end, std::memory_order_relaxed)) continue;
      function_(context_, begin, end, thread);
      begin = share.next.load(std::memory_order_relaxed);
    }
  }
}

void ThreadPool::WorkerLoop(int thread) {
  Pin(thread);
  uint64_t seen = 0;
  for (;;) {
    int round = 0;
    while (generation_.load(std::memory_order_acquire) == seen &&
           !stop_.load(std::memory_order_acquire)) {
      if (++round < kSpinRounds) {
        CpuRelax();
        continue;
      }
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] {
        return generation_.load(std::memory_order_acquire) != seen ||
               stop_.load(std::memory_order_acquire);
      });
    }
    if (stop_.load(std::memory_order_acquire)) return;
    ++seen;
    DrainTasks(thread);
    active_workers_.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace aio
