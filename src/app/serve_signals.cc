#include "app/serve_signals.h"

#include <fcntl.h>
#include <pthread.h>

#include <ctime>

#include "base/file_descriptor.h"

namespace aio {
namespace {

bool HasTerminal() {
  return FileDescriptor(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)).valid();
}

}  // namespace

ServeSignals::ServeSignals() : had_terminal_(HasTerminal()) {
  sigemptyset(&signals_);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals_, signal);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  // A client that closes its socket early is an error code, not the end of the program.
  std::signal(SIGPIPE, SIG_IGN);
  // Likewise a file that may not grow, such as the decision log's.
  std::signal(SIGXFSZ, SIG_IGN);
}

ServeSignal ServeSignals::Meaning(int signal) const {
  if (signal != SIGHUP) return ServeSignal::kEnd;
  return had_terminal_ && !HasTerminal() ? ServeSignal::kEnd : ServeSignal::kReload;
}

ServeSignal ServeSignals::Wait() const {
  int signal = 0;
  while (sigwait(&signals_, &signal) != 0) {
  }
  return Meaning(signal);
}

ServeSignal ServeSignals::WaitFor(std::chrono::milliseconds time) const {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  const timespec wait{.tv_sec = seconds.count(),
                      .tv_nsec = std::chrono::nanoseconds(time - seconds).count()};
  const int signal = sigtimedwait(&signals_, nullptr, &wait);
  return signal > 0 ? Meaning(signal) : ServeSignal::kNone;
}

bool ServeSignals::EndIsPending() const {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1;
}

void ServeSignals::WaitForEnd() const {
  while (Wait() != ServeSignal::kEnd) {
  }
}

}  // namespace aio
