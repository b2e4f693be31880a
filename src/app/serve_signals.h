// The signals that `aio serve` acts on, as values to wait for.
#ifndef AIO_APP_SERVE_SIGNALS_H_
#define AIO_APP_SERVE_SIGNALS_H_

#include <chrono>
#include <csignal>

namespace aio {

enum class ServeSignal { kNone, kReload, kEnd };

// Blocks SIGTERM, SIGINT and SIGHUP in this thread and those it starts, so that who waits here
// alone receives them: no handler, nothing to race with.
class ServeSignals {
 public:
  ServeSignals();

  // The next signal.
  ServeSignal Wait() const;
  // kNone if none comes for so long.
  ServeSignal WaitFor(std::chrono::milliseconds time) const;
  void WaitForEnd() const;
  // A signal to end has come that nobody has waited for yet.
  bool EndIsPending() const;

 private:
  // SIGHUP is a reload, but for one that says that the terminal was closed.
  ServeSignal Meaning(int signal) const;

  const bool had_terminal_;
  sigset_t signals_{};
};

}  // namespace aio

#endif  // AIO_APP_SERVE_SIGNALS_H_
