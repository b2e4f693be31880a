// Counts what is taken from the heap, and lets taking fail, by replacing operator new in the binary
// that links it.
#ifndef AIO_BASE_TESTING_ALLOCATION_COUNTER_H_
#define AIO_BASE_TESTING_ALLOCATION_COUNTER_H_

namespace aio {

// Allocations of all threads since the program began.
int AllocationCount();

// While it lives, the `nth` allocation of the thread that made it fails, counted from 1: that one
// alone. One at a time a thread.
class FailingAllocation {
 public:
  explicit FailingAllocation(int nth);
  ~FailingAllocation();
  FailingAllocation(const FailingAllocation&) = delete;
  FailingAllocation& operator=(const FailingAllocation&) = delete;

  bool has_failed() const;  // else there were fewer
};

}  // namespace aio

#endif  // AIO_BASE_TESTING_ALLOCATION_COUNTER_H_
