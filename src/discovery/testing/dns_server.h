// A name server on this machine's own address, over UDP and TCP.
#ifndef AIO_DISCOVERY_TESTING_DNS_SERVER_H_
#define AIO_DISCOVERY_TESTING_DNS_SERVER_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/file_descriptor.h"
#include "discovery/testing/dns_message.h"

namespace aio {

class DnsServer {
 public:
  // Bytes of an answer; none: silence.
  using Answer = std::function<std::vector<uint8_t>(std::span<const uint8_t> query, bool over_tcp)>;

  DnsServer();
  ~DnsServer();

  std::string address() const;  // "127.0.0.1:PORT"

  // What it answers from now on; else there is no such name. Thread-safe, as the next.
  void Set(const std::string& name, int type, DnsTestAnswer answer);
  void Set(const std::string& name, int type, Answer answer);
  // Waits until so many more questions have come, and been answered but for the last.
  bool WaitForQuestions(int count);

 private:
  void Serve();
  void ServeUdp();
  void ServeTcp();
  std::vector<uint8_t> AnswerTo(std::span<const uint8_t> query, bool over_tcp);

  FileDescriptor udp_;
  FileDescriptor tcp_;
  FileDescriptor wake_;
  int port_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::pair<std::string, int>, Answer> answers_;  // guarded by mutex_, as the next
  int questions_ = 0;
  std::thread thread_;  // last: it uses the others
};

}  // namespace aio

#endif  // AIO_DISCOVERY_TESTING_DNS_SERVER_H_
