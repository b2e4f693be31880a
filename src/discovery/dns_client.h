// Asks name servers.
#ifndef AIO_DISCOVERY_DNS_CLIENT_H_
#define AIO_DISCOVERY_DNS_CLIENT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"

namespace aio {

enum class DnsRecordType { kA, kAaaa, kSrv };

// The servers and search list of /etc/resolv.conf as it is at each question, or one server.
class DnsClient {
 public:
  // `server`: "127.0.0.1:5353", or empty.
  static Result<DnsClient> Create(const std::string& server);

  // The answer's bytes. kNotFound: the servers say that there is no such name, or no such record
  // of it. Other faults: nobody knows. Of servers that are silent, each is waited for a second or
  // two, over UDP and, for what is too long, over TCP.
  Result<std::vector<uint8_t>> Ask(const std::string& name, DnsRecordType type) const;

 private:
  struct Server {
    uint32_t address = 0;  // in network order, as the next
    uint16_t port = 0;
  };
  explicit DnsClient(std::optional<Server> server) : server_(server) {}

  std::optional<Server> server_;
};

}  // namespace aio

#endif  // AIO_DISCOVERY_DNS_CLIENT_H_
