// How other threads talk to the engine thread: they leave commands, it collects them
// between steps.
#ifndef AIO_ENGINE_INBOX_H_
#define AIO_ENGINE_INBOX_H_

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <variant>
#include <vector>

#include "engine/sequence.h"

namespace aio {

// `model` is the index of the model that the command is for.
struct SubmitCommand {
  int model = 0;
  std::unique_ptr<Sequence> sequence;
};
struct CancelCommand {
  int model = 0;
  uint64_t sequence = 0;
};
using Command = std::variant<SubmitCommand, CancelCommand>;

// Thread-safe. Handles that outlive the engine hold a weak_ptr to its inbox. Bounded by
// what is posted: submissions by the queue's places (model_runner.h), cancellations by what
// was submitted.
class Inbox {
 public:
  // False, and the command is dropped, after Close().
  bool Post(Command command);
  // No more commands are taken; those posted before are still collected.
  void Close();

  // Moves all commands, in order, to the end of `commands`; with `wait` sleeps until
  // there is one or the inbox is closed. False once it is closed. For the engine thread.
  bool Collect(bool wait, std::vector<Command>& commands);

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  // Guarded by mutex_:
  std::vector<Command> commands_;
  bool closed_ = false;
};

}  // namespace aio

#endif  // AIO_ENGINE_INBOX_H_
