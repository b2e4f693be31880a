// Counts what is taken from the heap, by replacing operator new in the binary that links it.
#ifndef AIO_BASE_TESTING_ALLOCATION_COUNTER_H_
#define AIO_BASE_TESTING_ALLOCATION_COUNTER_H_

namespace aio {

// Allocations of all threads since the program began.
int AllocationCount();

}  // namespace aio

#endif  // AIO_BASE_TESTING_ALLOCATION_COUNTER_H_
