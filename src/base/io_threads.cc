#include "base/io_threads.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <thread>
#include <vector>

namespace aio {

namespace asio = boost::asio;

class IoThreads::Impl {
 public:
  explicit Impl(int threads)
      : context_(std::max(1, threads)), work_(asio::make_work_guard(context_)) {
    for (int i = 0; i < std::max(1, threads); ++i) {
      threads_.emplace_back([this] { Run(); });
    }
  }
  ~Impl() {
    context_.stop();
    for (std::thread& thread : threads_) thread.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  asio::io_context& context() { return context_; }

 private:
  // One connection's want of memory is not the others' end.
  void Run() {
    while (true) {
      try {
        context_.run();
        return;
      } catch (const std::exception&) {
        std::this_thread::yield();  // thrown by one handler; the next one is another's
      }
    }
  }

  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::vector<std::thread> threads_;
};

IoThreads::IoThreads(int threads) : impl_(std::make_unique<Impl>(threads)) {}
IoThreads::~IoThreads() = default;
boost::asio::io_context& IoThreads::context() { return impl_->context(); }

}  // namespace aio
