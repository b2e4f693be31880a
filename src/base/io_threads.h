// The threads that wait for sockets and timers. A server and what it asks of other servers share
// them: an answer that comes on one socket goes out on another without a change of thread.
#ifndef AIO_BASE_IO_THREADS_H_
#define AIO_BASE_IO_THREADS_H_

#include <memory>

namespace boost::asio {
class io_context;
}  // namespace boost::asio

namespace aio {

class IoThreads {
 public:
  explicit IoThreads(int threads);  // one at least
  // Ends them; handlers that have not run by then never will. Not from one of them.
  ~IoThreads();
  IoThreads(const IoThreads&) = delete;
  IoThreads& operator=(const IoThreads&) = delete;

  // Its handlers must not block. What one throws is its own loss: the threads go on.
  boost::asio::io_context& context();

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace aio

#endif  // AIO_BASE_IO_THREADS_H_
