// Connections of a load generator: many at once from one thread, over loopback.
#ifndef AIO_STRESS_CLIENT_H_
#define AIO_STRESS_CLIENT_H_

#include <sys/epoll.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file_descriptor.h"
#include "stress/response_reader.h"

namespace aio {

// One connection, never blocking; a Poller tells when there is something to do.
class Client {
 public:
  explicit Client(int port, int receive_buffer_bytes = 0);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  int fd() const { return socket_.get(); }
  // Sends now what the socket takes, the rest when it takes more.
  void Send(std::string_view bytes);
  // After an event: sends what waits, reads what has come.
  void Progress();
  // Whether the response that response() reads is whole; call after Progress() and after
  // NextResponse().
  bool ReadResponse();
  ResponseReader& response() { return response_; }
  void NextResponse(bool is_head = false) { response_.Next(is_head); }

  bool ended() const { return ended_; }  // the other side has closed, and all that came was read
  bool has_unread() const { return !received_.empty(); }
  bool all_sent() const { return unsent_.empty(); }
  void HalfClose();
  // The other side sees a reset instead of an end.
  void Reset();
  void Close() { socket_ = FileDescriptor(); }

 private:
  void SendMore();

  FileDescriptor socket_;
  std::string unsent_;
  std::string received_;  // not yet taken by response_
  ResponseReader response_;
  bool ended_ = false;
};

// Tells which of many connections have something to do. Each is told of once: Progress() then does
// all that can be done.
class Poller {
 public:
  Poller();

  void Add(const Client& client, uint64_t id);
  // Of those with news; empty when `timeout` passed first.
  std::span<const uint64_t> Wait(Duration timeout);

 private:
  FileDescriptor epoll_;
  std::vector<epoll_event> events_;
  std::vector<uint64_t> ids_;
};

// The request's answer, waited for; empty if none came within `patience`.
std::string Fetch(int port, std::string_view request, Duration patience = std::chrono::seconds(10));
// GET `path`.
std::string FetchPath(int port, std::string_view path);
// The number that JSON text gives for `name`; -1 if none.
int64_t NumberIn(std::string_view json, std::string_view name);

// A POST with its head.
std::string PostRequest(std::string_view path, std::string_view body,
                        std::string_view headers = "");
// A chat request of the stub: it answers with `tokens` numbers.
std::string ChatRequest(int tokens, bool stream, std::string_view prompt = "Count, please.",
                        std::string_view model = "auto");

}  // namespace aio

#endif  // AIO_STRESS_CLIENT_H_
