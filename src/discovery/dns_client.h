// Asks name servers.
#ifndef AIO_DISCOVERY_DNS_CLIENT_H_
#define AIO_DISCOVERY_DNS_CLIENT_H_

#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"

namespace aio {

enum class DnsRecordType { kA, kAaaa, kSrv };

// An answer's bytes. kNotFound: the servers say that there is no such name, or no such record of
// it. kCancelled: it was no longer asked. Other faults: nobody knows.
using DnsAnswer = Result<std::vector<uint8_t>>;

// The servers and search list of /etc/resolv.conf as it is at each question, or one server and a
// list, with which names of fewer than five dots are short, as in a pod.
class DnsClient {
 public:
  // `server`: "127.0.0.1:5353", or empty, and then so is `search`.
  static Result<DnsClient> Create(const std::string& server,
                                  const std::vector<std::string>& search);

  // One answer for each of `types`, all of one full name: the first of the search list that exists,
  // with such records or without. Names for which servers fail or refuse are passed over, but for
  // the one that was found last, and are told of only if no name is found. Of servers that are
  // silent, each is waited for a second or two for each type, over UDP and, for what is too long,
  // over TCP.
  std::vector<DnsAnswer> Ask(const std::string& name, std::span<const DnsRecordType> types,
                             const std::stop_token& stop);

 private:
  struct Server {
    uint32_t address = 0;  // in network order, as the next
    uint16_t port = 0;
  };
  DnsClient(std::optional<Server> server, std::vector<std::string> search)
      : server_(server), search_(std::move(search)) {}

  std::optional<Server> server_;
  std::vector<std::string> search_;
  std::string found_;  // the full name that was there last
};

}  // namespace aio

#endif  // AIO_DISCOVERY_DNS_CLIENT_H_
